import type { Redis } from 'ioredis';
import type { Device } from '#libs/executors';
import { keyIdOf } from '#libs/signatures';
import type { TrainingRuntime } from '../port.ts';
import type { RedisKeys } from './connection.ts';

/**
 * What a worker says of itself, now and then. Anybody who can write to Redis can say anything here: for people to look
 * at, never a reason to trust. Only an operator's admission is that.
 */
export interface FleetAnnouncement {
  /** This process of the worker; a key may have several. */
  readonly instance: string;
  /** Computed of `publicKey` by the reader. */
  readonly keyId: string;
  readonly publicKey: string;
  /** The host, as its operator calls it. */
  readonly label: string;
  readonly executor: string;
  /** What contains the programs there, by name. */
  readonly layers: readonly string[];
  readonly runtime: TrainingRuntime;
  /** Of Holdfast. */
  readonly version: string;
  readonly devices: readonly Device[];
  /** RFC 3339. */
  readonly startedAt: string;
  readonly underWay: readonly {
    readonly trainingId: string;
    /** RFC 3339. */
    readonly since: string;
    /** Index of the device; null: none. */
    readonly device: number | null;
  }[];
}

/** Announces a worker until `ttlMs` from now. */
export const announce = async (
  redis: Redis,
  keys: RedisKeys,
  announcement: Omit<FleetAnnouncement, 'keyId'>,
  ttlMs: number,
): Promise<void> => {
  const { instance } = announcement;
  await redis
    .multi()
    .set(keys.announcement(instance), JSON.stringify(announcement), 'PX', ttlMs)
    .sadd(keys.fleet, instance)
    .exec();
};

export const withdraw = async (redis: Redis, keys: RedisKeys, instance: string): Promise<void> => {
  await redis.multi().del(keys.announcement(instance)).srem(keys.fleet, instance).exec();
};

const LONGEST_ANNOUNCEMENT = 64 * 1024;
const MOST_ANNOUNCEMENTS = 10_000;
const INSTANCE = /^[A-Za-z0-9-]{1,100}$/;

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const words = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '').slice(0, 200) : '';
const number = (value: unknown): number => (Number.isFinite(value) ? (value as number) : 0);
const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value.slice(0, 64) : [];

const parsed = (text: string): FleetAnnouncement | null => {
  if (text.length > LONGEST_ANNOUNCEMENT) return null;
  let said: Fields;
  try {
    said = fields(JSON.parse(text));
  } catch {
    return null;
  }
  const publicKey = words(said['publicKey']);
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== 32 || raw.toString('base64') !== publicKey) return null;
  const runtime = fields(said['runtime']);
  return {
    instance: words(said['instance']),
    keyId: keyIdOf(raw),
    publicKey,
    label: words(said['label']),
    executor: words(said['executor']),
    layers: list(said['layers']).map(words),
    runtime: {
      name: words(runtime['name']),
      version: words(runtime['version']),
      sha256: words(runtime['sha256']),
    },
    version: words(said['version']),
    devices: list(said['devices'])
      .map(fields)
      .map(({ index, uuid, name, memoryMb, driver }) => ({
        index: number(index),
        uuid: words(uuid),
        name: words(name),
        memoryMb: memoryMb === null ? null : number(memoryMb),
        driver: words(driver),
      })),
    startedAt: words(said['startedAt']),
    underWay: list(said['underWay'])
      .map(fields)
      .map(({ trainingId, since, device }) => ({
        trainingId: words(trainingId),
        since: words(since),
        device: typeof device === 'number' ? number(device) : null,
      })),
  };
};

/** The workers that announced themselves lately, by label. What can't be read is left out. */
export const readAnnouncements = async (
  redis: Redis,
  keys: RedisKeys,
): Promise<readonly FleetAnnouncement[]> => {
  const instances = (await redis.smembers(keys.fleet))
    .filter((instance) => INSTANCE.test(instance))
    .slice(0, MOST_ANNOUNCEMENTS);
  if (instances.length === 0) return [];
  const texts = await redis.mget(instances.map(keys.announcement));
  const gone = instances.filter((_, at) => texts[at] === null);
  if (gone.length > 0) await redis.srem(keys.fleet, gone);
  return texts
    .flatMap((text) => (text === null ? [] : (parsed(text) ?? [])))
    .sort((a, b) => a.label.localeCompare(b.label) || a.instance.localeCompare(b.instance));
};
