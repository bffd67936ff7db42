import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { binaryEvent, EventStoreDBClient } from '@eventstore/db-client';
import {
  startEventStoreDouble,
  type EventStoreDouble,
} from '../doubles/event-store/event-store-double.ts';

/** An event store to test on: the double, and the server that HOLDFAST_TEST_EVENTSTORE names. */
export interface EventStoreTarget {
  readonly name: string;
  readonly start: () => Promise<RunningEventStore>;
}

export interface RunningEventStore {
  readonly connectionString: string;
  /** Null on a real server. */
  readonly double: EventStoreDouble | null;
  /** Ends it as kill -9 does and starts it again with its data; null when the test has no way to. */
  readonly restart: (() => Promise<void>) | null;
  /**
   * Removes for ever what is hidden by now, as an operator does; null when it can't be done on this server. On a real
   * one only whole chunks are scavenged, so it takes one with small chunks (--chunk-size), insecure.
   */
  readonly scavenge: (() => Promise<void>) | null;
  readonly stop: () => Promise<void>;
}

const startDouble = async (): Promise<RunningEventStore> => {
  let double = await startEventStoreDouble({ maxAppendBytes: 15 * 1024 * 1024 });
  return {
    connectionString: double.connectionString,
    get double() {
      return double;
    },
    restart: async () => {
      const { port, data } = double;
      await double.stop();
      double = await startEventStoreDouble({ port, data, maxAppendBytes: 15 * 1024 * 1024 });
    },
    scavenge: async () => double.records.scavenge(),
    stop: () => double.stop(),
  };
};

const real = process.env['HOLDFAST_TEST_EVENTSTORE'];
/** A program that kills the server and starts it again, and ends when it answers. */
const restart = process.env['HOLDFAST_TEST_EVENTSTORE_RESTART'];

const LARGEST_CHUNK = 16 * 1024 * 1024;

/** A scavenge of the real server, null when its chunks are too large for a test to fill one. */
const realScavenge = async (connectionString: string): Promise<(() => Promise<void>) | null> => {
  if (!/^esdb:.*tls=false/.test(connectionString)) return null;
  const base = connectionString.replace(/^esdb:\/\/(?:[^@/]*@)?([^/?]+).*$/, 'http://$1');
  const options = (await (await fetch(`${base}/info/options`)).json()) as {
    name: string;
    value: string;
  }[];
  const chunk = Number(options.find(({ name }) => name === 'ChunkSize')?.value);
  if (!(chunk <= LARGEST_CHUNK)) return null;
  return async () => {
    const client = EventStoreDBClient.connectionString(connectionString);
    try {
      const filler = Buffer.alloc(100_000);
      for (let filled = 0; filled < 3 * chunk; filled += filler.length)
        await client.appendToStream('filler', binaryEvent({ type: 'Filler', data: filler }));
      const started = await fetch(`${base}/admin/scavenge`, {
        method: 'POST',
        headers: { accept: 'application/json' },
      });
      const { scavengeId } = (await started.json()) as { scavengeId: string };
      const ended = async (): Promise<boolean> => {
        try {
          for await (const { event } of client.readStream(`$scavenges-${scavengeId}`))
            if (event?.type === '$scavengeCompleted') return true;
        } catch (error) {
          // The server makes the stream when it begins.
          if ((error as { type?: unknown }).type !== 'stream-not-found') throw error;
        }
        return false;
      };
      while (!(await ended())) await sleep(200);
    } finally {
      await client.dispose();
    }
  };
};

const startReal = (connectionString: string) => async (): Promise<RunningEventStore> => ({
  connectionString,
  double: null,
  scavenge: await realScavenge(connectionString),
  restart:
    restart === undefined
      ? null
      : async () => {
          await promisify(execFile)(restart);
        },
  stop: async () => {},
});

export const EVENT_STORES: readonly EventStoreTarget[] = [
  { name: 'a double', start: startDouble },
  ...(real === undefined ? [] : [{ name: 'a real server', start: startReal(real) }]),
];
