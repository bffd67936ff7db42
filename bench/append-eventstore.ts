import { randomUUID } from 'node:crypto';
import { binaryEvent, EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import {
  chain,
  eventTypes,
  openKurrentEventLog,
  unchained,
  type ChainedEvent,
  type EventLog,
  type EventTypes,
} from '#libs/event-log';
import { deriveId, type NewEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { iterationEvents, nthOf, perSecond } from './append.ts';
import { median } from './median.ts';
import type { Row } from './rows.ts';

const WAYS = [
  { name: 'one by one', streams: 1, batch: 1, share: 0.1 },
  { name: '32 in flight', streams: 32, batch: 1, share: 1 },
  { name: 'batches of 100', streams: 1, batch: 100, share: 2 },
] as const;

export interface AppendEventStoreBench {
  readonly serverVersion: string;
  /** Mean size of an event's canonical form. */
  readonly eventBytes: number;
  /** Events a second; the ratio is ours ÷ bare, the median over rounds that take turns. */
  readonly ways: readonly {
    readonly name: string;
    readonly ours: number;
    readonly bare: number;
    readonly ratio: number;
    /** The same without the payload's class: what is left is what the log itself adds. */
    readonly unchecked: number;
    readonly uncheckedRatio: number;
  }[];
}

const mustOpen = async (connectionString: string, prefix: string, types: EventTypes) => {
  const opened = await openKurrentEventLog({ connectionString, prefix }, types);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

type Write = (stream: string, first: number, events: readonly NewEvent[]) => Promise<void>;

const writeOurs =
  (log: EventLog): Write =>
  async (stream, first, events) => {
    const appended = await log.append(stream, first === 0 ? 'no-stream' : first - 1, events);
    if (!appended.ok) throw new Error(appended.error.message);
  };

const writeBare =
  (client: EventStoreDBClient, ready: ReadonlyMap<string, ChainedEvent>): Write =>
  async (stream, first, events) => {
    await client.appendToStream(
      stream,
      events.map((event) => {
        const { canonical, hash } = ready.get(event.id)!;
        return binaryEvent({
          id: event.id,
          type: event.type,
          data: canonical,
          metadata: { hash, id: event.id },
        });
      }),
      { expectedRevision: first === 0 ? NO_STREAM : BigInt(first - 1) },
    );
  };

/**
 * Appends through the adapter beside the bare client in one run, on the server of `connectionString`. The bare client
 * is given ready bytes; ours validates, canonicalises, hashes and chains. The events are those of a real run's
 * iterations, the same bytes for both.
 */
export const benchAppendEventStore = async (
  connectionString: string,
  rounds = 7,
  perRound = 2000,
): Promise<AppendEventStoreBench> => {
  const run = randomUUID().slice(0, 8);
  const checked = await mustOpen(connectionString, `bench-${run}-c-`, eventTypes(EVENT_TYPES));
  const unchecked = await mustOpen(
    connectionString,
    `bench-${run}-u-`,
    eventTypes(EVENT_TYPES.map((type) => ({ ...type, payload: null }))),
  );
  const client = EventStoreDBClient.connectionString(connectionString);
  const facts = iterationEvents();
  const speeds = WAYS.map(() => ({
    bare: [] as number[],
    checked: [] as number[],
    unchecked: [] as number[],
  }));
  let bytes = 0;
  let counted = 0;
  try {
    // Round 0 warms up.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [way, { name, streams, batch, share }] of WAYS.entries()) {
        const count = Math.round(perRound * share);
        const events = Array.from({ length: count }, (_, ordinal) => ({
          ...nthOf(facts, ordinal),
          id: deriveId('bench', run, round, name, ordinal),
        }));
        const ready = new Map(
          events.map((event, ordinal) => [
            event.id,
            chain(null, [unchained('bench', ordinal, event)])[0]!,
          ]),
        );
        for (const { canonical } of ready.values()) bytes += canonical.byteLength;
        counted += count;
        const writers = {
          bare: writeBare(client, ready),
          checked: writeOurs(checked.log),
          unchecked: writeOurs(unchecked.log),
        };
        const kinds = ['bare', 'checked', 'unchecked'] as const;
        for (let turn = 0; turn < kinds.length; turn += 1) {
          const kind = kinds[(turn + round) % kinds.length]!;
          const write = writers[kind];
          let next = 0;
          const writer = async (lane: number): Promise<void> => {
            const stream = `${name.replaceAll(' ', '-')}-${run}-${round}-${lane}-${kind === 'bare' ? 'bare' : 'ours'}`;
            let revision = 0;
            while (next < count) {
              const from = next;
              next += batch;
              const some = events.slice(from, from + batch);
              await write(stream, revision, some);
              revision += some.length;
            }
          };
          speeds[way]![kind].push(
            await perSecond(count, async () => {
              await Promise.all(Array.from({ length: streams }, (_, lane) => writer(lane)));
            }),
          );
        }
      }
    }
  } finally {
    await checked.log.close();
    await unchecked.log.close();
    await client.dispose();
  }
  const warm = (values: readonly number[]) => median(values.slice(1));
  const ratio = (ours: readonly number[], theirs: readonly number[]) =>
    warm(ours.map((value, round) => value / theirs[round]!));
  return {
    serverVersion: checked.serverVersion,
    eventBytes: Math.round(bytes / counted),
    ways: WAYS.map(({ name }, way) => ({
      name,
      ours: warm(speeds[way]!.checked),
      bare: warm(speeds[way]!.bare),
      ratio: ratio(speeds[way]!.checked, speeds[way]!.bare),
      unchecked: warm(speeds[way]!.unchecked),
      uncheckedRatio: ratio(speeds[way]!.unchecked, speeds[way]!.bare),
    })),
  };
};

const OF_BARE = 0.9;

export const appendEventStoreRows = (bench: AppendEventStoreBench): readonly Row[] =>
  bench.ways.flatMap(({ name, ours, bare, ratio, unchecked, uncheckedRatio }) => [
    {
      measure: name,
      value: ours,
      unit: '/s' as const,
      beside: `the bare client, ${Math.round(bare).toLocaleString('en-US')}/s`,
      ratio,
      aim: { text: `at least ${OF_BARE}`, met: ratio >= OF_BARE },
    },
    {
      measure: '  payloads unchecked',
      value: unchecked,
      unit: '/s' as const,
      beside: 'the same',
      ratio: uncheckedRatio,
      aim: null,
    },
  ]);
