import type { Ledger } from '#apps/runner';
import { seesProject, type Principal } from '#libs/access';
import type { Page, ReadModels } from '#libs/read-models';

export type ViewName =
  'studies' | 'runs' | 'cutoverAudit' | 'restoreSource' | 'charges' | 'findings';

export type FilterOf<View extends ViewName> = NonNullable<Parameters<ReadModels[View]>[0]>;
export type RowOf<View extends ViewName> = Awaited<ReturnType<ReadModels[View]>>['rows'][number];

/** Catch-ups under way: many who ask at once cause one. */
const underway = new WeakMap<ReadModels, Promise<number>>();

/** Brings the views to the log's end, so that whoever has just written sees what he wrote. */
export const freshViews = async ({
  views,
  log,
}: Pick<Ledger, 'views' | 'log'>): Promise<ReadModels> => {
  // One that began before this call may have read the log's end before the caller wrote to it.
  await underway.get(views)?.catch(() => undefined);
  const current =
    underway.get(views) ??
    views.catchUp(log).finally(() => {
      underway.delete(views);
    });
  underway.set(views, current);
  await current;
  return views;
};

/** The study that a row belongs to. */
const studyOfRow = (row: { readonly studyId: string }): string => row.studyId;

/**
 * A page of what the caller may see. Whose a study is, its stream says: the views may be behind it. The cursor is a
 * place in the log, so that pages neither skip nor repeat a row, whatever is recorded meanwhile.
 */
export const pageFor = async <View extends ViewName>(
  ledger: Ledger,
  principal: Principal,
  view: View,
  filter: FilterOf<View>,
): Promise<Page<RowOf<View>>> => {
  const views = await freshViews(ledger);
  const ask = views[view] as (filter: FilterOf<View>) => Promise<Page<RowOf<View>>>;
  const { projects } = principal;
  if (projects === 'all') return ask(filter);
  const visible = visibility(ledger, principal);
  const limit = filter.limit ?? BATCH;
  const rows: RowOf<View>[] = [];
  let { cursor } = filter;
  for (;;) {
    // What belongs to others is not even looked at: with much of it, every page would walk through all.
    const page = await ask({ ...filter, project: projects, limit: BATCH, cursor });
    for (const row of page.rows) {
      if (!(await visible(studyOfRow(row)))) continue;
      if (rows.length === limit) return { rows, next: rows.at(-1)?.position ?? null };
      rows.push(row);
    }
    if (page.next === null) return { rows, next: null };
    cursor = page.next;
  }
};

/** Whether the caller sees a study; each is looked up once. */
const visibility = (
  { studies }: Ledger,
  principal: Principal,
): ((studyId: string) => Promise<boolean>) => {
  const known = new Map<string, Promise<boolean>>();
  return (studyId) => {
    const answer =
      known.get(studyId) ??
      studies.load(studyId).then(({ state }) => seesProject(principal, state.project));
    known.set(studyId, answer);
    return answer;
  };
};

/** Rows that are read in one go. */
const BATCH = 500;

/** Every row that the caller may see, page by page. */
export async function* rowsFor<View extends ViewName>(
  ledger: Ledger,
  principal: Principal,
  view: View,
  filter: FilterOf<View>,
): AsyncGenerator<RowOf<View>> {
  let cursor: number | undefined;
  do {
    const page: Page<RowOf<View>> = await pageFor(ledger, principal, view, {
      ...filter,
      limit: BATCH,
      ...(cursor !== undefined && { cursor }),
    });
    yield* page.rows;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}
