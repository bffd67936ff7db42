import type { FindingEvent } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { eventsOf, type EventOf, type FindingEvidence } from '../evidence.ts';

/** What became of an iteration. */
export type AttemptOutcome =
  | 'kept'
  | 'undone'
  | 'diverged'
  | 'discarded'
  | 'failed'
  | 'timed-out'
  | 'unfair'
  | 'halted'
  | 'refused'
  | 'metric'
  | 'not-paid'
  | 'open';

/** One iteration: a hypothesis and what followed it. */
export interface Attempt {
  readonly hypothesis: EventOf<RunEvent, 'HypothesisProposed'>;
  readonly mutation: EventOf<RunEvent, 'MutationProposed'> | null;
  readonly metric: EventOf<RunEvent, 'SecondaryMetricProposed'> | null;
  readonly restorePoint: EventOf<RunEvent, 'RestorePointTaken'> | null;
  readonly cutover: EventOf<RunEvent, 'MutationCutOver'> | null;
  /** The candidate's own training, measured; replicates are in the ruling. */
  readonly observed: EventOf<RunEvent, 'MetricObserved'> | null;
  readonly kept: EventOf<RunEvent, 'MutationKept'> | null;
  readonly reverted: EventOf<RunEvent, 'MutationReverted'> | null;
  /** The charge for the hypothesis and for what was proposed. */
  readonly charges: readonly EventOf<RunEvent, 'BudgetCharged'>[];
  /** What decided it, where something did. */
  readonly decidedBy: RecordedEvent<RunEvent> | null;
  readonly outcome: AttemptOutcome;
}

const OUTCOME_OF_REVERT = {
  'not-better-than-noise': 'discarded',
  'training-failed': 'failed',
  'timed-out': 'timed-out',
  'post-loop-gate': 'unfair',
} as const;

const attemptsOf = (run: readonly RecordedEvent<RunEvent>[]): readonly Attempt[] => {
  const hypotheses = eventsOf(run, 'HypothesisProposed');
  const charges = eventsOf(run, 'BudgetCharged');
  const exhausted = eventsOf(run, 'BudgetExhausted').at(0) ?? null;
  const refusals = eventsOf(run, 'ProposalRefused');
  const reverts = eventsOf(run, 'RunReverted');
  const halted = eventsOf(run, 'RunHalted').at(0) ?? null;
  const byMutation = <Event extends { readonly data: { readonly mutationId: string | null } }>(
    events: readonly Event[],
  ): ReadonlyMap<string | null, Event> =>
    new Map(events.map((event) => [event.data.mutationId, event]));
  const mutations = new Map(
    eventsOf(run, 'MutationProposed').map((event) => [event.data.hypothesisId, event]),
  );
  const metrics = new Map(
    eventsOf(run, 'SecondaryMetricProposed').map((event) => [event.data.hypothesisId, event]),
  );
  const restorePoints = byMutation(eventsOf(run, 'RestorePointTaken'));
  const cutovers = byMutation(eventsOf(run, 'MutationCutOver'));
  const kept = byMutation(eventsOf(run, 'MutationKept'));
  const reverted = byMutation(eventsOf(run, 'MutationReverted'));
  const observed = byMutation(
    eventsOf(run, 'MetricObserved').filter(({ data }) => data.purpose === 'candidate'),
  );
  const undoing = new Map(
    reverts.flatMap((event) => event.data.undone.map((id) => [id, event] as const)),
  );
  const paid = new Map<string, EventOf<RunEvent, 'BudgetCharged'>[]>();
  for (const charge of charges) {
    const list = paid.get(charge.data.paysFor) ?? [];
    list.push(charge);
    paid.set(charge.data.paysFor, list);
  }

  return hypotheses.map((hypothesis, at) => {
    const { hypothesisId } = hypothesis.data;
    const next = hypotheses[at + 1]?.revision ?? Infinity;
    const within = (event: RecordedEvent<RunEvent> | null): boolean =>
      event !== null && event.revision > hypothesis.revision && event.revision < next;
    const mutation = mutations.get(hypothesisId) ?? null;
    const metric = metrics.get(hypothesisId) ?? null;
    const id = mutation?.data.mutationId ?? '';
    const ownRevert = reverted.get(id) ?? null;
    const ownKeep = kept.get(id) ?? null;
    const undone = undoing.get(id) ?? null;
    const refusal = refusals.filter(({ data }) => data.hypothesisId === hypothesisId).at(-1);
    const decided = ((): Pick<Attempt, 'decidedBy' | 'outcome'> => {
      if (halted !== null && (halted.data.mutationId === id || within(halted)))
        return { decidedBy: halted, outcome: 'halted' };
      if (undone !== null)
        return {
          decidedBy: undone,
          outcome: undone.data.mutationId === id ? 'diverged' : 'undone',
        };
      if (ownKeep !== null) return { decidedBy: ownKeep, outcome: 'kept' };
      if (ownRevert !== null)
        return { decidedBy: ownRevert, outcome: OUTCOME_OF_REVERT[ownRevert.data.reason] };
      if (metric !== null) return { decidedBy: metric, outcome: 'metric' };
      if (within(exhausted)) return { decidedBy: exhausted, outcome: 'not-paid' };
      if (refusal !== undefined && mutation === null)
        return { decidedBy: refusal, outcome: 'refused' };
      return { decidedBy: null, outcome: 'open' };
    })();
    return {
      hypothesis,
      mutation,
      metric,
      restorePoint: restorePoints.get(id) ?? null,
      cutover: cutovers.get(id) ?? null,
      observed: observed.get(id) ?? null,
      kept: ownKeep,
      reverted: ownRevert,
      charges: [hypothesisId, id, metric?.data.metricId ?? ''].flatMap(
        (paysFor) => paid.get(paysFor) ?? [],
      ),
      ...decided,
    };
  });
};

/** What stands about the finding: what its own stream came to. */
export type Standing =
  /** No verdict was recorded. */
  | 'unverified'
  | 'passed'
  /** BLOCK, now or once: a finding that was blocked stays discarded. */
  | 'discarded';

/** The events of a finding, by what a report asks of them. */
export interface Chain {
  readonly evidence: FindingEvidence;
  readonly proposed: EventOf<FindingEvent, 'FindingProposed'>;
  readonly verdict: EventOf<FindingEvent, 'FindingVerified'> | null;
  readonly verdicts: readonly EventOf<FindingEvent, 'FindingVerified'>[];
  readonly discarded: EventOf<FindingEvent, 'FindingDiscarded'> | null;
  /** A verification that was asked for after the last verdict. */
  readonly asked: EventOf<FindingEvent, 'VerificationRequested'> | null;
  readonly reviews: readonly EventOf<FindingEvent, 'FindingReviewed'>[];
  readonly replays: readonly EventOf<FindingEvent, 'FindingReplayed'>[];
  readonly standing: Standing;
  readonly opened: EventOf<RunEvent, 'RunOpened'>;
  readonly attempts: readonly Attempt[];
  /** The attempts that the finding rests on: its kept mutations, in order. */
  readonly links: readonly Attempt[];
  /** All events, for counts of a stream. */
  readonly streams: readonly (readonly RecordedEvent[])[];
  /** The newest event. */
  readonly newest: RecordedEvent;
}

/**
 * Reads a finding's events once.
 *
 * @throws Error where the evidence is not that of a finding: whoever gathers it has to refuse before
 */
export const chainOf = (evidence: FindingEvidence): Chain => {
  const { finding, run, study, data } = evidence;
  const proposed = eventsOf(finding, 'FindingProposed').at(0);
  const opened = eventsOf(run, 'RunOpened').at(0);
  if (proposed === undefined || opened === undefined)
    throw new Error('evidence without FindingProposed or RunOpened is not that of a finding');
  const verdicts = eventsOf(finding, 'FindingVerified');
  const verdict = verdicts.at(-1) ?? null;
  const discarded = eventsOf(finding, 'FindingDiscarded').at(-1) ?? null;
  const asked = eventsOf(finding, 'VerificationRequested').at(-1) ?? null;
  const attempts = attemptsOf(run);
  const streams = [finding, run, study, data].filter((events) => events.length > 0);
  // The log's own order, where a file of events gives no place in it: by time.
  const newest = streams
    .flatMap((events) => events.at(-1) ?? [])
    .reduce((one, other) => (other.metadata.time > one.metadata.time ? other : one));
  return {
    evidence,
    proposed,
    verdict,
    verdicts,
    discarded,
    asked: asked !== null && asked.revision > (verdict?.revision ?? -1) ? asked : null,
    reviews: eventsOf(finding, 'FindingReviewed'),
    replays: eventsOf(finding, 'FindingReplayed'),
    standing:
      verdict === null
        ? 'unverified'
        : discarded !== null || verdict.data.verdict === 'BLOCK'
          ? 'discarded'
          : 'passed',
    opened,
    attempts,
    links: proposed.data.chain.mutations.flatMap(
      (id) => attempts.find(({ mutation }) => mutation?.data.mutationId === id) ?? [],
    ),
    streams,
    newest,
  };
};
