import type { RedisOptions } from 'ioredis';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { TrainingRuntime } from '../port.ts';

/** Where Redis is and who one is there. Secrets: never log it, and of an error of ioredis log the message alone. */
export type RedisConnection = Pick<
  RedisOptions,
  'host' | 'port' | 'username' | 'password' | 'db' | 'tls'
>;

const PROTOCOLS = ['redis:', 'rediss:'];

/**
 * A connection from `redis://[user:password@]host[:port][/db]`; `rediss:` is the same over TLS. A refusal never
 * repeats the URL, which holds a password.
 */
export const redisConnection = (
  url: string,
): Result<RedisConnection, Refusal<'redis-url-invalid'>> => {
  const refuse = (found: string) =>
    refused({
      code: 'redis-url-invalid' as const,
      message: `found a Redis URL with ${found}, expected redis://[user:password@]host[:port][/db], or rediss:// for TLS`,
    });
  if (!URL.canParse(url)) return refuse('a form that is no URL');
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(url);
  if (!PROTOCOLS.includes(protocol)) return refuse(`the protocol ${protocol}`);
  if (hostname === '') return refuse('no host');
  if (search !== '' || hash !== '') return refuse('parameters');
  const db = /^\/?(\d{0,4})$/.exec(pathname)?.[1];
  if (db === undefined) return refuse('a path that is no number of a database');
  try {
    return ok({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? 6379 : Number(port),
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
      ...(db !== '' && { db: Number(db) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    });
  } catch {
    return refuse('a user or password that is not percent-encoded');
  }
};

const LONGEST_PAUSE_MS = 2000;

/** Options under which a command waits out an outage instead of failing: Redis is looked for again for ever. */
export const patientOptions = (
  connection: RedisConnection,
): RedisConnection & {
  readonly maxRetriesPerRequest: null;
  readonly retryStrategy: (times: number) => number;
} => ({
  ...connection,
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), LONGEST_PAUSE_MS),
});

const LONGEST_MESSAGE = 1000;

/** The words of an error, bounded; never the error itself, since those of ioredis hold the command with its arguments. */
export const messageOf = (error: unknown): string => {
  const { message, code } = error as { readonly message?: unknown; readonly code?: unknown };
  const words = typeof message === 'string' && message !== '' ? message : String(code ?? error);
  return words.slice(0, LONGEST_MESSAGE).toWellFormed();
};

/** Says the same thing once a while, however often it happens. */
export const sparing = (
  onNotice: (notice: string) => void,
  everyMs = 30_000,
): ((notice: string) => void) => {
  let last = '';
  let saidAt = -Infinity;
  return (notice) => {
    const now = performance.now();
    if (notice === last && now - saidAt < everyMs) return;
    [last, saidAt] = [notice, now];
    onNotice(notice);
  };
};

/** An outage must not keep a process from ending. */
const CLOSING_MS = 2000;

/** Closes what may hang on a Redis that is away: after a moment its connection is cut instead. */
export const closeSoon = async (open: {
  close(): Promise<void>;
  disconnect(): Promise<void>;
}): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, CLOSING_MS, 'late');
  });
  const ended = await Promise.race([open.close().catch(() => undefined), late]);
  clearTimeout(timer);
  if (ended === 'late') open.disconnect().catch(() => undefined);
};

const PREFIX = /^[A-Za-z0-9_{}-]{1,50}$/;

/** The names of everything of Holdfast's in Redis. @throws for a prefix that could meet other keys */
export const redisKeys = (prefix: string) => {
  if (!PREFIX.test(prefix))
    throw new TypeError(
      `the prefix ${JSON.stringify(prefix)} is not 1 to 50 of A-Z a-z 0-9 _ - { }`,
    );
  return {
    prefix,
    /** One queue a runtime: a worker can't even take what it must not run. */
    queue: ({ sha256 }: Pick<TrainingRuntime, 'sha256'>): string => `trainings-${sha256}`,
    /** Digests of the runtimes that have a queue. */
    runtimes: `${prefix}:runtimes`,
    result: (trainingId: string, nonce: string): string =>
      `${prefix}:result:${trainingId}:${nonce}`,
    /** Results that were refused, by training. */
    refusedResults: `${prefix}:refused-results`,
    discarded: (trainingId: string): string => `${prefix}:discarded:${trainingId}`,
    fleet: `${prefix}:fleet`,
    announcement: (instance: string): string => `${prefix}:fleet:${instance}`,
  };
};
export type RedisKeys = ReturnType<typeof redisKeys>;
