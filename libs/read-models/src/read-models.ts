import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { isConflict, openDatabase, type DatabaseTarget } from '#libs/database';
import type { EventLog } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { collect, inOrder, MOST_EVENTS } from './batch.ts';
import { besideLive } from './beside.ts';
import { queryCharges, type ChargeFilter, type ChargeRow } from './charges/queries.ts';
import { queryCutoverAudit, type CutoverFilter, type CutoverRow } from './cutover-audit/queries.ts';
import { asViews } from './errors.ts';
import { queryFindings, type FindingFilter, type FindingRow } from './findings/queries.ts';
import { fold, neededBy, projectAll, type WrittenTables } from './fold.ts';
import type { Page } from './page.ts';
import { lockPosition, readPosition, writePosition } from './position.ts';
import { waiting } from './reached.ts';
import {
  queryRestoreSource,
  type RestorePointFilter,
  type RestorePointRow,
} from './restore-source/queries.ts';
import { rowAccess } from './rows.ts';
import { countRuns, queryRuns, type RunFilter, type RunRow } from './runs/queries.ts';
import type { RunStatus } from './runs/table.ts';
import { queryStudies, type StudyFilter, type StudyRow } from './studies/queries.ts';
import { MIGRATIONS, type ViewTables } from './tables.ts';
import { queryAccesses, type AccessFilter, type AccessRow } from './trail/accesses.ts';
import type { AuditPage } from './trail/asked.ts';
import { queryChanges, type ChangeFilter, type ChangeRow } from './trail/changes.ts';
import { queryFindingsAt, type FindingAtRow, type FindingsAtFilter } from './trail/findings-at.ts';
import { queryIncidents, type IncidentFilter, type IncidentRow } from './trail/incidents.ts';
import { queryReviews, type ReviewFilter, type ReviewRow } from './trail/reviews.ts';
import { queryTrace, type Trace, type TraceFilter } from './trail/trace.ts';

/** What the views need of the log. */
export type LogReader = Pick<EventLog, 'readAll'>;

/**
 * Tables made of the log, for people to look into. They can be thrown away: the log is the truth. Everything throws
 * ViewsUnavailable while the database can't be used, and works again once it can.
 */
export interface ReadModels {
  /**
   * Projects what the log holds beyond the views' position; returns how many events that were. The position moves
   * in the same transaction as the rows, so several processes can catch up at once and nothing is projected twice.
   * Throws when events are out of order.
   */
  readonly catchUp: (log: LogReader) => Promise<number>;
  /**
   * Projects `events`, the log's next after position `after` (null: its first), in one transaction. False, and
   * nothing is changed, when the views stand elsewhere: somebody else has projected meanwhile. Throws as `catchUp`.
   */
  readonly take: (events: readonly RecordedEvent[], after: number | null) => Promise<boolean>;
  /**
   * Makes all views anew from the log's start, beside the live ones, and puts them in their place at once: until
   * then reads see the views as they were, and a rebuild that is cut short changes nothing. On PostgreSQL others go
   * on projecting meanwhile; on SQLite they wait. The position never goes back. Returns the number of events.
   */
  readonly rebuild: (log: LogReader) => Promise<number>;
  /** The last event's position in the log that the views show; null before the first. */
  readonly position: () => Promise<number | null>;
  /** Waits until the views show `position`, so that one reads what one wrote; false when `timeoutMs` passed first. */
  readonly reached: (position: number, timeoutMs: number) => Promise<boolean>;
  readonly studies: (filter?: StudyFilter) => Promise<Page<StudyRow>>;
  readonly runs: (filter?: RunFilter) => Promise<Page<RunRow>>;
  /** How many runs there are of each status; one without runs is left out. */
  readonly runsByStatus: () => Promise<Readonly<Partial<Record<RunStatus, number>>>>;
  readonly cutoverAudit: (filter?: CutoverFilter) => Promise<Page<CutoverRow>>;
  readonly restoreSource: (filter?: RestorePointFilter) => Promise<Page<RestorePointRow>>;
  readonly charges: (filter?: ChargeFilter) => Promise<Page<ChargeRow>>;
  readonly findings: (filter?: FindingFilter) => Promise<Page<FindingRow>>;
  /** Everything that changed, and who approved it. */
  readonly changes: (filter?: ChangeFilter) => Promise<AuditPage<ChangeRow>>;
  /** Every access to data and what was released, reads of the ledger by auditors too. */
  readonly accesses: (filter?: AccessFilter) => Promise<AuditPage<AccessRow>>;
  /** Every halt, divergence and revert with its evidence. */
  readonly incidents: (filter?: IncidentFilter) => Promise<AuditPage<IncidentRow>>;
  /** Every finding as it stood at a time. */
  readonly findingsAt: (filter?: FindingsAtFilter) => Promise<AuditPage<FindingAtRow>>;
  /** Who reviewed what, and what the verdict was by then. */
  readonly reviews: (filter?: ReviewFilter) => Promise<AuditPage<ReviewRow>>;
  /** What an event rests on, or what it led to. */
  readonly trace: (filter: TraceFilter) => Promise<Trace>;
  readonly close: () => Promise<void>;
}

/** On PostgreSQL the schema that holds the views. */
const SCHEMA = 'holdfast_views';

/**
 * Opens the views in a SQLite file (made if it is missing) or on a PostgreSQL server (in the schema `holdfast_views`),
 * and brings their tables to today's form. Throws ViewsUnavailable when that can't be reached.
 *
 * @example
 * const views = await openReadModels({ kind: 'sqlite', path: '.holdfast/views.sqlite' });
 * await views.catchUp(log);
 * const { rows } = await views.cutoverAudit({ run: runId, decision: 'kept' });
 */
export const openReadModels = async (target: DatabaseTarget): Promise<ReadModels> => {
  const options = { schema: SCHEMA, migrations: MIGRATIONS, durable: false };
  const database = await asViews(() => openDatabase<ViewTables>(target, options));
  const { reader } = database;
  const access = rowAccess(database.kind);

  const folded = async (
    on: Kysely<ViewTables>,
    events: readonly RecordedEvent[],
  ): Promise<WrittenTables> => {
    const batch = projectAll(events);
    return fold(batch, await access.read(on, neededBy(batch)));
  };

  const store = async (
    on: Kysely<ViewTables>,
    written: WrittenTables,
    events: readonly RecordedEvent[],
  ): Promise<void> => {
    const [first, last] = [events[0]?.position, events.at(-1)?.position];
    await access.write(on, written).catch((cause: unknown) => {
      if (!isConflict(cause)) throw cause;
      const where = `the events of positions ${first} to ${last}`;
      throw new Error(`The views can't take ${where}; run "holdfast rebuild".`, { cause });
    });
    if (last !== undefined) await writePosition(on, last);
  };

  const take = (events: readonly RecordedEvent[], after: number | null): Promise<boolean> =>
    database.write(async (transaction) => {
      // SQLite gave the only write lock when the transaction began.
      if (database.kind === 'postgres') await lockPosition(transaction);
      if ((await readPosition(transaction)) !== after) return false;
      await store(transaction, await folded(transaction, events), events);
      return true;
    });

  const next = (log: LogReader, after: number | null): Promise<readonly RecordedEvent[]> =>
    collect(log.readAll({ limit: MOST_EVENTS, ...(after !== null && { after }) }), after);

  const catchUp = async (log: LogReader): Promise<number> => {
    let total = 0;
    for (;;) {
      const from = await readPosition(reader);
      const events = await next(log, from);
      if (events.length === 0) return total;
      // Else another process was faster: start again from where it left the views.
      if (await take(events, from)) total += events.length;
    }
  };

  const rebuild = async (log: LogReader): Promise<number> => {
    const beside = besideLive(database);
    const total = await database.write(async (transaction) => {
      let count = 0;
      let after: number | null = null;
      const toTheEnd = async (): Promise<void> => {
        let events = await next(log, after);
        while (events.length > 0) {
          count += events.length;
          after = events.at(-1)?.position ?? after;
          const changes = await folded(transaction, events);
          // A server writes these while the log is read on. Both end before either fails: nothing may be written
          // once the transaction is over.
          const [written, read] = await Promise.allSettled([
            store(transaction, changes, events),
            next(log, after),
          ]);
          if (written.status === 'rejected') throw written.reason;
          if (read.status === 'rejected') throw read.reason;
          events = read.value;
          // SQLite answers at once, so others in this process would get no turn.
          await nextTurn();
        }
      };
      await beside.lay(transaction);
      await toTheEnd();
      await beside.holdOff(transaction);
      // What others have projected meanwhile is in the log, so the position does not go back.
      await toTheEnd();
      await beside.swap(transaction);
      return count;
    });
    await beside.clear();
    return total;
  };

  const position = (): Promise<number | null> => asViews(() => readPosition(reader));

  return {
    catchUp: (log) => asViews(() => catchUp(log)),
    take: (events, after) => asViews(() => take(inOrder(events, after), after)),
    rebuild: (log) => asViews(() => rebuild(log)),
    position,
    reached: waiting(position),
    studies: (filter) => asViews(() => queryStudies(reader, filter)),
    runs: (filter) => asViews(() => queryRuns(reader, filter)),
    runsByStatus: () => asViews(() => countRuns(reader)),
    cutoverAudit: (filter) => asViews(() => queryCutoverAudit(reader, filter)),
    restoreSource: (filter) => asViews(() => queryRestoreSource(reader, filter)),
    charges: (filter) => asViews(() => queryCharges(reader, filter)),
    findings: (filter) => asViews(() => queryFindings(reader, filter)),
    changes: (filter) => asViews(() => queryChanges(reader, filter)),
    accesses: (filter) => asViews(() => queryAccesses(reader, filter)),
    incidents: (filter) => asViews(() => queryIncidents(reader, filter)),
    findingsAt: (filter) => asViews(() => queryFindingsAt(reader, filter)),
    reviews: (filter) => asViews(() => queryReviews(reader, filter)),
    trace: (filter) => asViews(() => queryTrace(reader, filter)),
    close: database.close,
  };
};
