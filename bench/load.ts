/** Asks a server, in a process of its own so that it does not wait for the server's turns. Started by reads.ts. */
import autocannon from 'autocannon';

/** What to ask: paths in turn, over so many connections, each with one request at a time. */
export interface Load {
  readonly url: string;
  readonly token: string;
  readonly paths: readonly string[];
  readonly connections: number;
  /** For so long, or until so many answers have come. */
  readonly until: { readonly seconds: number } | { readonly answers: number };
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

const ask = async ({ url, token, paths, connections, until }: Load): Promise<Loaded> => {
  const { latency, requests, duration, non2xx, errors } = await autocannon({
    // The load ends at one of these moments, in milliseconds.
    ...{ url, connections, sampleInt: 100 },
    ...('seconds' in until ? { duration: until.seconds } : { amount: until.answers }),
    headers: { authorization: `Bearer ${token}` },
    requests: paths.map((path) => ({ method: 'GET', path })),
  });
  return {
    ...{ p50: latency.p50, p99: latency.p99, perSecond: requests.total / duration },
    ...{ answers: requests.total, failed: non2xx + errors },
  };
};

process.on('message', (load) => {
  void ask(load as Load).then((loaded) => process.send?.(loaded));
});
// Nobody is left to be told.
process.on('disconnect', () => process.exit());
