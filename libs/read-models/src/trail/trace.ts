import type { Kysely } from 'kysely';
import { storableText } from '#libs/database';
import { belongsTo } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import { asOf, plain, STUDY, trailRows, type AsOf, type TrailRow } from './asked.ts';
import type { TrailLinksTable } from './table.ts';

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

/** From one event to another, by their places in the log. */
interface Step {
  readonly from: number;
  readonly to: number;
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

  const visible = (positions: readonly number[]) =>
    eventsOf(db, positions, stands.position, project);
  const start = (await visible(await positionsNamed(db, filter.event)))[0];
  if (start === undefined) return none;

  const nodes = new Map<number, TraceNode>([[start.position, nodeOf(start, 0)]]);
  const edges = new Map<string, TraceEdge>();
  let frontier: readonly TrailRow[] = [start];
  let cut: Trace['cut'] = null;
  for (let at = 1; frontier.length > 0; at += 1) {
    const steps = await (direction === 'backward' ? causesOf : effectsOf)(db, frontier, causation);
    const fresh = new Set(steps.map(({ to }) => to).filter((position) => !nodes.has(position)));
    const found = await visible([...fresh]);
    if (found.length > 0 && at > depth) {
      cut ??= 'depth';
      frontier = [];
    } else {
      const room = found.slice(0, most - nodes.size);
      if (room.length < found.length) cut = 'nodes';
      for (const row of room) nodes.set(row.position, nodeOf(row, at));
      frontier = room;
    }
    for (const { from, to, link } of steps) {
      const [one, other] = [nodes.get(from)?.eventId, nodes.get(to)?.eventId];
      if (one === undefined || other === undefined) continue;
      const [cause, effect] = direction === 'backward' ? [other, one] : [one, other];
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
  positions: readonly number[],
  upTo: number,
  project: readonly string[] | undefined,
): Promise<readonly TrailRow[]> => {
  const found = await inParts(positions, (some) =>
    trailRows(db)
      .where('trail.position', 'in', some)
      .where('trail.position', '<=', upTo)
      .where((eb) => eb.and(project === undefined ? [] : [belongsTo(STUDY, project)]))
      .execute(),
  );
  return found.map(plain).toSorted((one, other) => one.position - other.position);
};

/** An event by its id or place, or the first that made the thing of this id. */
const positionsNamed = async (
  db: Kysely<ViewTables>,
  given: string,
): Promise<readonly number[]> => {
  const text = storableText(given);
  const events = await db
    .selectFrom('trail')
    .select('position')
    .where((eb) => eb.or([eb('eventId', '=', text), eb('place', '=', text)]))
    .execute();
  if (events.length > 0) return events.map(({ position }) => position);
  const makers = await db
    .selectFrom('trailLinks')
    .select('position')
    .where('role', '=', 'makes')
    .where(
      'name',
      'in',
      BY_ID.map((kind) => `${kind}:${text}`),
    )
    .orderBy('position')
    .limit(1)
    .execute();
  return makers.map(({ position }) => position);
};

/** A name, and an event that makes or uses it. */
interface Link {
  readonly name: string;
  readonly position: number;
}

const linksOf = (events: readonly TrailRow[], role: keyof TrailRow['links']): readonly Link[] =>
  events.flatMap(({ position, links }) => links[role].map((name) => ({ name, position })));

const eventsThat = async (
  db: Kysely<ViewTables>,
  role: TrailLinksTable['role'],
  names: readonly string[],
): Promise<readonly Link[]> =>
  inParts(unique(names), (some) =>
    db
      .selectFrom('trailLinks')
      .select(['name', 'position'])
      .where('name', 'in', some)
      .where('role', '=', role)
      .orderBy('position')
      .execute(),
  );

const byName = (links: readonly Link[]): ReadonlyMap<string, readonly Link[]> =>
  Map.groupBy(links, ({ name }) => name);

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
  const uses = linksOf(frontier, 'uses');
  const makers = byName(
    await eventsThat(
      db,
      'makes',
      uses.map(({ name }) => name),
    ),
  );
  const places = uses.filter(({ name }) => kindOf(name) === 'event');
  const placed = byName(
    await eventsBy(
      db,
      'place',
      places.map(({ name }) => placeIn(name)),
    ),
  );
  const followers = frontier.filter(({ linked }) => causation || linked === 0);
  const causes = byName(
    await eventsBy(
      db,
      'eventId',
      followers.map(({ causationId }) => causationId),
    ),
  );
  const stepsTo = (from: number, to: readonly Link[] = [], link: string): readonly Step[] =>
    to.map(({ position }) => ({ from, to: position, link }));
  return [
    ...uses.flatMap((use) =>
      stepsTo(use.position, makersFor(use, makers.get(use.name) ?? []), kindOf(use.name)),
    ),
    ...places.flatMap(({ position, name }) =>
      stepsTo(position, placed.get(placeIn(name)), 'event'),
    ),
    ...followers.flatMap(({ position, causationId }) =>
      stepsTo(position, causes.get(causationId), 'causation'),
    ),
  ];
};

const effectsOf = async (
  db: Kysely<ViewTables>,
  frontier: readonly TrailRow[],
  causation: boolean,
): Promise<readonly Step[]> => {
  const made = linksOf(frontier, 'makes');
  const names = made.map(({ name }) => name);
  const users = byName(await eventsThat(db, 'uses', names));
  // Others may have made the same name later, or earlier.
  const makers = byName(await eventsThat(db, 'makes', names));
  const atPlace = new Map(frontier.map(({ place, position }) => [`event:${place}`, position]));
  const placed = await eventsThat(db, 'uses', [...atPlace.keys()]);
  const byId = new Map(frontier.map(({ eventId, position }) => [eventId, position]));
  const caused = await inParts([...byId.keys()], (some) =>
    db
      .selectFrom('trail')
      .select(['position', 'causationId'])
      .where('causationId', 'in', some)
      .where((eb) => eb.and(causation ? [] : [eb('linked', '=', 0)]))
      .execute(),
  );
  const stepFrom = (from: number | undefined, to: number, link: string): readonly Step[] =>
    from === undefined ? [] : [{ from, to, link }];
  return [
    ...made.flatMap((make) =>
      (users.get(make.name) ?? [])
        .filter((use) =>
          makersFor(use, makers.get(make.name) ?? []).some(
            ({ position }) => position === make.position,
          ),
        )
        .map((use) => ({ from: make.position, to: use.position, link: kindOf(make.name) })),
    ),
    ...placed.flatMap(({ name, position }) => stepFrom(atPlace.get(name), position, 'event')),
    ...caused.flatMap(({ causationId, position }) =>
      stepFrom(byId.get(causationId), position, 'causation'),
    ),
  ];
};

const placeIn = (name: string): string => name.slice('event:'.length);

/** The events of these places or ids, named by them. */
const eventsBy = async (
  db: Kysely<ViewTables>,
  column: 'place' | 'eventId',
  values: readonly string[],
): Promise<readonly Link[]> =>
  inParts(unique(values), (some) =>
    db
      .selectFrom('trail')
      .select([`${column} as name`, 'position'])
      .where(column, 'in', some)
      .execute(),
  );

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)];

/** Small enough for both databases' limits on parameters. */
const PART = 1_000;

const inParts = async <T, Row>(
  all: readonly T[],
  read: (some: readonly T[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> => {
  const found: Row[] = [];
  for (let at = 0; at < all.length; at += PART)
    found.push(...(await read(all.slice(at, at + PART))));
  return found;
};
