import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
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
    stop: () => double.stop(),
  };
};

const real = process.env['HOLDFAST_TEST_EVENTSTORE'];
/** A program that kills the server and starts it again, and ends when it answers. */
const restart = process.env['HOLDFAST_TEST_EVENTSTORE_RESTART'];

const startReal = (connectionString: string) => async (): Promise<RunningEventStore> => ({
  connectionString,
  double: null,
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
