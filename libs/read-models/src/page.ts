import { sql, type RawBuilder, type SqlBool } from 'kysely';
import { storableText } from '#libs/database';
import { ROLES, type Actor } from '#libs/kernel';

/** What every query takes. All parts that are given must match. */
export interface Filter {
  /** Only what belongs to studies of these projects; none of them: nothing. */
  readonly project?: readonly string[];
  readonly study?: string;
  readonly run?: string;
  /** From this time on (RFC 3339, UTC, inclusive). */
  readonly from?: string;
  /** Until before this time (RFC 3339, UTC). */
  readonly to?: string;
  /** An actor's id, or a role: everybody in it. */
  readonly actor?: string;
  /** Default: oldest first. */
  readonly order?: 'oldest' | 'newest';
  /** Most rows of a page; default 100. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: number;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Pass it as `cursor` to go on; null: that was all. */
  readonly next: number | null;
}

/**
 * The conditions that all views share. `time` is the table's column for its time, `studyId` where its study is found:
 * the query of a table without the study's id has joined `runs`.
 */
export const conditions = (
  table: string,
  time: string,
  filter: Filter,
  more: Readonly<Record<string, string | undefined>> = {},
  studyId: RawBuilder<unknown> = sql.ref(`${table === 'studies' ? 'studies' : 'runs'}.studyId`),
): RawBuilder<SqlBool>[] => {
  const column = (name: string): RawBuilder<unknown> => sql.ref(`${table}.${name}`);
  const found: RawBuilder<SqlBool>[] = [];
  const { project, study, run, from, to, cursor } = filter;
  if (project !== undefined) found.push(belongsTo(studyId, project));
  if (study !== undefined) found.push(sql`${studyId} = ${storableText(study)}`);
  if (run !== undefined) found.push(sql`${column('runId')} = ${storableText(run)}`);
  if (from !== undefined) found.push(sql`${column(time)} >= ${instant(from)}`);
  if (to !== undefined) found.push(sql`${column(time)} < ${instant(to)}`);
  if (filter.actor !== undefined) found.push(isActor(table, filter.actor));
  if (cursor !== undefined) {
    found.push(
      filter.order === 'newest'
        ? sql`${column('position')} < ${cursor}`
        : sql`${column('position')} > ${cursor}`,
    );
  }
  for (const [name, value] of Object.entries(more)) {
    if (value !== undefined) found.push(sql`${column(name)} = ${storableText(value)}`);
  }
  return found;
};

/** Whether a study is one of these projects'; of no project nothing is. */
export const belongsTo = (
  studyId: RawBuilder<unknown>,
  project: readonly string[],
): RawBuilder<SqlBool> =>
  project.length === 0 ? sql`1 = 0` : sql`${studyId} in (${studiesOf(project)})`;

/** Whether a row of the table is by this actor: an id, or a role. */
const isActor = (table: string, given: string): RawBuilder<SqlBool> => {
  const actor = storableText(given);
  const byId = sql<SqlBool>`${sql.ref(`${table}.actorId`)} = ${actor}`;
  // An alternative that nothing can match would keep the database from using the index.
  return ACTOR_ROLES.has(given)
    ? sql`(${byId} or ${sql.ref(`${table}.actorRole`)} = ${actor})`
    : byId;
};

const studiesOf = (projects: readonly string[]): RawBuilder<unknown> =>
  sql`select ${sql.ref('studyId')} from ${sql.table('studies')} where ${sql.ref('project')} in (${sql.join(projects.map(storableText))})`;

const ACTOR_ROLES: ReadonlySet<string> = new Set<Actor['role']>([...ROLES, 'harness']);

// Times are compared as text, so they must have the one form that the log uses.
export const instant = (time: string): string => new Date(time).toISOString();

export const direction = (filter: Filter): 'asc' | 'desc' =>
  filter.order === 'newest' ? 'desc' : 'asc';

/** One row more than the page holds tells whether there is a next page. */
export const rowsToRead = (filter: Filter): number => limitOf(filter) + 1;

export const pageOf = <Read extends { readonly position: number }, Row>(
  read: readonly Read[],
  filter: Filter,
  plain: (row: Read) => Row,
): Page<Row> => {
  const rows = read.slice(0, limitOf(filter));
  const more = read.length > rows.length;
  return { rows: rows.map(plain), next: more ? (rows.at(-1)?.position ?? null) : null };
};

const limitOf = (filter: Filter): number => filter.limit ?? 100;
