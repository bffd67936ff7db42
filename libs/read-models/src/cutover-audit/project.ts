import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { insert, update, type Change, type Recorded } from '../change.ts';
import type { CutoverAuditTable, Decision } from './table.ts';

const STREAM = 'run-';

export const projectCutoverAudit = (recorded: RecordedEvent): readonly Change[] => {
  if (!recorded.stream.startsWith(STREAM)) return [];
  const event = recorded as Recorded<RunEvent>;
  const runId = event.stream.slice(STREAM.length);
  const { position, metadata } = event;
  switch (event.type) {
    case 'HypothesisProposed':
      return [
        insert('hypotheses', {
          position,
          hypothesisId: event.data.hypothesisId,
          runId,
          number: event.data.number,
          statement: event.data.statement,
          expectedEffect: event.data.expectedEffect,
          proposedAt: metadata.time,
        }),
      ];
    case 'MutationProposed':
      return [
        insert('cutoverAudit', {
          position,
          mutationId: event.data.mutationId,
          runId,
          hypothesisId: event.data.hypothesisId,
          number: event.data.number,
          proposedAt: metadata.time,
          actorRole: metadata.actor.role,
          actorId: metadata.actor.id,
          summary: event.data.summary,
          declaredDomain: event.data.declaredDomain,
          measuredDomain: event.data.measuredDomain,
          cost: null,
          fromTree: event.data.baseTree,
          toTree: event.data.proposedTree,
          proposedCommit: event.data.proposedCommit,
          restorePointId: null,
          cutOverAt: null,
          decision: 'pending',
          decidedAt: null,
          metric: null,
          metricError: null,
          difference: null,
          differenceError: null,
          z: null,
          threshold: null,
          reason: null,
        }),
      ];
    case 'BudgetCharged':
      // Hypotheses and secondary metrics are paid for as well, but are no attempts.
      return event.data.charge === 'hypothesis' || event.data.charge === 'metric'
        ? []
        : [attempt(event.data.paysFor, { cost: event.data.cost })];
    case 'MutationCutOver':
      return [
        attempt(event.data.mutationId, {
          restorePointId: event.data.restorePointId,
          cutOverAt: metadata.time,
        }),
      ];
    case 'MetricObserved': {
      const { mutationId, observation, purpose } = event.data;
      // Replicates and re-measurements are the harness's own: no attempts, and no result of one.
      if (mutationId === null || purpose !== 'candidate') return [];
      return [
        attempt(mutationId, {
          metric: observation.metric.value,
          metricError: observation.metric.standardError,
          difference: observation.difference?.value ?? null,
          differenceError: observation.difference?.standardError ?? null,
        }),
      ];
    }
    case 'MutationKept':
      return [
        attempt(event.data.mutationId, {
          ...decided('kept', metadata.time, null),
          z: event.data.ruling.z,
          threshold: event.data.ruling.threshold,
        }),
      ];
    case 'MutationReverted':
      return [
        attempt(event.data.mutationId, {
          ...decided(REVERTED[event.data.reason], metadata.time, event.data.reason),
          z: event.data.ruling?.z ?? null,
          threshold: event.data.ruling?.threshold ?? null,
        }),
      ];
    case 'RunReverted': {
      const { mutationId: candidate, undone, reason } = event.data;
      return undone.map((mutationId) =>
        attempt(
          mutationId,
          decided(mutationId === candidate ? 'reverted' : 'undone', metadata.time, reason),
        ),
      );
    }
    case 'RunHalted':
      return event.data.mutationId === null
        ? [unfinished(runId, metadata.time, event.data.message)]
        : [attempt(event.data.mutationId, decided('halted', metadata.time, event.data.reason))];
    case 'LoopEnded':
      return [unfinished(runId, metadata.time, event.data.message)];
    default:
      return [];
  }
};

const REVERTED = {
  'not-better-than-noise': 'discarded',
  'training-failed': 'failed',
  'timed-out': 'timed-out',
  'post-loop-gate': 'halted',
} as const satisfies Record<string, Decision>;

const attempt = (mutationId: string, set: Partial<CutoverAuditTable>): Change =>
  update('cutoverAudit', { mutationId }, set);

const decided = (
  decision: Decision,
  decidedAt: string,
  reason: string | null,
): Pick<CutoverAuditTable, 'decision' | 'decidedAt' | 'reason'> => ({
  decision,
  decidedAt,
  reason,
});

/** What was still on trial when the loop ended, if anything was. */
const unfinished = (runId: string, time: string, reason: string): Change =>
  update('cutoverAudit', { runId, decision: 'pending' }, decided('unfinished', time, reason), {
    rows: 'any',
  });
