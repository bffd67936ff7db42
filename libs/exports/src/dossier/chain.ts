import type { FindingEvent } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { eventsOf, type EventOf, type FindingEvidence } from '../evidence.ts';
import { storyOf, type Attempt, type Story } from '../story.ts';

/** What became of an iteration, and the event that says so, where one does. */
interface Outcome {
  readonly outcome:
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
  readonly decidedBy: RecordedEvent<RunEvent> | null;
}

/** A hypothesis and what followed it. */
export interface Iteration extends Outcome {
  readonly hypothesis: EventOf<RunEvent, 'HypothesisProposed'>;
  readonly attempt: Attempt | null;
  readonly metric: EventOf<RunEvent, 'SecondaryMetricProposed'> | null;
  /** The charge for the hypothesis and for what was proposed. */
  readonly charges: readonly EventOf<RunEvent, 'BudgetCharged'>[];
}

const OUTCOME_OF_REVERT = {
  'not-better-than-noise': 'discarded',
  'training-failed': 'failed',
  'timed-out': 'timed-out',
  'post-loop-gate': 'unfair',
} as const;

const iterationsOf = (
  run: readonly RecordedEvent<RunEvent>[],
  { attempts }: Story,
): readonly Iteration[] => {
  const hypotheses = eventsOf(run, 'HypothesisProposed');
  const exhausted = eventsOf(run, 'BudgetExhausted').at(0);
  const refusals = eventsOf(run, 'ProposalRefused');
  const halted = eventsOf(run, 'RunHalted').at(0);
  const charges = Map.groupBy(eventsOf(run, 'BudgetCharged'), ({ data }) => data.paysFor);
  const mutations = new Map(
    [...attempts.values()].map((attempt) => [attempt.proposed.data.hypothesisId, attempt]),
  );
  const metrics = new Map(
    eventsOf(run, 'SecondaryMetricProposed').map((event) => [event.data.hypothesisId, event]),
  );

  const outcomeOf = (
    { data: { hypothesisId }, revision }: EventOf<RunEvent, 'HypothesisProposed'>,
    next: number,
  ): Outcome => {
    const within = (event: RecordedEvent): boolean =>
      event.revision > revision && event.revision < next;
    const attempt = mutations.get(hypothesisId) ?? null;
    const mutationId = attempt?.proposed.data.mutationId ?? null;
    if (halted !== undefined && (isOf(halted, mutationId) || within(halted)))
      return { decidedBy: halted, outcome: 'halted' };
    if (attempt !== null) {
      const { undone, decided } = attempt;
      if (undone !== null)
        return { decidedBy: undone, outcome: isOf(undone, mutationId) ? 'diverged' : 'undone' };
      if (decided !== null)
        return {
          decidedBy: decided,
          outcome:
            decided.type === 'MutationKept' ? 'kept' : OUTCOME_OF_REVERT[decided.data.reason],
        };
    }
    const metric = metrics.get(hypothesisId);
    if (metric !== undefined) return { decidedBy: metric, outcome: 'metric' };
    if (exhausted !== undefined && within(exhausted))
      return { decidedBy: exhausted, outcome: 'not-paid' };
    const refusal = refusals.findLast(({ data }) => data.hypothesisId === hypothesisId);
    if (refusal !== undefined && attempt === null)
      return { decidedBy: refusal, outcome: 'refused' };
    return { decidedBy: null, outcome: 'open' };
  };

  return hypotheses.map((hypothesis, at) => {
    const { hypothesisId } = hypothesis.data;
    const attempt = mutations.get(hypothesisId) ?? null;
    const metric = metrics.get(hypothesisId) ?? null;
    return {
      hypothesis,
      attempt,
      metric,
      charges: [hypothesisId, attempt?.proposed.data.mutationId, metric?.data.metricId].flatMap(
        (paysFor) => charges.get(paysFor ?? '') ?? [],
      ),
      ...outcomeOf(hypothesis, hypotheses[at + 1]?.revision ?? Infinity),
    };
  });
};

const isOf = (
  { data }: EventOf<RunEvent, 'RunHalted'> | EventOf<RunEvent, 'RunReverted'>,
  mutationId: string | null,
): boolean => mutationId !== null && data.mutationId === mutationId;

/** The events of a finding, by what a report asks of them. */
export interface Chain extends Story {
  readonly evidence: FindingEvidence;
  /** The newest. */
  readonly verdict: EventOf<FindingEvent, 'FindingVerified'> | null;
  /** A verification that was asked for after the last verdict. */
  readonly asked: EventOf<FindingEvent, 'VerificationRequested'> | null;
  readonly iterations: readonly Iteration[];
  /** The iterations that the finding rests on: those of its kept mutations, in order. */
  readonly links: readonly Iteration[];
  /** All events, by stream. */
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
  const verdict = story.verdicts.at(-1) ?? null;
  const asked = eventsOf(finding, 'VerificationRequested').at(-1) ?? null;
  const iterations = iterationsOf(run, story);
  const streams = [finding, run, study, data].filter((events) => events.length > 0);
  // The log's own order, where a file of events gives no place in it: by time.
  const newest = streams
    .flatMap((events) => events.at(-1) ?? [])
    .reduce((one, other) => (other.metadata.time > one.metadata.time ? other : one));
  return {
    ...story,
    evidence,
    verdict,
    asked: asked !== null && asked.revision > (verdict?.revision ?? -1) ? asked : null,
    iterations,
    links: story.proposed.data.chain.mutations.flatMap(
      (id) => iterations.find(({ attempt }) => attempt?.proposed.data.mutationId === id) ?? [],
    ),
    streams,
    newest,
  };
};
