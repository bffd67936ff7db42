import type { Ledger } from '#apps/runner';
import { seesProject, type Principal } from '#libs/access';
import type { Page } from '#libs/read-models';
import type { StudyState } from '#libs/studies';

export interface ListedStudy {
  readonly studyId: string;
  readonly state: StudyState;
}

/** Every study that was registered, oldest first, as far as the log was read. */
interface Register {
  position: number;
  readonly studies: { readonly studyId: string; readonly position: number }[];
  reading: Promise<void> | null;
}

const registers = new WeakMap<Ledger['log'], Register>();

/** Reads on from where the last caller stopped; one at a time. */
const registerOf = async ({ log }: Ledger): Promise<Register['studies']> => {
  const register = registers.get(log) ?? { position: 0, studies: [], reading: null };
  registers.set(log, register);
  await register.reading;
  register.reading ??= (async () => {
    for await (const { position, stream, type } of log.readStored({ after: register.position })) {
      if (type === 'StudyRegistered' && stream.startsWith('study-'))
        register.studies.push({ studyId: stream.slice('study-'.length), position });
      register.position = position;
    }
  })().finally(() => {
    register.reading = null;
  });
  await register.reading;
  return register.studies;
};

/** A page of the studies that the caller sees; the cursor is a place in the log. */
export const studiesFor = async (
  ledger: Ledger,
  principal: Principal,
  {
    order,
    limit,
    cursor,
  }: {
    readonly order: 'oldest' | 'newest';
    readonly limit: number;
    readonly cursor: number | null;
  },
): Promise<Page<ListedStudy>> => {
  const all = await registerOf(ledger);
  const ordered = order === 'oldest' ? all : all.toReversed();
  const rows: ListedStudy[] = [];
  let last: number | null = null;
  for (const { studyId, position } of ordered) {
    if (cursor !== null && (order === 'oldest' ? position <= cursor : position >= cursor)) continue;
    const { state } = await ledger.studies.load(studyId);
    if (!seesProject(principal, state.project)) continue;
    if (rows.length === limit) return { rows, next: last };
    rows.push({ studyId, state });
    last = position;
  }
  return { rows, next: null };
};
