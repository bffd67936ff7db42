import { describe, expect, it } from 'vitest';
import { decodeStored, sha256 } from '#libs/event-log';
import { deriveId, type Fact, type RecordedEvent } from '#libs/kernel';
import { schemaVersionOf } from '#libs/payloads';
import { goldenFiles, storedEvents } from '../../payloads/src/testing/golden.ts';
import { UNTOLD } from './compare.ts';
import { GIVEN } from './given.ts';
import { judgeAppend } from './judge.ts';
import { kindOf } from './kinds.ts';
import type { Reading } from './reading.ts';
import {
  appendsOf,
  enveloped,
  otherAppends,
  types,
  written,
  writtenData,
  type Append,
} from './testing/enveloped.ts';

/** Runs that really ran; the envelopes of the others were made by a recorder. */
const DRIVEN = /-pay\.jsonl$/;

const RECORDED: readonly Append[] = goldenFiles().flatMap((file) =>
  [
    ...Map.groupBy(
      storedEvents(file)
        .map((event) => decodeStored(event, types))
        .filter(({ stream }) => stream !== 'notary'),
      ({ stream }) => stream,
    ),
  ].flatMap(([stream, events]) =>
    DRIVEN.test(file) ? appendsOf(stream, events) : enveloped(stream, events),
  ),
);

const APPENDS = [
  ...RECORDED,
  ...otherAppends(RECORDED.filter(({ before }) => before.stream === 'run-pay-1')),
];

/** All but the notary's own, which are no leaves of its tree. */
const JUDGED = Object.keys(GIVEN);

type Path = readonly string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Every value of the data that holds no others. */
const leavesOf = (value: unknown, path: Path = []): readonly Path[] =>
  isObject(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key]))
    : [path];

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inside, key) => (isObject(inside) ? inside[key] : undefined), value);

const withValue = (value: unknown, [key, ...rest]: Path, leaf: unknown): unknown => {
  if (key === undefined) return leaf;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  copy[key] = withValue(copy[key], rest, leaf);
  return copy;
};

/** Another value of the same kind. */
const other = (leaf: unknown, key: string): unknown => {
  if (key === 'ciphertext')
    return `${String(leaf).startsWith('A') ? 'B' : 'A'}${String(leaf).slice(1)}`;
  if (typeof leaf === 'number') return leaf + 1;
  if (typeof leaf === 'boolean') return !leaf;
  if (typeof leaf === 'string') return `${leaf}x`;
  if (Array.isArray(leaf)) return ['x'];
  return isObject(leaf) ? { x: 1 } : 'x';
};

/** `files.0.path` is `files[].path`: what holds for one of a list holds for all. */
const nameOf = (path: Path): string =>
  path.reduce(
    (name, key) => (/^\d+$/.test(key) ? `${name}[]` : name === '' ? key : `${name}.${key}`),
    '',
  );

/** Whether this member, or one that holds it, is said to be taken as given. */
const isGiven = (type: string, name: string): boolean =>
  Object.keys(GIVEN[type as keyof typeof GIVEN]).some(
    (given) => name === given || name.startsWith(`${given}.`) || name.startsWith(`${given}[`),
  );

interface Tampered {
  readonly type: string;
  readonly name: string;
  readonly append: Append;
  readonly at: number;
  readonly path: Path;
  readonly value: unknown;
  readonly events: readonly RecordedEvent[];
}

/** The append with other data in one of its events, hashed and linked as its writer would. */
const withData = (
  { before, events }: Append,
  at: number,
  data: unknown,
): readonly RecordedEvent[] =>
  written(
    before.head?.hash ?? null,
    events.map((event, nth) => ({ ...event, data: nth === at ? data : writtenData(event) })),
  );

/** The same member of the same type is changed so often, in other appends. */
const OFTEN = 6;

function* tamperings(): Generator<Tampered> {
  const seen = new Map<string, number>();
  for (const append of APPENDS)
    for (const [at, event] of append.events.entries()) {
      const data = writtenData(event);
      for (const path of leavesOf(data)) {
        const name = nameOf(path);
        const key = `${event.type} ${String(event.metadata.schemaVersion)} ${name}`;
        const times = seen.get(key) ?? 0;
        if (times === OFTEN) continue;
        seen.set(key, times + 1);
        const value = other(valueAt(data, path), path.at(-1) ?? '');
        const changed = withValue(data, path, value);
        let events: readonly RecordedEvent[];
        try {
          events = withData(append, at, changed);
        } catch {
          // Not even the log can read it in its newest version.
          continue;
        }
        yield { type: event.type, name, append, at, path, value, events };
      }
    }
}

/** What the rules make of an append whose command is read from tampered events: as a writer who decides all anew. */
const decidedAnew = ({ append, events }: Tampered): readonly Fact[] | null => {
  const { before } = append;
  const known = kindOf(before.stream);
  let readings: readonly Reading[] = [];
  try {
    readings =
      known?.kind.readings(before.folded, events, { id: known.id, head: before.head }) ?? [];
  } catch {
    // Nor is a command read from it.
  }
  for (const { decide } of readings) {
    try {
      const decision = decide(UNTOLD);
      if (decision.ok) return decision.value;
    } catch {
      // What no decider can read is nothing that it would make.
    }
  }
  return null;
};

describe('a member of an event that somebody with access changes', () => {
  const all = [...tamperings()];
  const taken = all.filter(
    ({ append, events }) => judgeAppend(append.before, events).problem === null,
  );

  it('is tried in every type of event', () => {
    const tried = new Set(all.map(({ type }) => type));
    expect(JUDGED.filter((type) => !tried.has(type))).toEqual([]);
    console.log(`${String(all.length)} changes, ${String(all.length - taken.length)} refused`);
  });

  it('is refused, unless it is said to be taken as given', () => {
    const unsaid = taken.filter(({ type, name }) => !isGiven(type, name));
    expect([...new Set(unsaid.map(({ type, name }) => `${type} ${name}`))]).toEqual([]);
  });

  /** Members that stay as they were changed when all else is decided anew: what the rules take from outside. */
  const kept = (tampered: Tampered): boolean => {
    const { type, append, at, path, value } = tampered;
    const isOld = append.events.some(
      (event) => event.metadata.schemaVersion !== schemaVersionOf(event.type),
    );
    if (isOld) return false;
    const facts = decidedAnew(tampered);
    const fact = facts?.[at];
    if (facts === null || fact?.type !== type) return false;
    if (JSON.stringify(valueAt(fact.data, path)) !== JSON.stringify(value)) return false;
    const [first] = append.events;
    if (first === undefined) return false;
    const anew = facts.map((each, nth) => ({
      ...(append.events[nth] ?? first),
      ...each,
      ...links(append, nth),
    }));
    return judgeAppend(append.before, anew, 'data').problem === null;
  };

  it('is refused though everything beside it is decided anew, unless it is said to be taken as given', () => {
    const found = new Set(all.filter(kept).map(({ type, name }) => `${type} ${name}`));
    const unsaid = [...found].filter((each) => {
      const [type = '', name = ''] = each.split(' ');
      return !isGiven(type, name);
    });
    expect(unsaid).toEqual([]);
    const open = [...found, ...taken.map(({ type, name }) => `${type} ${name}`)];
    const never = Object.entries(GIVEN)
      .flatMap(([type, members]) => Object.keys(members).map((name) => `${type} ${name}`))
      .filter(
        (each) =>
          !open.some(
            (one) => one === each || one.startsWith(`${each}.`) || one.startsWith(`${each}[`),
          ),
      );
    expect(never).toEqual([]);
  });
});

/** Links that hold, so that the data alone can be wrong. */
const links = ({ before }: Append, nth: number) => {
  const first = (before.head?.revision ?? -1) + 1;
  const hashOf = (at: number): string => sha256(new TextEncoder().encode(deriveId('hash', at)));
  return {
    revision: first + nth,
    hash: hashOf(nth),
    prev: nth === 0 ? (before.head?.hash ?? null) : hashOf(nth - 1),
  };
};
