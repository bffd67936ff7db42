import type { FindingEvent } from '#libs/findings';
import type { ArtefactRef } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { eventsOf, type EventOf, type FindingEvidence } from './evidence.ts';

type Of<Type extends RunEvent['type']> = EventOf<RunEvent, Type>;

/** How a training ended. */
type TrainingEnd = Of<'TrainingCompleted'> | Of<'TrainingFailed'> | Of<'TrainingTimedOut'>;

/** A training as the run recorded it; null is what the log doesn't hold. */
export interface Training {
  readonly launched: Of<'TrainingLaunched'>;
  readonly ended: TrainingEnd | null;
  readonly predictions: ArtefactRef | null;
  readonly failure: string | null;
  readonly observed: Of<'MetricObserved'> | null;
}

/** A proposed change and what became of it; null is what the log doesn't hold. */
export interface Attempt {
  readonly proposed: Of<'MutationProposed'>;
  readonly restorePoint: Of<'RestorePointTaken'> | null;
  readonly cutOver: Of<'MutationCutOver'> | null;
  /** The measurement of its own training; those with other seeds are in the ruling. */
  readonly observed: Of<'MetricObserved'> | null;
  readonly decided: Of<'MutationKept'> | Of<'MutationReverted'> | null;
  /** The revert of the run that took it back: after it was kept, or while it was on trial. */
  readonly undone: Of<'RunReverted'> | null;
}

/** The events of a finding's evidence, told as what happened. */
export interface Story {
  readonly proposed: EventOf<FindingEvent, 'FindingProposed'>;
  readonly opened: Of<'RunOpened'>;
  /** The files that left the vault for the run. */
  readonly released: readonly ArtefactRef[];
  readonly trainings: readonly Training[];
  /** By the mutation's id, in their order. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** Reverts to the last stable state. */
  readonly reverts: readonly Of<'RunReverted'>[];
  readonly loopEnded: Of<'LoopEnded'> | null;
  readonly verdicts: readonly EventOf<FindingEvent, 'FindingVerified'>[];
  readonly discarded: EventOf<FindingEvent, 'FindingDiscarded'> | null;
  readonly reviews: readonly EventOf<FindingEvent, 'FindingReviewed'>[];
  /** Times that its program was trained again. */
  readonly replays: readonly EventOf<FindingEvent, 'FindingReplayed'>[];
  readonly accepted: EventOf<FindingEvent, 'FindingAccepted'> | null;
}

const keyedBy = <Event>(
  events: readonly Event[],
  key: (event: Event) => string,
): ReadonlyMap<string, Event> => new Map(events.map((event) => [key(event), event]));

/** Throws where the evidence has no first event of the finding or the run: nothing can be said without them. */
export const storyOf = ({ finding, run }: FindingEvidence): Story => {
  const [proposed] = eventsOf(finding, 'FindingProposed');
  const [opened] = eventsOf(run, 'RunOpened');
  if (proposed === undefined || opened === undefined)
    throw new Error('evidence without FindingProposed or RunOpened is no evidence of a finding');
  const ended = keyedBy<TrainingEnd>(
    [
      ...eventsOf(run, 'TrainingCompleted'),
      ...eventsOf(run, 'TrainingFailed'),
      ...eventsOf(run, 'TrainingTimedOut'),
    ],
    ({ data }) => data.trainingId,
  );
  const observed = keyedBy(eventsOf(run, 'MetricObserved'), ({ data }) => data.trainingId);
  const points = keyedBy(eventsOf(run, 'RestorePointTaken'), ({ data }) => data.mutationId);
  const cutOvers = keyedBy(eventsOf(run, 'MutationCutOver'), ({ data }) => data.mutationId);
  const decided = keyedBy<Of<'MutationKept'> | Of<'MutationReverted'>>(
    [...eventsOf(run, 'MutationKept'), ...eventsOf(run, 'MutationReverted')],
    ({ data }) => data.mutationId,
  );
  const measured = keyedBy(
    eventsOf(run, 'MetricObserved').filter(({ data }) => data.purpose === 'candidate'),
    ({ data }) => data.mutationId ?? '',
  );
  const reverts = eventsOf(run, 'RunReverted');
  const undone = new Map(reverts.flatMap((event) => event.data.undone.map((id) => [id, event])));
  const { cohorts } = opened.data;
  return {
    proposed,
    opened,
    released: cohorts === null ? [] : [cohorts.table, cohorts.cells],
    trainings: eventsOf(run, 'TrainingLaunched').map((launched) => {
      const end = ended.get(launched.data.trainingId) ?? null;
      return {
        launched,
        ended: end,
        predictions: end?.type === 'TrainingCompleted' ? end.data.predictions : null,
        failure: end?.type === 'TrainingFailed' ? end.data.failure : null,
        observed: observed.get(launched.data.trainingId) ?? null,
      };
    }),
    attempts: new Map(
      eventsOf(run, 'MutationProposed').map((mutation) => {
        const { mutationId } = mutation.data;
        return [
          mutationId,
          {
            proposed: mutation,
            restorePoint: points.get(mutationId) ?? null,
            cutOver: cutOvers.get(mutationId) ?? null,
            observed: measured.get(mutationId) ?? null,
            decided: decided.get(mutationId) ?? null,
            undone: undone.get(mutationId) ?? null,
          },
        ];
      }),
    ),
    reverts,
    loopEnded: eventsOf(run, 'LoopEnded').at(-1) ?? null,
    verdicts: eventsOf(finding, 'FindingVerified'),
    discarded: eventsOf(finding, 'FindingDiscarded').at(-1) ?? null,
    reviews: eventsOf(finding, 'FindingReviewed'),
    replays: eventsOf(finding, 'FindingReplayed'),
    accepted: eventsOf(finding, 'FindingAccepted').at(-1) ?? null,
  };
};
