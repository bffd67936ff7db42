/** Asks a server, in a process of its own so that it does not wait for the server's turns. Started by reads.ts. */
import autocannon from 'autocannon';

/** What to ask: paths in turn, over so many connections, each with one request at a time. */
export interface Load {
  readonly url: string;
  readonly token: string;
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

/** Milliseconds until an answer had arrived, and answers a second. */
export interface Loaded {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly answers: number;
  /** Answers other than 200, and requests without one. */
  readonly failed: number;
}

const ask = async ({ url, token, paths, connections, seconds }: Load): Promise<Loaded> => {
  const { latency, requests, non2xx, errors } = await autocannon({
    ...{ url, connections, duration: seconds },
    headers: { authorization: `Bearer ${token}` },
    requests: paths.map((path) => ({ method: 'GET', path })),
  });
  return {
    ...{ p50: latency.p50, p99: latency.p99, perSecond: requests.average },
    ...{ answers: requests.total, failed: non2xx + errors },
  };
};

process.once('message', (load) => {
  void ask(load as Load).then((loaded) => {
    process.send?.(loaded, () => process.disconnect());
  });
});
