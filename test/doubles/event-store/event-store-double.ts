import { createServer as createHttpServer } from 'node:http';
import { createRequire } from 'node:module';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type * as FeaturesGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type * as StreamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { doubleRecords, emptyData, type DoubleData, type DoubleRecords } from './records.ts';
import { answersSent, doubleService, noFaults, type Faults } from './service.ts';

const require = createRequire(import.meta.url);
const { StreamsService } =
  require('@eventstore/db-client/generated/streams_grpc_pb.js') as typeof StreamsGrpc;
const { ServerFeaturesService } =
  require('@eventstore/db-client/generated/serverfeatures_grpc_pb.js') as typeof FeaturesGrpc;

/**
 * A double of an EventStoreDB server: it serves the client's own generated services over loopback, from memory, and
 * is held to what a real server was seen to do by exchanges.json. It knows what Holdfast uses of the server and says
 * so where it knows no more. It proves nothing about durability.
 */
export interface EventStoreDouble {
  readonly port: number;
  readonly connectionString: string;
  readonly data: DoubleData;
  /** Its own rules, for another writer and for an operator who deletes. */
  readonly records: DoubleRecords;
  /** What it is to do wrong; changed by tests at any time. */
  readonly faults: Faults;
  /** How many answers to readings were handed out. */
  readonly sent: () => number;
  /** Breaks every connection at once and stops listening, as a killed process does. Its data stay. */
  readonly stop: () => Promise<void>;
}

export interface DoubleOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** What an earlier double left. */
  readonly data?: DoubleData;
  readonly maxAppendBytes?: number;
  /** What it answers over HTTP at /info/options. */
  readonly options?: Readonly<Record<string, string>>;
}

const VERSION = '23.10.6.0';

const listening = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

export const startEventStoreDouble = async ({
  port = 0,
  data = emptyData(),
  maxAppendBytes = 1024 * 1024,
  options = {},
}: DoubleOptions = {}): Promise<EventStoreDouble> => {
  const records = doubleRecords(data);
  const faults = noFaults();
  const service = doubleService(records, faults, maxAppendBytes, VERSION);
  const grpc = new GrpcServer({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });
  grpc.addService(StreamsService, service.streams);
  grpc.addService(ServerFeaturesService, service.features);
  const grpcPort = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );

  const http = createHttpServer((request, response) => {
    const pages: Readonly<Record<string, unknown>> = {
      '/info': { esVersion: VERSION, state: 'leader' },
      '/info/options': Object.entries({ MaxAppendSize: String(maxAppendBytes), ...options }).map(
        ([name, value]) => ({ name, value }),
      ),
    };
    const page = pages[request.url ?? ''];
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(page ?? {}));
  });
  const httpPort = await listening(http, 0);

  // The server answers HTTP/2 with prior knowledge and HTTP/1.1 on one port, so the double does too.
  const sockets = new Set<Socket>();
  const front = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (head) => {
      const to = connect(
        head.subarray(0, 3).equals(Buffer.from('PRI')) ? grpcPort : httpPort,
        '127.0.0.1',
      );
      sockets.add(to);
      to.on('error', () => socket.destroy());
      to.on('close', () => {
        sockets.delete(to);
        socket.destroy();
      });
      socket.on('close', () => to.destroy());
      to.write(head);
      socket.pipe(to).pipe(socket);
    });
  });
  const bound = await listening(front, port);

  return {
    port: bound,
    connectionString: `esdb://127.0.0.1:${bound}?tls=false`,
    data,
    records,
    faults,
    sent: answersSent,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      grpc.forceShutdown();
      http.closeAllConnections();
      await Promise.all([
        new Promise((resolve) => front.close(resolve)),
        new Promise((resolve) => http.close(resolve)),
      ]);
    },
  };
};
