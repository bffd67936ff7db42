import type { PrivateText, RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import type { StudyEvent } from '#libs/studies';
import { insert, update, type Change, type Recorded } from '../change.ts';
import type { RunsTable } from './table.ts';

const STREAM = 'run-';

const STUDY_STREAM = 'study-';

/**
 * A run's row begins with its request, in its study's stream. Every event of the run moves the row's last revision,
 * so that a missing or repeated one shows at once.
 */
export const projectRuns = (recorded: RecordedEvent): readonly Change[] => {
  if (recorded.stream.startsWith(STUDY_STREAM)) return ofStudy(recorded as Recorded<StudyEvent>);
  if (!recorded.stream.startsWith(STREAM)) return [];
  const event = recorded as Recorded<RunEvent>;
  const { set, add } = effect(event);
  const where = { runId: event.stream.slice(STREAM.length), lastRevision: event.revision - 1 };
  return [update('runs', where, { ...set, lastRevision: event.revision }, { add })];
};

const ofStudy = (event: Recorded<StudyEvent>): readonly Change[] => {
  switch (event.type) {
    case 'RunRequested':
      return [insert('runs', requested(event))];
    case 'RunCounted':
      // A command line counts its runs without a request.
      return [insert('runs', requested(event), 'missing')];
    case 'RunRefused': {
      const { runId, reason } = event.data;
      const refused = { status: 'refused', reason, closedAt: event.metadata.time } as const;
      return [update('runs', { runId }, refused)];
    }
    default:
      return [];
  }
};

type Asked = Extract<Recorded<StudyEvent>, { type: 'RunRequested' | 'RunCounted' }>;

const requested = ({ data, metadata, position, stream }: Asked): RunsTable => ({
  position,
  runId: data.runId,
  studyId: stream.slice(STUDY_STREAM.length),
  title: null,
  number: data.number,
  status: 'requested',
  requestedAt: metadata.time,
  openedAt: null,
  closedAt: null,
  actorRole: metadata.actor.role,
  actorId: metadata.actor.id,
  seed: data.seed,
  sourceCommit: null,
  policyDigest: null,
  iterations: 0,
  kept: 0,
  discarded: 0,
  failed: 0,
  diverged: 0,
  spent: 0,
  total: null,
  baselineMetric: null,
  lineMetric: null,
  reason: null,
  message: null,
  note: null,
  findingsPass: 0,
  findingsBlock: 0,
  lastRevision: -1,
});

const noteOf = (note: PrivateText | null): string | null =>
  note === null ? null : JSON.stringify(note);

type Counter = 'iterations' | 'kept' | 'discarded' | 'failed' | 'diverged' | 'spent';

interface Effect {
  readonly set?: Partial<RunsTable>;
  readonly add?: Partial<Record<Counter, number>>;
}

const effect = (event: Recorded<RunEvent>): Effect => {
  switch (event.type) {
    case 'RunOpened': {
      const { data, metadata } = event;
      return {
        set: {
          title: data.policy.study.title,
          number: data.number,
          status: 'open',
          openedAt: metadata.time,
          actorRole: metadata.actor.role,
          actorId: metadata.actor.id,
          seed: data.seed,
          sourceCommit: data.pins.commit,
          policyDigest: data.pins.policyDigest,
          total: data.policy.budget.total,
        },
      };
    }
    case 'HypothesisProposed':
      return { add: { iterations: 1 } };
    case 'BudgetCharged':
      return { add: { spent: event.data.cost } };
    case 'BaselineEstablished':
      return { set: { baselineMetric: event.data.metric, lineMetric: event.data.metric } };
    case 'MutationKept':
      return { set: { lineMetric: event.data.metric }, add: { kept: 1 } };
    case 'MutationReverted':
      return event.data.reason === 'training-failed' || event.data.reason === 'timed-out'
        ? { add: { failed: 1 } }
        : { add: { discarded: 1 } };
    case 'RunReverted':
      // A candidate that is undone was never kept.
      return {
        set: { lineMetric: event.data.toMetric },
        add: {
          diverged: 1,
          kept: (event.data.mutationId === null ? 0 : 1) - event.data.undone.length,
        },
      };
    case 'RunHalted':
      return {
        set: {
          status: 'halted',
          closedAt: event.metadata.time,
          reason: event.data.reason,
          message: event.data.message,
          note: noteOf(event.data.note),
        },
      };
    case 'LoopEnded':
      return {
        set: {
          status: 'ended',
          reason: event.data.reason,
          message: event.data.message,
          note: noteOf(event.data.note),
        },
      };
    case 'RunClosed':
      return {
        set: {
          status: 'closed',
          closedAt: event.metadata.time,
          findingsPass: event.data.findings.filter((finding) => finding.verdict === 'PASS').length,
          findingsBlock: event.data.findings.filter((finding) => finding.verdict === 'BLOCK')
            .length,
        },
      };
    default:
      return {};
  }
};
