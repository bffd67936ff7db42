import type { FindingEvent } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { eventsOf, type EventOf, type FindingEvidence } from '../evidence.ts';
import { storyOf, type Story } from '../story.ts';

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

const attemptsOf = (
  run: readonly RecordedEvent<RunEvent>[],
  { attempts }: Story,
): readonly Attempt[] => {
  const hypotheses = eventsOf(run, 'HypothesisProposed');
  const charges = eventsOf(run, 'BudgetCharged');
  const exhausted = eventsOf(run, 'BudgetExhausted').at(0) ?? null;
  const refusals = eventsOf(run, 'ProposalRefused');
  const reverts = eventsOf(run, 'RunReverted');
  const halted = eventsOf(run, 'RunHalted').at(0) ?? null;
  const mutations = new Map(
    [...attempts.values()].map((attempt) => [attempt.proposed.data.hypothesisId, attempt]),
  );
  const metrics = new Map(
    eventsOf(run, 'SecondaryMetricProposed').map((event) => [event.data.hypothesisId, event]),
  );
  const observed = new Map(
    eventsOf(run, 'MetricObserved')
      .filter(({ data }) => data.purpose === 'candidate')
      .map((event) => [event.data.mutationId, event]),
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
    const attempt = mutations.get(hypothesisId);
    const mutation = attempt?.proposed ?? null;
    const metric = metrics.get(hypothesisId) ?? null;
    const id = mutation?.data.mutationId ?? '';
    const decision = attempt?.decided ?? null;
    const kept = decision?.type === 'MutationKept' ? decision : null;
    const reverted = decision?.type === 'MutationReverted' ? decision : null;
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
      if (kept !== null) return { decidedBy: kept, outcome: 'kept' };
      if (reverted !== null)
        return { decidedBy: reverted, outcome: OUTCOME_OF_REVERT[reverted.data.reason] };
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
      restorePoint: attempt?.restorePoint ?? null,
      cutover: attempt?.cutOver ?? null,
      observed: observed.get(id) ?? null,
      kept,
      reverted,
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
export interface Chain extends Pick<
  Story,
  'proposed' | 'opened' | 'discarded' | 'reviews' | 'replays'
> {
  readonly evidence: FindingEvidence;
  /** The newest. */
  readonly verdict: EventOf<FindingEvent, 'FindingVerified'> | null;
  /** A verification that was asked for after the last verdict. */
  readonly asked: EventOf<FindingEvent, 'VerificationRequested'> | null;
  readonly standing: Standing;
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
  const story = storyOf(evidence);
  const { proposed, opened, discarded, reviews, replays } = story;
  const verdict = story.verdicts.at(-1) ?? null;
  const asked = eventsOf(finding, 'VerificationRequested').at(-1) ?? null;
  const attempts = attemptsOf(run, story);
  const streams = [finding, run, study, data].filter((events) => events.length > 0);
  // The log's own order, where a file of events gives no place in it: by time.
  const newest = streams
    .flatMap((events) => events.at(-1) ?? [])
    .reduce((one, other) => (other.metadata.time > one.metadata.time ? other : one));
  return {
    evidence,
    ...{ proposed, opened, discarded, reviews, replays },
    verdict,
    asked: asked !== null && asked.revision > (verdict?.revision ?? -1) ? asked : null,
    standing:
      verdict === null
        ? 'unverified'
        : discarded !== null || verdict.data.verdict === 'BLOCK'
          ? 'discarded'
          : 'passed',
    attempts,
    links: proposed.data.chain.mutations.flatMap(
      (id) => attempts.find(({ mutation }) => mutation?.data.mutationId === id) ?? [],
    ),
    streams,
    newest,
  };
};
