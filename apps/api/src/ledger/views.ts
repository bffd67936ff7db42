import type { Ledger, ViewName as AnyView } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { Page, ReadModels } from '#libs/read-models';

/** Views that answer in pages. */
export type ViewName = Exclude<AnyView, 'trace'>;

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

/**
 * A page of what the caller may see, as of the log's end. The cursor is a place in the log, so that pages neither skip
 * nor repeat a row, whatever is recorded meanwhile.
 */
export const pageFor = async <View extends ViewName>(
  ledger: Ledger,
  { projects }: Pick<Principal, 'projects'>,
  view: View,
  filter: FilterOf<View>,
): Promise<Page<RowOf<View>>> => {
  const views = await freshViews(ledger);
  const ask = views[view] as (filter: FilterOf<View>) => Promise<Page<RowOf<View>>>;
  return ask(projects === 'all' ? filter : { ...filter, project: projects });
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
