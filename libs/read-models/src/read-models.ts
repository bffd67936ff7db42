import { setTimeout as sleep } from 'node:timers/promises';
import { CamelCasePlugin, Kysely } from 'kysely';
import type { EventLog } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { changeWriter } from './change.ts';
import { queryCharges, type ChargeFilter, type ChargeRow } from './charges/queries.ts';
import { queryCutoverAudit, type CutoverFilter, type CutoverRow } from './cutover-audit/queries.ts';
import { queryFindings, type FindingFilter, type FindingRow } from './findings/queries.ts';
import type { Page } from './page.ts';
import { project } from './project.ts';
import {
  queryRestoreSource,
  type RestorePointFilter,
  type RestorePointRow,
} from './restore-source/queries.ts';
import { queryRuns, type RunFilter, type RunRow } from './runs/queries.ts';
import { isBusy, nodeSqliteDialect } from './sqlite.ts';
import { migrate, POSITION_ROW, PROJECTED, type ViewTables } from './tables.ts';

/** Events read and written at a time when catching up. */
const BATCH = 1_000;
/** How long to wait for another process that writes to the views, a rebuild at worst. */
const PATIENCE_MS = 120_000;

/** What the views need of the log. */
export type LogReader = Pick<EventLog, 'readAll'>;

/** Tables made of the log, for people to look into. They can be thrown away: the log is the truth. */
export interface ReadModels {
  /**
   * Projects what the log holds beyond the views' position; returns how many events that were. The position moves
   * in the same transaction as the rows, so several processes can catch up at once and nothing is projected twice.
   * Throws when events are out of order.
   */
  readonly catchUp: (log: LogReader) => Promise<number>;
  /**
   * Makes all views anew from the log's start, in one transaction: until it is through, reads see the views as
   * they were, and one that is cut short changes nothing. Returns the number of events.
   */
  readonly rebuild: (log: LogReader) => Promise<number>;
  /** The last event's position in the log that the views show; null before the first. */
  readonly position: () => Promise<number | null>;
  readonly runs: (filter?: RunFilter) => Promise<Page<RunRow>>;
  readonly cutoverAudit: (filter?: CutoverFilter) => Promise<Page<CutoverRow>>;
  readonly restoreSource: (filter?: RestorePointFilter) => Promise<Page<RestorePointRow>>;
  readonly charges: (filter?: ChargeFilter) => Promise<Page<ChargeRow>>;
  readonly findings: (filter?: FindingFilter) => Promise<Page<FindingRow>>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the views in the SQLite file `path` (made if it is missing).
 *
 * @example
 * const views = await openReadModels('.holdfast/views.sqlite');
 * await views.catchUp(log);
 * const { rows } = await views.cutoverAudit({ run: runId, decision: 'kept' });
 */
export const openReadModels = async (path: string): Promise<ReadModels> => {
  const writer = open(path, false);
  // One transaction: two processes that open a new file at once migrate it one after the other.
  await whenFree(() => writer.transaction().execute(migrate));
  // Reads have a connection of their own: a rebuild does not hold them up, and they never see half of it.
  const reader = open(path, true);
  const write = changeWriter(writer);

  const apply = async (on: Kysely<ViewTables>, events: readonly RecordedEvent[]): Promise<void> => {
    for (const event of events) {
      try {
        for (const change of project(event)) await write(on, change);
      } catch (cause) {
        const where = `${event.type} at position ${event.position} (${event.stream}, revision ${event.revision})`;
        throw new Error(`The views can't take ${where}; run "holdfast rebuild".`, { cause });
      }
    }
    const last = events.at(-1);
    if (last !== undefined) await setPosition(on, last.position);
  };

  const catchUp = async (log: LogReader): Promise<number> => {
    let total = 0;
    for (;;) {
      const from = await readPosition(writer);
      const events = await collect(log, from);
      if (events.length === 0) return total;
      const projected = await whenFree(() =>
        writer.transaction().execute(async (transaction) => {
          // Another process was faster: start again from where it left the views.
          if ((await readPosition(transaction)) !== from) return 0;
          await apply(transaction, events);
          return events.length;
        }),
      );
      total += projected;
    }
  };

  const rebuild = (log: LogReader): Promise<number> =>
    whenFree(() =>
      writer.transaction().execute(async (transaction) => {
        for (const table of PROJECTED) await transaction.deleteFrom(table).execute();
        await setPosition(transaction, null);
        let total = 0;
        let after: number | null = null;
        for (;;) {
          const events = await collect(log, after);
          if (events.length === 0) return total;
          await apply(transaction, events);
          total += events.length;
          after = events.at(-1)?.position ?? after;
        }
      }),
    );

  return {
    catchUp,
    rebuild,
    position: () => readPosition(reader),
    runs: (filter) => queryRuns(reader, filter),
    cutoverAudit: (filter) => queryCutoverAudit(reader, filter),
    restoreSource: (filter) => queryRestoreSource(reader, filter),
    charges: (filter) => queryCharges(reader, filter),
    findings: (filter) => queryFindings(reader, filter),
    close: async () => {
      await reader.destroy();
      await writer.destroy();
    },
  };
};

const open = (path: string, readOnly: boolean): Kysely<ViewTables> =>
  new Kysely<ViewTables>({
    dialect: nodeSqliteDialect(path, { readOnly }),
    plugins: [new CamelCasePlugin()],
  });

const collect = async (log: LogReader, after: number | null): Promise<readonly RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  let last = after ?? Number.NEGATIVE_INFINITY;
  for await (const event of log.readAll(
    after === null ? { limit: BATCH } : { after, limit: BATCH },
  )) {
    if (event.position <= last) {
      throw new Error(`The log gave position ${event.position} after ${last}: out of order.`);
    }
    last = event.position;
    events.push(event);
  }
  return events;
};

const readPosition = async (db: Kysely<ViewTables>): Promise<number | null> => {
  const row = await db
    .selectFrom('viewPosition')
    .select('position')
    .where('id', '=', POSITION_ROW)
    .executeTakeFirstOrThrow();
  return row.position;
};

const setPosition = async (db: Kysely<ViewTables>, position: number | null): Promise<void> => {
  await db.updateTable('viewPosition').set({ position }).where('id', '=', POSITION_ROW).execute();
};

/** Tries again while another process holds the write lock, without blocking this one in between. */
const whenFree = async <T>(work: () => Promise<T>): Promise<T> => {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || Date.now() > until) throw error;
      await sleep(25);
    }
  }
};
