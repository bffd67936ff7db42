import { sql, type Kysely, type RawBuilder, type SqlBool } from 'kysely';
import type { PrivateText } from '#libs/kernel';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import { readPosition } from '../position.ts';
import type { ViewTables } from '../tables.ts';
import type { Detail } from './project.ts';
import type { Links, TrailTable } from './table.ts';

/** How far an answer is good: what is recorded beyond this place in the log it does not know. */
export interface AsOf {
  readonly position: number;
  /** When that event was recorded, as it says itself (RFC 3339, UTC). */
  readonly at: string | null;
}

export interface AuditFilter extends Filter {
  /** Only what stood in the log up to this place: the later pages of an answer are as of the first one. */
  readonly upTo?: number;
}

export interface AuditPage<Row> extends Page<Row> {
  /** Null: the log was empty. */
  readonly asOf: AsOf | null;
}

/** What every list says of an event: by whom, when, where in the log. */
export interface AuditRow {
  readonly position: number;
  readonly eventId: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly at: string;
  readonly actorRole: string;
  readonly actorId: string;
  /** Null of what belongs to no study: the fleet, the notary, reads of the ledger at large. */
  readonly studyId: string | null;
  readonly runId: string | null;
  readonly what: string;
  /** What a human wrote in it, as the log holds it; null: nothing. */
  readonly note: PrivateText | null;
}

export interface TrailRow extends Omit<TrailTable, 'detail' | 'links'> {
  readonly detail: Detail;
  readonly links: Links;
}

/** Where the views stand, or `upTo` where that is less. */
export const asOf = async (db: Kysely<ViewTables>, upTo?: number): Promise<AsOf | null> => {
  const stands = await readPosition(db);
  if (stands === null) return null;
  const position = Math.min(stands, upTo ?? stands);
  const last = await db
    .selectFrom('trail')
    .select('at')
    .where('position', '<=', position)
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { position, at: last?.at ?? null };
};

/** The trail's rows with their studies. */
export const trailRows = (db: Kysely<ViewTables>) =>
  db
    .selectFrom('trail')
    .leftJoin('runs', 'runs.runId', 'trail.runId')
    .selectAll('trail')
    .select(STUDY.as('ofStudy'));

/** An event of a run does not say the study: its run does. */
export const STUDY: RawBuilder<string | null> = sql<
  string | null
>`coalesce(${sql.ref('trail.studyId')}, ${sql.ref('runs.studyId')})`;

export const plain = ({
  ofStudy,
  detail,
  links,
  ...row
}: TrailTable & { readonly ofStudy: string | null }): TrailRow => ({
  ...row,
  studyId: ofStudy,
  detail: detail === null ? {} : (JSON.parse(detail) as Detail),
  links: JSON.parse(links) as Links,
});

export const auditRow = (row: TrailRow): AuditRow => ({
  position: row.position,
  eventId: row.eventId,
  stream: row.stream,
  revision: row.revision,
  type: row.type,
  at: row.at,
  actorRole: row.actorRole,
  actorId: row.actorId,
  studyId: row.studyId,
  runId: row.runId,
  what: row.what,
  note: row.detail.note ?? null,
});

/** A page of the events that one of the lists holds; `made` makes the list's rows of them, all at once. */
export const pageOfTrail = async <Row>(
  db: Kysely<ViewTables>,
  filter: AuditFilter,
  belongs: RawBuilder<SqlBool>,
  made: (rows: readonly TrailRow[], asOf: AsOf) => Promise<readonly Row[]> | readonly Row[],
): Promise<AuditPage<Row>> => {
  const stands = await asOf(db, filter.upTo);
  if (stands === null) return { rows: [], next: null, asOf: null };
  const read = await trailRows(db)
    .where('trail.position', '<=', stands.position)
    .where((eb) => eb.and([belongs, ...conditions('trail', 'at', filter, {}, STUDY)]))
    .orderBy('trail.position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  const { rows, next } = pageOf(read, filter, plain);
  return { rows: await made(rows, stands), next, asOf: stands };
};

/** In a list of `kind` column, or of this one kind. */
export const listed = (
  list: 'change' | 'access' | 'incident',
  kind: string | undefined,
): RawBuilder<SqlBool> =>
  kind === undefined
    ? sql`${sql.ref(`trail.${list}`)} is not null`
    : sql`${sql.ref(`trail.${list}`)} = ${kind}`;

export const ofType = (type: string): RawBuilder<SqlBool> =>
  sql`${sql.ref('trail.type')} = ${type}`;

/** What mutations change, in their own words, by mutation. */
export const summariesOf = async (
  db: Kysely<ViewTables>,
  mutations: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  if (mutations.length === 0) return new Map();
  const rows = await db
    .selectFrom('cutoverAudit')
    .select(['mutationId', 'summary'])
    .where('mutationId', 'in', [...new Set(mutations)])
    .execute();
  return new Map(rows.map(({ mutationId, summary }) => [mutationId, summary]));
};
