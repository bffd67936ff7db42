import type { RecordedEvent } from '#libs/kernel';
import type { StudyEvent } from '#libs/studies';
import { insert, update, type Change, type Recorded } from '../change.ts';
import { UNPLACED, type StudiesTable } from './table.ts';

const STREAM = 'study-';

/** Every event of a study moves its row's last revision, so that a missing or repeated one shows at once. */
export const projectStudies = (recorded: RecordedEvent): readonly Change[] => {
  if (!recorded.stream.startsWith(STREAM)) return [];
  const event = recorded as Recorded<StudyEvent>;
  const { position, revision, metadata } = event;
  if (event.type === 'StudyRegistered')
    return [
      insert('studies', {
        position,
        studyId: event.data.studyId,
        title: event.data.title,
        registeredAt: metadata.time,
        actorRole: metadata.actor.role,
        actorId: metadata.actor.id,
        ...UNPLACED,
        runs: 0,
        looks: 0,
        spent: 0,
        lastRevision: revision,
      }),
    ];
  const { set, add } = effect(event);
  const where = { studyId: event.stream.slice(STREAM.length), lastRevision: revision - 1 };
  return [update('studies', where, { ...set, lastRevision: revision }, { add })];
};

interface Effect {
  readonly set?: Partial<StudiesTable>;
  readonly add?: { readonly runs: number };
}

const effect = (event: Recorded<StudyEvent>): Effect => {
  switch (event.type) {
    case 'StudyPlaced':
      return { set: event.data };
    case 'RunCounted':
      return { add: { runs: 1 } };
    case 'SealedRowsOpened':
      return { set: { looks: event.data.look } };
    case 'SpendCounted':
      return { set: { spent: event.data.totalSpent } };
    default:
      return {};
  }
};
