import type { RecordedEvent } from '#libs/kernel';
import type { Change, Insert, StoredRow, Table, Update, Value } from './change.ts';
import { project } from './project.ts';
import { CHANGING, KEYS, type ChangingTable, type GrowingTable } from './tables.ts';

/**
 * The changes of a batch, folded in memory, so that a row is read once and written once however often a batch
 * changes it: a statement a change would cost a round trip a change on a server.
 */

/** An event with what it changes. */
export interface Projected {
  readonly event: RecordedEvent;
  readonly changes: readonly Change[];
}

export type PerTable<T> = Readonly<Record<ChangingTable, T>>;

/** Which stored rows of a table a batch may change. */
export interface Needed {
  /** Values of the table's key. */
  readonly keys: ReadonlySet<Value>;
  /** Other columns, of changes that don't name the key. */
  readonly where: readonly StoredRow[];
}

/** What to write of a table. */
export interface Written {
  /** Rows that must not be there yet. */
  readonly fresh: readonly StoredRow[];
  /** Rows that were read and have changed, whole. */
  readonly changed: readonly StoredRow[];
}

export type WrittenTables = Readonly<Record<Table, Written>>;

export const perTable = <T>(make: (table: ChangingTable) => T): PerTable<T> =>
  Object.fromEntries(CHANGING.map((table) => [table, make(table)])) as PerTable<T>;

export const projectAll = (events: readonly RecordedEvent[]): readonly Projected[] =>
  events.map((event) => ({ event, changes: project(event) }));

export const neededBy = (batch: readonly Projected[]): PerTable<Needed> => {
  const needed = perTable(() => ({
    made: new Set<Value>(),
    keys: new Set<Value>(),
    where: [] as StoredRow[],
  }));
  for (const { changes } of batch)
    for (const change of changes) {
      if (change.kind === 'append') continue;
      const { made, keys, where } = needed[change.table];
      const named = KEYS[change.table];
      if (change.kind === 'insert') {
        const key = change.row[named] ?? null;
        if (change.rows === 'missing' && !made.has(key)) keys.add(key);
        made.add(key);
      } else {
        const key = change.where[named];
        if (key === undefined) where.push(change.where);
        else if (!made.has(key)) keys.add(key);
      }
    }
  return needed;
};

interface Held {
  row: StoredRow;
  fresh: boolean;
  changed: boolean;
}

type Rows = Map<Value, Held>;

/**
 * What to write after the batch, given the stored rows that {@link neededBy} names. Throws when a row that must be
 * there is not, or one that must not be is: then the events came in another order than they were written.
 */
export const fold = (
  batch: readonly Projected[],
  stored: PerTable<readonly StoredRow[]>,
): WrittenTables => {
  const tables = perTable((table): Rows => {
    const key = KEYS[table];
    return new Map(
      stored[table].map((row) => [row[key] ?? null, { row, fresh: false, changed: false }]),
    );
  });
  const grown: Readonly<Record<GrowingTable, StoredRow[]>> = { trail: [], trailLinks: [] };
  for (const { event, changes } of batch) {
    try {
      for (const change of changes)
        if (change.kind === 'append') grown[change.table].push(change.row);
        else apply(tables[change.table], change);
    } catch (cause) {
      const where = `${event.type} at position ${event.position} (${event.stream}, revision ${event.revision})`;
      throw new Error(`The views can't take ${where}; run "holdfast rebuild".`, { cause });
    }
  }
  const written = perTable((table) => {
    const held = [...tables[table].values()];
    return {
      fresh: held.filter(({ fresh }) => fresh).map(({ row }) => row),
      changed: held.filter(({ fresh, changed }) => changed && !fresh).map(({ row }) => row),
    };
  });
  return {
    ...written,
    trail: { fresh: grown.trail, changed: [] },
    trailLinks: { fresh: grown.trailLinks, changed: [] },
  };
};

const apply = (rows: Rows, change: Insert | Update): void => {
  const named = KEYS[change.table];
  if (change.kind === 'insert') {
    const key = change.row[named] ?? null;
    if (rows.has(key) && change.rows === 'missing') return;
    if (rows.has(key))
      throw new Error(
        `${change.table}: expected no row with ${named} ${JSON.stringify(key)}, found one`,
      );
    rows.set(key, { row: change.row, fresh: true, changed: true });
    return;
  }
  const matching = matchesOf(rows, change, change.where[named]);
  if (change.rows === 'one' && matching.length !== 1)
    throw new Error(
      `${change.table}: expected one row with ${JSON.stringify(change.where)}, found ${matching.length}`,
    );
  for (const held of matching) {
    held.row = changed(held.row, change);
    held.changed = true;
  }
};

const matchesOf = (rows: Rows, { where }: Update, key: Value | undefined): readonly Held[] => {
  const found = key === undefined ? [...rows.values()] : [rows.get(key)];
  const columns = Object.entries(where);
  return found
    .filter((held) => held !== undefined)
    .filter(({ row }) => columns.every(([column, value]) => row[column] === value));
};

const changed = (row: StoredRow, { set, add }: Update): StoredRow => {
  const next: Record<string, Value> = { ...row, ...set };
  // As in SQL, what is not known stays so.
  for (const [column, by] of Object.entries(add)) {
    const value = row[column];
    next[column] = typeof value === 'number' ? value + by : null;
  }
  return next;
};
