import { sql, type Kysely } from 'kysely';
import { storableText } from '#libs/database';
import { belongsTo } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import { asOf, plain, STUDY, trailRows, type AsOf, type TrailRow } from './asked.ts';

/** backward: what it rests on. forward: what it led to. */
export const DIRECTIONS = ['backward', 'forward'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export const TRACE_LIMITS = { depth: 50, nodes: 2_000 } as const;
export const TRACE_DEFAULTS = { depth: 6, nodes: 100 } as const;

export interface TraceFilter {
  /** An event's id, its `stream@revision`, or the id of a study, run, mutation, restore point, training or finding. */
  readonly event: string;
  /** Default: backward. */
  readonly direction?: Direction;
  /** Most steps away from it; default 6, at most 50. */
  readonly depth?: number;
  /** Most events; default 100, at most 2,000. */
  readonly nodes?: number;
  /** Whether to follow each event to the one that its command was made after, too; default: where it names nothing. */
  readonly causation?: boolean;
  /** Only what belongs to studies of these projects. */
  readonly project?: readonly string[];
}

export interface TraceNode {
  readonly eventId: string;
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly at: string;
  readonly actorRole: string;
  readonly actorId: string;
  readonly studyId: string | null;
  readonly runId: string | null;
  readonly correlationId: string;
  readonly hash: string;
  readonly what: string;
  /** Steps away from the event that was asked for. */
  readonly depth: number;
}

export interface TraceEdge {
  /** Event that was there first. */
  readonly cause: string;
  /** Event that rests on it. */
  readonly effect: string;
  /** What ties them: the kind of thing that the one made and the other uses; `causation`: the command came after it. */
  readonly link: string;
}

export interface Trace {
  readonly asOf: AsOf | null;
  /** The event that was asked for; null: there is none, or not to be seen. */
  readonly start: string | null;
  readonly direction: Direction;
  /** The start first, then the nearer before the farther, each in log order. */
  readonly nodes: readonly TraceNode[];
  readonly edges: readonly TraceEdge[];
  /** Why there may be more than is shown; null: there is no more. */
  readonly cut: 'depth' | 'nodes' | null;
}

/** Names that several events make in turn: who uses one rests on the last that made it before him. */
const IN_TURN: ReadonlySet<string> = new Set([
  'state',
  'verdict',
  'verification',
  'review',
  'accepted',
  'table',
  'admitted',
  'notary',
]);

/** Kinds of things whose id one may ask for. */
const BY_ID = [
  'study',
  'run',
  'hypothesis',
  'mutation',
  'restore-point',
  'training',
  'finding',
] as const;

const kindOf = (name: string): string => name.slice(0, name.indexOf(':'));

interface Step {
  readonly from: string;
  readonly to: string;
  readonly link: string;
}

/** The graph of what an event rests on, or of what it led to. */
export const queryTrace = async (db: Kysely<ViewTables>, filter: TraceFilter): Promise<Trace> => {
  const { direction = 'backward', causation = false, project } = filter;
  const depth = Math.min(filter.depth ?? TRACE_DEFAULTS.depth, TRACE_LIMITS.depth);
  const most = Math.min(filter.nodes ?? TRACE_DEFAULTS.nodes, TRACE_LIMITS.nodes);
  const stands = await asOf(db);
  const none: Trace = { asOf: stands, start: null, direction, nodes: [], edges: [], cut: null };
  if (stands === null) return none;

  const visible = (ids: readonly string[]) => eventsOf(db, ids, stands.position, project);
  const start = (await visible(await idsNamed(db, filter.event)))[0];
  if (start === undefined) return none;

  const nodes = new Map<string, TraceNode>([[start.eventId, nodeOf(start, 0)]]);
  const edges = new Map<string, TraceEdge>();
  let frontier: readonly TrailRow[] = [start];
  let cut: Trace['cut'] = null;
  for (let at = 1; frontier.length > 0; at += 1) {
    const steps = await (direction === 'backward' ? causesOf : effectsOf)(db, frontier, causation);
    const fresh = new Set(steps.map(({ to }) => to).filter((id) => !nodes.has(id)));
    const found = await visible([...fresh]);
    if (found.length > 0 && at > depth) {
      cut ??= 'depth';
      frontier = [];
    } else {
      const room = found.slice(0, most - nodes.size);
      if (room.length < found.length) cut = 'nodes';
      for (const row of room) nodes.set(row.eventId, nodeOf(row, at));
      frontier = room;
    }
    for (const { from, to, link } of steps) {
      if (!nodes.has(to)) continue;
      const [cause, effect] = direction === 'backward' ? [to, from] : [from, to];
      edges.set(`${cause} ${effect} ${link}`, { cause, effect, link });
    }
  }
  return {
    asOf: stands,
    start: start.eventId,
    direction,
    nodes: [...nodes.values()],
    edges: onlyTold([...edges.values()]),
    cut,
  };
};

/** That one event came after another is told where nothing else ties them. */
const onlyTold = (edges: readonly TraceEdge[]): readonly TraceEdge[] => {
  const tied = new Set(
    edges
      .filter(({ link }) => link !== 'causation')
      .map(({ cause, effect }) => `${cause} ${effect}`),
  );
  return edges.filter(
    ({ cause, effect, link }) => link !== 'causation' || !tied.has(`${cause} ${effect}`),
  );
};

const nodeOf = (row: TrailRow, depth: number): TraceNode => ({
  eventId: row.eventId,
  position: row.position,
  stream: row.stream,
  revision: row.revision,
  type: row.type,
  at: row.at,
  actorRole: row.actorRole,
  actorId: row.actorId,
  studyId: row.studyId,
  runId: row.runId,
  correlationId: row.correlationId,
  hash: row.hash,
  what: row.what,
  depth,
});

const eventsOf = async (
  db: Kysely<ViewTables>,
  ids: readonly string[],
  upTo: number,
  project: readonly string[] | undefined,
): Promise<readonly TrailRow[]> => {
  const found: TrailRow[] = [];
  for (const some of parts(ids)) {
    const rows = await trailRows(db)
      .where('trail.eventId', 'in', some)
      .where('trail.position', '<=', upTo)
      .where((eb) => eb.and(project === undefined ? [] : [belongsTo(STUDY, project)]))
      .execute();
    found.push(...rows.map(plain));
  }
  return found.toSorted((one, other) => one.position - other.position);
};

/** An event by its id or place, or the first that made the thing of this id. */
const idsNamed = async (db: Kysely<ViewTables>, given: string): Promise<readonly string[]> => {
  const text = storableText(given);
  const events = await db
    .selectFrom('trail')
    .select('eventId')
    .where((eb) => eb.or([eb('eventId', '=', text), eb('place', '=', text)]))
    .execute();
  if (events.length > 0) return events.map(({ eventId }) => eventId);
  const makers = await db
    .selectFrom('trailLinks')
    .select('eventId')
    .where('role', '=', 'makes')
    .where(
      'name',
      'in',
      BY_ID.map((kind) => `${kind}:${text}`),
    )
    .orderBy('position')
    .limit(1)
    .execute();
  return makers.map(({ eventId }) => eventId);
};

interface Link {
  readonly name: string;
  readonly eventId: string;
  readonly position: number;
}

const linksOf = async (
  db: Kysely<ViewTables>,
  column: 'eventId' | 'name',
  values: readonly string[],
  role: 'makes' | 'uses',
): Promise<readonly Link[]> => {
  const found: Link[] = [];
  for (const some of parts(values))
    found.push(
      ...(await db
        .selectFrom('trailLinks')
        .select(['name', 'eventId', 'position'])
        .where(column, 'in', some)
        .where('role', '=', role)
        .orderBy('position')
        .execute()),
    );
  return found;
};

const byName = (links: readonly Link[]): ReadonlyMap<string, readonly Link[]> => {
  const found = new Map<string, Link[]>();
  for (const link of links) found.set(link.name, [...(found.get(link.name) ?? []), link]);
  return found;
};

/** Whose making a use rests on, of all who made the name. */
const makersFor = (use: Link, makers: readonly Link[]): readonly Link[] => {
  const before = makers.filter(({ position }) => position < use.position);
  return IN_TURN.has(kindOf(use.name)) ? before.slice(-1) : before;
};

const causesOf = async (
  db: Kysely<ViewTables>,
  frontier: readonly TrailRow[],
  causation: boolean,
): Promise<readonly Step[]> => {
  const uses = await linksOf(
    db,
    'eventId',
    frontier.map(({ eventId }) => eventId),
    'uses',
  );
  const places = uses.filter(({ name }) => kindOf(name) === 'event');
  const makers = byName(await linksOf(db, 'name', unique(uses.map(({ name }) => name)), 'makes'));
  const placed = await idsAt(
    db,
    places.map(({ name }) => name.slice('event:'.length)),
  );
  return [
    ...uses.flatMap((use) =>
      makersFor(use, makers.get(use.name) ?? []).map((maker) => ({
        from: use.eventId,
        to: maker.eventId,
        link: kindOf(use.name),
      })),
    ),
    ...places.flatMap(({ eventId, name }) => {
      const to = placed.get(name.slice('event:'.length));
      return to === undefined ? [] : [{ from: eventId, to, link: 'event' }];
    }),
    ...frontier
      .filter(({ linked }) => causation || linked === 0)
      .map(({ eventId, causationId }) => ({ from: eventId, to: causationId, link: 'causation' })),
  ];
};

const effectsOf = async (
  db: Kysely<ViewTables>,
  frontier: readonly TrailRow[],
  causation: boolean,
): Promise<readonly Step[]> => {
  const ids = frontier.map(({ eventId }) => eventId);
  const made = await linksOf(db, 'eventId', ids, 'makes');
  const names = unique(made.map(({ name }) => name));
  const users = byName(await linksOf(db, 'name', names, 'uses'));
  // Others may have made the same name later, or earlier.
  const makers = byName(await linksOf(db, 'name', names, 'makes'));
  const placed = await linksOf(
    db,
    'name',
    frontier.map(({ place }) => `event:${place}`),
    'uses',
  );
  const atPlace = new Map(frontier.map(({ place, eventId }) => [`event:${place}`, eventId]));
  const caused: { readonly eventId: string; readonly causationId: string }[] = [];
  for (const some of parts(ids))
    caused.push(
      ...(await db
        .selectFrom('trail')
        .select(['eventId', 'causationId'])
        .where('causationId', 'in', some)
        .where((eb) => eb.and(causation ? [] : [sql<boolean>`${sql.ref('linked')} = 0`]))
        .execute()),
    );
  return [
    ...made.flatMap((make) =>
      (users.get(make.name) ?? [])
        .filter((use) =>
          makersFor(use, makers.get(make.name) ?? []).some(
            ({ eventId }) => eventId === make.eventId,
          ),
        )
        .map((use) => ({ from: make.eventId, to: use.eventId, link: kindOf(make.name) })),
    ),
    ...placed.flatMap(({ name, eventId }) => {
      const from = atPlace.get(name);
      return from === undefined ? [] : [{ from, to: eventId, link: 'event' }];
    }),
    ...caused.map(({ eventId, causationId }) => ({
      from: causationId,
      to: eventId,
      link: 'causation',
    })),
  ];
};

const idsAt = async (
  db: Kysely<ViewTables>,
  places: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for (const some of parts(unique(places))) {
    const rows = await db
      .selectFrom('trail')
      .select(['place', 'eventId'])
      .where('place', 'in', some)
      .execute();
    for (const { place, eventId } of rows) found.set(place, eventId);
  }
  return found;
};

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)];

/** Small enough for both databases' limits on parameters. */
const PART = 1_000;

const parts = (all: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(all.length / PART) }, (_, nth) =>
    all.slice(nth * PART, (nth + 1) * PART),
  );
