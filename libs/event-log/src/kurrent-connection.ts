import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';
import serverFeaturesGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  BatchAppendReq,
  BatchAppendResp,
  ReadReq,
  ReadResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { reasonOf } from '#libs/kernel';
import { EventLogUnavailable } from './errors.ts';

/**
 * One connection to a server, by the client's own channel: endpoints, discovery, TLS, credentials, reconnection and
 * the gRPC services are the client's. The calls themselves are made here, on the services that the client generates:
 * its own `appendToStream` keeps what is under way in one table for all clients of a process, where one client's
 * broken connection fails another's appends and an answer that comes later ends the process; it gives no answer at all
 * when the server gives none; its `readAll` cannot filter; and it parses what it reads, so that the bytes are lost.
 */
export interface KurrentConnection {
  /** How long one answer may take, in milliseconds. */
  readonly deadline: number;
  /** The server's version and what it can do. */
  readonly features: () => Promise<ServerFeatures>;
  /** What the server sends, in order. Ends the call when the reader stops, the signal aborts or an answer is late. */
  readonly read: (request: ReadReq, options?: CallOptions) => AsyncGenerator<ReadResp>;
  readonly openAppends: () => Promise<ClientDuplexStream<BatchAppendReq, BatchAppendResp>>;
  /** The body of the server's answer over HTTP, for what gRPC does not tell. */
  readonly http: (path: string) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

export interface ServerFeatures {
  readonly version: string;
  /** Full names of methods in lower case, e.g. `/event_store.client.streams.streams/batchappend`. */
  readonly methods: ReadonlySet<string>;
}

export interface CallOptions {
  /** Ends the call; whoever reads gets no error. */
  readonly signal?: AbortSignal;
  /** Whether silence is an answer too: a subscription waits as long as it must, once it is confirmed. */
  readonly mayWait?: boolean;
}

/** The code of an error as gRPC numbers them, null for what is not one. */
export const grpcCode = (error: unknown): number | null => {
  const code = (error as Partial<ServiceError> | null)?.code;
  return typeof code === 'number' ? code : null;
};

/** What the server names in the trailer `exception`, e.g. `stream-deleted`; null when it names nothing. */
export const exceptionOf = (error: unknown): string | null => {
  const found = (error as Partial<ServiceError> | null)?.metadata?.get('exception')[0];
  return found === undefined ? null : String(found);
};

const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
const CANCELLED = 1;

export const isDenied = (error: unknown): boolean =>
  exceptionOf(error) === 'access-denied' ||
  [PERMISSION_DENIED, UNAUTHENTICATED].includes(grpcCode(error) ?? -1);

/** The error that a caller sees when `doing` failed. */
export const unreachable = (doing: string, cause: unknown): EventLogUnavailable =>
  cause instanceof EventLogUnavailable
    ? cause
    : new EventLogUnavailable(
        isDenied(cause)
          ? `${doing} failed: the event store denies access (${reasonOf(cause)}). Its user needs to read $all and the streams' metadata, and to write our streams: see its ACLs and the credentials in the connection string.`
          : `${doing} failed: ${reasonOf(cause)}`,
        { cause },
      );

const withinDeadline = async <T>(
  promise: Promise<T>,
  milliseconds: number,
  what: string,
): Promise<T> => {
  const over = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(milliseconds, undefined, { signal: over.signal }).then(() => {
        throw new EventLogUnavailable(`${what}: no answer within ${milliseconds} ms`);
      }),
    ]);
  } finally {
    over.abort();
    promise.catch(() => {});
  }
};

/** The options that the client knows, as it compares them. */
const OPTIONS: ReadonlySet<string> = new Set([
  ...['usercertfile', 'userkeyfile', 'maxdiscoverattempts', 'connectionname', 'defaultdeadline'],
  ...['discoveryinterval', 'gossiptimeout', 'nodepreference', 'tls', 'tlsverifycert', 'tlscafile'],
  ...['throwonappendfailure', 'keepaliveinterval', 'keepalivetimeout'],
]);

/** What of a connection string's options the client would only warn of, printing the whole string with its password. */
const optionProblem = (connectionString: string): string | null => {
  const options = connectionString.split('?').slice(1).join('?');
  for (const option of options === '' ? [] : options.split('&')) {
    const [name = '', value = ''] = option.split('=');
    const flat = name.trim().toLowerCase().replace(/[_-]/g, '');
    if (!OPTIONS.has(flat)) return `it has an option that the client does not know: ${name}`;
    if (flat === 'tlsverifycert' && value.trim() === 'false')
      return 'it asks not to check the server’s certificate, which the client cannot; name your CA with tlsCAFile';
  }
  return null;
};

/** Connects lazily. Throws on a connection string that cannot be read, without repeating it: it may hold a password. */
export const connectKurrent = (connectionString: string, deadline: number): KurrentConnection => {
  const problem = optionProblem(connectionString);
  if (problem !== null) throw new TypeError(`the connection string cannot be used: ${problem}`);
  let client: EventStoreDBClient;
  try {
    client = EventStoreDBClient.connectionString(connectionString);
  } catch {
    // The client's error holds the whole string, so it is no cause: causes are logged.
    throw new TypeError(
      `the connection string cannot be read; expected esdb://user:password@host:port?tls=true, or esdb+discover://, with options that the client knows and files that exist`,
    );
  }
  let used = false;

  // The client declares these members protected, for programs that build on it; their types are checked here.
  const call = (): ReturnType<EventStoreDBClient['callArguments']> =>
    client['callArguments']({ requiresLeader: true }, { deadline: Infinity });

  const open = async <S extends Readable & { cancel: () => void }>(
    name: string,
    create: (grpc: InstanceType<typeof streamsGrpc.StreamsClient>) => S,
  ): Promise<S> => {
    used = true;
    const opening = client['GRPCStreamCreator'](streamsGrpc.StreamsClient, name, (grpc) => {
      const stream = create(grpc);
      // Whoever reads the stream hears of it too; without a listener an error after the reading would end the process.
      stream.on('error', () => {});
      return stream;
    })();
    try {
      return await withinDeadline(opening, deadline, 'connecting to the event store');
    } catch (error) {
      opening.then(
        (late) => late.cancel(),
        () => {},
      );
      throw error;
    }
  };

  return {
    deadline,

    features: async () => {
      used = true;
      const asking = client['execute'](
        serverFeaturesGrpc.ServerFeaturesClient,
        'getSupportedMethods',
        (grpc) =>
          new Promise<SupportedMethods>((resolve, reject) => {
            const [metadata, options] = client['callArguments']({ deadline });
            grpc.getSupportedMethods(new shared.Empty(), metadata, options, (error, methods) =>
              error === null ? resolve(methods) : reject(error),
            );
          }),
      );
      const found = await withinDeadline(asking, deadline + 100, 'asking for the server’s version');
      return {
        version: found.getEventStoreServerVersion(),
        methods: new Set(
          found
            .getMethodsList()
            .map((method) => `/${method.getServiceName()}/${method.getMethodName()}`.toLowerCase()),
        ),
      };
    },

    async *read(request, { signal, mayWait = false } = {}) {
      const stream = await open('read', (grpc) => grpc.read(request, ...call()));
      const stop = (): void => stream.cancel();
      signal?.addEventListener('abort', stop);
      let waiting = 0;
      const state = { late: false };
      let confirmed = false;
      // One timer for the whole reading: a slow reader is not late, a silent server is.
      const watch = setInterval(() => {
        if (waiting === 0 || (mayWait && confirmed)) return;
        if (performance.now() - waiting < deadline) return;
        state.late = true;
        stream.cancel();
      }, deadline / 4);
      try {
        if (signal?.aborted === true) return;
        waiting = performance.now();
        for await (const response of stream as AsyncIterable<ReadResp>) {
          waiting = 0;
          confirmed = true;
          yield response;
          waiting = performance.now();
        }
      } catch (error) {
        if (state.late)
          throw new EventLogUnavailable(
            `reading the event store: no answer within ${deadline} ms`,
            { cause: error },
          );
        if (signal?.aborted === true && grpcCode(error) === CANCELLED) return;
        throw error;
      } finally {
        clearInterval(watch);
        signal?.removeEventListener('abort', stop);
        stream.cancel();
      }
    },

    openAppends: () => open('append', (grpc) => grpc.batchAppend(...call())),

    http: (path) =>
      withinDeadline(
        client['HTTPRequest']('GET', path, {}),
        deadline,
        'asking the event store over HTTP',
      ),

    close: async () => {
      await client.dispose();
      if (!used) return;
      const channel = await client['getChannel']().catch(() => null);
      channel?.close();
    },
  };
};
