import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A connection to an event store that a test can break, whatever server is behind it. */
export interface EventStoreProxy {
  readonly port: number;
  /** The same connection string, with the proxy in place of the server. */
  readonly connectionString: string;
  /** What the server sends on the connections of now is dropped: it hears, and nobody hears it. */
  readonly deafen: () => void;
  /** Breaks every connection of now. */
  readonly cut: () => void;
  /** Breaks every connection and takes no new one until `up`. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const HOST = /^(esdb:\/\/(?:[^@/]*@)?)([^:/?]+):(\d+)/;

/** Stands between a test and the one node that `connectionString` names. */
export const startEventStoreProxy = async (connectionString: string): Promise<EventStoreProxy> => {
  const found = HOST.exec(connectionString);
  if (found === null) throw new Error('the proxy needs a connection string of one host and port');
  const [, before, host, port] = found;
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();

  const accept = (near: Socket): void => {
    const far = connect(Number(port), host);
    const pair = { near, far };
    pairs.add(pair);
    const over = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.on('error', over);
      socket.on('close', over);
    }
    near.pipe(far).pipe(near);
  };

  let server: Server | null = null;
  let bound = 0;
  const up = async (): Promise<void> => {
    const starting = createServer(accept);
    await new Promise<void>((resolve, reject) => {
      starting.once('error', reject);
      starting.listen(bound, '127.0.0.1', resolve);
    });
    bound = (starting.address() as AddressInfo).port;
    server = starting;
  };
  const cut = (): void => {
    for (const { near, far } of [...pairs]) {
      near.destroy();
      far.destroy();
    }
  };
  const down = async (): Promise<void> => {
    const stopping = server;
    server = null;
    cut();
    await new Promise((resolve) => (stopping === null ? resolve(null) : stopping.close(resolve)));
  };

  await up();
  return {
    port: bound,
    connectionString: connectionString.replace(HOST, `${before}localhost:${bound}`),
    deafen: () => {
      for (const { near, far } of pairs) {
        far.unpipe(near);
        far.resume();
      }
    },
    cut,
    down,
    up,
    stop: down,
  };
};
