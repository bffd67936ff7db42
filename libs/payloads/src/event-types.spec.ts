import { describe, expect, it } from 'vitest';
import { eventTypes, MAX_EVENT_BYTES, parseBody } from '#libs/event-log';
import type { NewEvent } from '#libs/kernel';
import { goldenFiles, storedEvents } from './testing/golden.ts';
import { EVENT_TYPES } from './event-types.ts';

const types = eventTypes(EVENT_TYPES);

type Json = string | number | boolean | null | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [key: string]: Json;
}
type Place = readonly (string | number)[];

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !isList(value);

/** The golden logs hold honest events of every type. */
const examples = new Map<string, JsonObject[]>();
for (const { canonical } of goldenFiles().flatMap(storedEvents)) {
  const { type, data, metadata } = parseBody(canonical);
  const newest = types.upcast(type, metadata.schemaVersion, data) as JsonObject;
  examples.set(type, [...(examples.get(type) ?? []), newest]);
}

const problems = (type: string, data: Json): readonly { readonly path: string }[] => {
  const schemaVersion = EVENT_TYPES.find((entry) => entry.type === type)?.version ?? 0;
  return types.problems({ type, data, metadata: { schemaVersion } } as unknown as NewEvent, type);
};

/** Everything in a value, each with its place. */
const places = (value: Json, at: Place = []): readonly (readonly [Place, Json])[] => {
  const within = isList(value)
    ? value.flatMap((entry, index) => places(entry, [...at, index]))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, member]) => places(member, [...at, key]))
      : [];
  return [[at, value], ...within];
};

/** A copy whose part at `place` is what `change` makes of it. */
const changed = (value: Json, [key, ...rest]: Place, change: (part: Json) => Json): Json => {
  if (key === undefined) return change(value);
  if (isList(value))
    return value.map((entry, index) => (index === key ? changed(entry, rest, change) : entry));
  if (!isObject(value)) throw new Error(`no ${key} in ${JSON.stringify(value)}`);
  return { ...value, [key]: changed(value[key] ?? null, rest, change) };
};

const without = (value: Json, key: string): Json => {
  if (!isObject(value)) throw new Error(`no object holds ${key}`);
  const { [key]: _, ...others } = value;
  return others;
};

/** Object ids, digests, key ids, keys and signatures: a cut one is none. */
const DIGEST = /^([0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64}|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)$/;

/** Values of another type or form than this one. */
const wrongs = (value: Json): readonly Json[] => {
  if (isList(value)) return [{}, 'text', [null], [[]]];
  if (isObject(value)) return [[value], 'text'];
  if (value === null) return [{}, [], true];
  if (typeof value === 'string') {
    const cut = DIGEST.test(value) ? [value.slice(1), value.toUpperCase() + ' '] : [];
    return [{}, [value], 7, 'x'.repeat(MAX_EVENT_BYTES / 2), ...cut];
  }
  if (typeof value === 'number') return [{}, [value], String(value)];
  return [[value], String(value), 1];
};

/** What is free by design: the members of an isolation report and of what a reader asked for, and a knob's values, which are any scalars. */
const FREE_RECORDS = ['isolation', 'asked'];
const isFree = (place: Place): boolean => {
  const at = place.findIndex((key) => FREE_RECORDS.includes(String(key)));
  return (
    (at >= 0 && place.length > at + 1) || (place.includes('knobs') && place.at(-2) === 'values')
  );
};

/** The members that may be null, by event type; no other member of any event may. */
const NULLABLE: Readonly<Record<string, readonly string[]>> = {
  RunRequested: ['agent'],
  RunOpened: [
    'cohorts',
    'cohorts.audit',
    'cohorts.audit.complementary',
    'cohorts.people',
    'cohorts.suppressed',
    'forkedFrom',
    'policy.data.disclosure',
    'policy.data.pii',
    'policy.data.rowId',
    'policy.gates.postLoop.demographicParity',
    'policy.gates.postLoop.disparateImpact',
    'policy.gates.postLoop.equalOpportunity',
    'policy.gates.postLoop.equalizedOdds',
    'policy.keep.effect',
  ],
  GatePassed: ['mutationId'],
  RunHalted: ['breaches.*.file', 'breaches.*.line', 'mutationId', 'note'],
  LoopEnded: ['note'],
  CheckpointSigned: ['follows', 'heads'],
  NotaryAlarmRaised: ['append'],
  NotaryAlarmSettled: ['accepts', 'alarm', 'note'],
  TrainingLaunched: ['mutationId'],
  TrainingCompleted: ['selfReported'],
  TrainingFailed: ['errorClass', 'errorFile', 'errorLine', 'note'],
  MetricObserved: [
    'ladderScore',
    'mutationId',
    'observation.auc',
    'observation.check',
    'observation.difference',
    'observation.gapChange',
    'overSeeds',
  ],
  MutationProposed: [
    'files.*.after',
    'files.*.before',
    'files.*.domain',
    'files.*.language',
    'measuredDomain',
  ],
  FindingProposed: ['claim.look'],
  FindingReplayed: ['predictions.found'],
  SplitFixed: ['rowId'],
  MutationReverted: [
    'ruling',
    'ruling.level',
    'ruling.rowError',
    'ruling.seedError',
    'ruling.seeds',
    'ruling.trials',
  ],
  MutationKept: [
    'ruling.level',
    'ruling.rowError',
    'ruling.seedError',
    'ruling.seeds',
    'ruling.trials',
  ],
  DivergenceDetected: ['mutationId'],
  RunReverted: ['mutationId'],
  FairnessMeasured: [
    'report.measures.*.bound',
    'report.measures.*.interval',
    'report.measures.*.reason',
    'report.measures.*.standardError',
    'report.measures.*.value',
  ],
};

type Spoilt = readonly [what: string, data: Json];

/** Every way to spoil an event of this shape in one place. */
const spoilt = (data: JsonObject): readonly Spoilt[] =>
  places(data).flatMap(([place, value]): readonly Spoilt[] => {
    if (isFree(place)) return [];
    const where = place.join('.');
    const key = place.at(-1);
    const replaced = wrongs(value).map((wrong): Spoilt => [
      `${where} = ${typeof wrong === 'string' ? wrong.slice(0, 40) : JSON.stringify(wrong).slice(0, 40)}`,
      changed(data, place, () => wrong),
    ]);
    const removed: readonly Spoilt[] =
      typeof key === 'string'
        ? [[`no ${where}`, changed(data, place.slice(0, -1), (part) => without(part, key))]]
        : [];
    const extended: readonly Spoilt[] =
      isObject(value) && !FREE_RECORDS.includes(String(key))
        ? [[`${where} with one more`, changed(data, place, () => ({ ...value, extra: 1 }))]]
        : [];
    return [...removed, ...replaced, ...extended];
  });

describe.each(EVENT_TYPES.map(({ type }) => type))('the payload of %s', (type) => {
  const honest = examples.get(type) ?? [];

  it('takes honest events', () => {
    expect(honest.length).toBeGreaterThan(0);
    for (const data of honest) expect(problems(type, data)).toEqual([]);
  });

  it('refuses them with any member gone, of another type, or added', () => {
    // Members of a list are alike, and so is what several honest events have in common: once is enough, and quicker.
    const ways = new Map(
      honest.flatMap(spoilt).map((one) => [one[0].replaceAll(/\.\d+(?=[. ])/g, '.*'), one]),
    );
    const taken = [...ways.values()]
      .filter(([, data]) => problems(type, data).length === 0)
      .map(([what]) => what);
    expect(taken).toEqual([]);
  });

  it('takes null only where null means something', () => {
    const nulls = honest.flatMap((data) =>
      places(data)
        .filter(([place]) => place.length > 0 && !isFree(place))
        .filter(
          ([place]) =>
            problems(
              type,
              changed(data, place, () => null),
            ).length === 0,
        )
        .map(([place]) => place.map((key) => (typeof key === 'number' ? '*' : key)).join('.')),
    );
    expect([...new Set(nulls)].sort()).toEqual(NULLABLE[type] ?? []);
  });
});
