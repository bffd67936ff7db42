import type { FindingEvent } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import { insert, update, type Change, type Recorded } from '../change.ts';
import type { FindingsTable } from './table.ts';

export const projectFindings = (recorded: RecordedEvent): readonly Change[] => {
  if (!recorded.stream.startsWith('finding-')) return [];
  const event = recorded as Recorded<FindingEvent>;
  const { metadata } = event;
  const set = (columns: Partial<FindingsTable>): readonly Change[] => [
    update('findings', { findingId: event.data.findingId }, columns),
  ];
  switch (event.type) {
    case 'FindingProposed': {
      const { claim, chain, ...data } = event.data;
      return [
        insert('findings', {
          position: event.position,
          findingId: data.findingId,
          runId: chain.runId,
          number: data.number,
          proposedAt: metadata.time,
          actorRole: metadata.actor.role,
          actorId: metadata.actor.id,
          statement: data.statement,
          kind: claim.kind,
          cohort: claim.cohort.description,
          outcome: claim.cohort.outcome,
          statistic: claim.statistic,
          estimate: claim.estimate,
          standardError: claim.standardError,
          level: claim.interval.level,
          lower: claim.interval.lower,
          upper: claim.interval.upper,
          relative: claim.relative,
          n: claim.n,
          changes: JSON.stringify(claim.changes),
          planted: JSON.stringify(claim.planted),
          fromTree: chain.fromTree,
          toTree: chain.toTree,
          sealedLook: data.sealedLook,
          dataLook: claim.look?.ofData ?? null,
          lookRuns: claim.look?.runs ?? null,
          lookSpent: claim.look?.spent ?? null,
          lookClaims: claim.look?.claims ?? null,
          multiplier: claim.look?.multiplier ?? null,
          verdict: null,
          rows: null,
          trust: null,
          verifiedAt: null,
          discardedAt: null,
          review: 'none',
          reviewReason: null,
          reviewedBy: null,
          reviewedAt: null,
          acceptedAt: null,
          replays: 0,
          replayed: null,
          replayedAt: null,
        }),
      ];
    }
    case 'FindingVerified':
      return set({
        verdict: event.data.verdict,
        rows: JSON.stringify(event.data.rows),
        trust: event.data.trust,
        verifiedAt: metadata.time,
      });
    case 'FindingDiscarded':
      return set({ discardedAt: metadata.time });
    case 'FindingReviewed':
      return set({
        review: event.data.decision,
        reviewReason: JSON.stringify(event.data.reason),
        reviewedBy: metadata.actor.id,
        reviewedAt: metadata.time,
      });
    case 'FindingAccepted':
      return set({ acceptedAt: metadata.time });
    case 'FindingReplayed':
      return [
        update(
          'findings',
          { findingId: event.data.findingId },
          { replayed: event.data.class, replayedAt: metadata.time },
          { add: { replays: 1 } },
        ),
      ];
    default:
      return [];
  }
};
