import type { Ledger } from '#apps/runner';
import type { RunStatus } from '#libs/read-models';

const EVERY: Readonly<Record<RunStatus, true>> = {
  requested: true,
  refused: true,
  open: true,
  ended: true,
  halted: true,
  closed: true,
};

/** What a run can be: the compiler asks for all of them. */
export const RUN_STATUSES = Object.keys(EVERY) as readonly RunStatus[];

/** Where log and views stand. */
export interface Standings {
  readonly logPosition: () => Promise<number>;
  readonly viewsPosition: () => Promise<number>;
  /** Events that the views have not seen; counted up to a bound. */
  readonly viewsLag: () => Promise<{ readonly lag: number; readonly more: boolean }>;
  readonly runsByStatus: () => Promise<Readonly<Record<string, number>>>;
}

/** Events that are counted at most: beyond that it is enough to know that the views are far behind. */
const MOST = 10_000;

export const sourcesOf = ({ log, views }: Pick<Ledger, 'log' | 'views'>): Standings => {
  const viewsPosition = async (): Promise<number> => (await views.position()) ?? 0;
  const behind = async (): Promise<{ lag: number; last: number }> => {
    let last = await viewsPosition();
    let lag = 0;
    for await (const { position } of log.readStored({
      ...(last > 0 && { after: last }),
      limit: MOST,
    })) {
      last = position;
      lag += 1;
    }
    return { lag, last };
  };
  return {
    viewsPosition,
    logPosition: async () => (await behind()).last,
    viewsLag: async () => {
      const { lag } = await behind();
      return { lag, more: lag === MOST };
    },
    runsByStatus: async () => {
      const counts = await views.runsByStatus();
      return Object.fromEntries(RUN_STATUSES.map((status) => [status, counts[status] ?? 0]));
    },
  };
};
