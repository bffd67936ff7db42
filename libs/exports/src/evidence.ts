import type { FindingEvent } from '#libs/findings';
import type { Fact, RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import type { DataEvent, StudyEvent } from '#libs/studies';

/**
 * All that an export may speak of: a finding's streams, every event in its newest version. Of the streams that a study
 * and its data share with others, what is about this finding's run: another project's studies are nobody's business.
 */
export interface FindingEvidence {
  readonly finding: readonly RecordedEvent<FindingEvent>[];
  readonly run: readonly RecordedEvent<RunEvent>[];
  readonly study: readonly RecordedEvent<StudyEvent>[];
  readonly data: readonly RecordedEvent<DataEvent>[];
}

/** An event whose data have the shape that its type says. */
export type EventOf<E extends Fact, Type extends E['type']> = RecordedEvent<
  Extract<E, { readonly type: Type }>
>;

/** The events of one type, in their order. */
export const eventsOf = <E extends Fact, Type extends E['type']>(
  events: readonly RecordedEvent<E>[],
  type: Type,
): readonly EventOf<E, Type>[] =>
  events.filter((event) => event.type === type) as readonly RecordedEvent[] as readonly EventOf<
    E,
    Type
  >[];

/** The events among these, without what the log doesn't hold. */
export const recorded = <E extends RecordedEvent>(
  events: readonly (E | null | undefined)[],
): readonly E[] => events.filter((event) => event !== null && event !== undefined);

/** Where an event stands: `<stream>@<revision>`. */
export const placeOf = ({ stream, revision }: RecordedEvent): string => `${stream}@${revision}`;

/** Names an event so that whoever has the log finds it and knows it again: by the hash of its stored bytes too. */
export const linkTo = (
  event: RecordedEvent,
): { readonly event: string; readonly hash: string } => ({
  event: placeOf(event),
  hash: event.hash,
});
