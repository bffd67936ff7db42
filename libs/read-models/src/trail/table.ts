import { sql, type Kysely } from 'kysely';
import { integerOf, textOf } from '#libs/database';

/** What an event changed, for those who ask what changed and who approved it. */
export const CHANGES = [
  'study-registered',
  'study-placed',
  'run-opened',
  'run-refused',
  'run-halted',
  'loop-ended',
  'cut-over',
  'kept',
  'reverted',
  'run-reverted',
  'training-given-up',
  'finding-discarded',
  'finding-reviewed',
  'line-moved',
  'line-reverted',
  'worker-admitted',
  'worker-dismissed',
  'text-erased',
  'person-erased',
  'notary-opened',
  'notary-key-rotated',
  'alarm-settled',
] as const;
export type ChangeKind = (typeof CHANGES)[number];

/** In which way data, or what the ledger says of them, were read or given out. */
export const ACCESSES = [
  'table-fixed',
  'cohorts-released',
  'cohorts-served',
  'request-refused',
  'table-given',
  'rows-scored',
  'fairness-measured',
  'sealed-opened',
  'look-counted',
  'claim-released',
  'replayed',
  'ledger-read',
] as const;
export type AccessKind = (typeof ACCESSES)[number];

/** What went wrong or was taken back. */
export const INCIDENTS = [
  'halt',
  'budget-exhausted',
  'divergence',
  'run-reverted',
  'reverted',
  'run-refused',
  'finding-discarded',
  'line-reverted',
  'not-reproducible',
  'alarm',
] as const;
export type IncidentKind = (typeof INCIDENTS)[number];

/** One row an event of a known type: where it stands, what caused it, and the lists that it belongs to. */
export interface TrailTable {
  readonly position: number;
  readonly eventId: string;
  readonly stream: string;
  readonly revision: number;
  /** `stream@revision`: what no two events share, whatever a log may hold. */
  readonly place: string;
  readonly type: string;
  readonly at: string;
  readonly actorRole: string;
  readonly actorId: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly hash: string;
  /** As the event says it; of a run's events the run says it. */
  readonly studyId: string | null;
  readonly runId: string | null;
  readonly findingId: string | null;
  /** In a sentence. */
  readonly what: string;
  readonly change: ChangeKind | null;
  readonly access: AccessKind | null;
  readonly incident: IncidentKind | null;
  /** JSON: what the lists show besides. */
  readonly detail: string | null;
  /** JSON of {@link Links}: the names that it makes and uses. */
  readonly links: string;
  /** 1: it names what it rests on; 0: it follows its cause and no more is known. */
  readonly linked: number;
}

export interface Links {
  readonly makes: readonly string[];
  readonly uses: readonly string[];
}

/** One row a name that an event makes or uses: `mutation:…`, `kept:…`. Who uses a name rests on who made it. */
export interface TrailLinksTable {
  readonly name: string;
  readonly role: 'makes' | 'uses';
  readonly position: number;
}

/** An index holds only the rows that have something in its first column. */
const INDEXES = [
  ['trailById', 'trail', ['eventId']],
  ['trailByPlace', 'trail', ['place']],
  ['trailByCause', 'trail', ['causationId']],
  ['trailByRun', 'trail', ['runId', 'position']],
  ['trailByFinding', 'trail', ['findingId', 'position']],
  ['trailByChange', 'trail', ['change', 'position']],
  ['trailByAccess', 'trail', ['access', 'position']],
  ['trailByIncident', 'trail', ['incident', 'position']],
  ['trailLinksByName', 'trailLinks', ['name', 'role', 'position']],
] as const;

/** A row an event, and some three names: to write them is most of what it costs to follow the log. */
export const createTrail = async (db: Kysely<unknown>): Promise<void> => {
  const text = textOf(db);
  await db.schema
    .createTable('trail')
    .addColumn('position', integerOf(db), (column) => column.primaryKey())
    .addColumn('eventId', text, (column) => column.notNull())
    .addColumn('stream', text, (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('place', text, (column) => column.notNull())
    .addColumn('type', text, (column) => column.notNull())
    .addColumn('at', text, (column) => column.notNull())
    .addColumn('actorRole', text, (column) => column.notNull())
    .addColumn('actorId', text, (column) => column.notNull())
    .addColumn('correlationId', text, (column) => column.notNull())
    .addColumn('causationId', text, (column) => column.notNull())
    .addColumn('hash', text, (column) => column.notNull())
    .addColumn('studyId', text)
    .addColumn('runId', text)
    .addColumn('findingId', text)
    .addColumn('what', text, (column) => column.notNull())
    .addColumn('change', text)
    .addColumn('access', text)
    .addColumn('incident', text)
    .addColumn('detail', text)
    .addColumn('links', text, (column) => column.notNull())
    .addColumn('linked', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('trailLinks')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('role', text, (column) => column.notNull())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .execute();
  await indexTrail(db);
};

export const indexTrail = async ({ schema }: Pick<Kysely<unknown>, 'schema'>): Promise<void> => {
  for (const [name, table, columns] of INDEXES)
    await schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .where(sql.ref(columns[0]), 'is not', null)
      .execute();
};

/** For a rebuild: to make an index of all rows at once takes less than to add to it row by row. */
export const unindexTrail = async ({ schema }: Pick<Kysely<unknown>, 'schema'>): Promise<void> => {
  for (const [name] of INDEXES) await schema.dropIndex(name).execute();
};
