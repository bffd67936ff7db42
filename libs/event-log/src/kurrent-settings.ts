import { reasonOf } from '#libs/kernel';
import { connectKurrent, type KurrentConnection } from './kurrent-connection.ts';
import { streamOf, typeOf } from './kurrent-records.ts';
import { settingsRequest, streamRequest, tombstonesRequest } from './kurrent-requests.ts';
import { MAX_EVENT_BYTES } from './hash-chain.ts';
import type { KurrentOptions, KurrentSetting } from './kurrent-options.ts';

/** So many settings of streams and tombstones are looked at; where there are more, the row says so and is not ok. */
const MAX_LOOKED_AT = 10_000;

/** What an event of the largest size takes in one append: the event, its metadata and its type. */
const LARGEST_APPEND = MAX_EVENT_BYTES + 1024;

const SHORTENING = ['$maxCount', '$maxAge', '$tb'] as const;

interface Shown {
  readonly stream: string;
  readonly json: string;
}

/** Of each stream the newest settings that are given, in any order of streams. */
export const shortened = (newestFirst: readonly Shown[]): readonly string[] => {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const { stream, json } of newestFirst) {
    if (seen.has(stream)) continue;
    seen.add(stream);
    let settings: unknown;
    try {
      settings = JSON.parse(json);
    } catch {
      found.push(`${stream}: settings that are not JSON`);
      continue;
    }
    if (typeof settings !== 'object' || settings === null) continue;
    const set = SHORTENING.filter((name) => {
      const value: unknown = (settings as Readonly<Record<string, unknown>>)[name];
      return value !== undefined && value !== null && !(name === '$tb' && value === 0);
    });
    if (set.length > 0) found.push(`${stream}: ${set.join(', ')}`);
  }
  return found;
};

const MAX_NAMED = 5;

const named = (list: readonly string[]): string =>
  list.slice(0, MAX_NAMED).join('; ') +
  (list.length > MAX_NAMED ? `; and ${list.length - MAX_NAMED} more` : '');

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const shown = async (
  connection: KurrentConnection,
  request: Parameters<KurrentConnection['read']>[0],
): Promise<(Shown & { readonly type: string })[]> => {
  const list: (Shown & { readonly type: string })[] = [];
  for await (const response of connection.read(request)) {
    const record = response.getEvent()?.getEvent();
    if (record === undefined) continue;
    list.push({
      stream: streamOf(record),
      type: typeOf(record),
      json: textOf(record.getData_asU8()),
    });
  }
  return list;
};

const row = (name: string, ok: boolean, found: string, expected: string): KurrentSetting => ({
  name,
  ok,
  found,
  expected,
});

/** Looks at one thing; what could not be seen is not ok. */
const looking = async (
  name: string,
  expected: string,
  look: () => Promise<readonly KurrentSetting[]>,
): Promise<readonly KurrentSetting[]> => {
  try {
    return await look();
  } catch (error) {
    return [row(name, false, `could not be seen: ${reasonOf(error)}`, expected)];
  }
};

const NOT_SHORTENED = 'no $maxCount, $maxAge or $tb on any of our streams';
const NOT_TOMBSTONED = 'none of our streams tombstoned';

const optionRows = (options: ReadonlyMap<string, string>): readonly KurrentSetting[] => {
  const isOff = (option: string, why: string): KurrentSetting => {
    const found = options.get(option);
    return row(
      why,
      found?.toLowerCase() === 'false',
      found === undefined ? `${option} is not told` : `${option}: ${found}`,
      `${option}: False`,
    );
  };
  const largest = Number(options.get('MaxAppendSize'));
  return [
    row(
      'largest append',
      largest >= LARGEST_APPEND,
      Number.isNaN(largest) ? 'not told' : `${largest} bytes`,
      `at least ${LARGEST_APPEND} bytes, so that an event of 1 MiB fits: --max-append-size=15728640`,
    ),
    isOff('MemDb', 'the database is on a disk'),
    isOff('UnsafeDisableFlushToDisk', 'an append is on the disk before it is acknowledged'),
    isOff('UnsafeIgnoreHardDelete', 'a tombstone stays known'),
  ];
};

/** What `kurrentSettings` of the door answers. */
export const kurrentSettings = async ({
  connectionString,
  prefix = '',
  deadline = 10_000,
}: KurrentOptions): Promise<readonly KurrentSetting[]> => {
  const connection = connectKurrent(connectionString, deadline);
  try {
    const version = await looking('server', 'EventStoreDB 23.10 or newer', async () => {
      const { version: found } = await connection.features();
      const major = Number(found.split('.')[0]);
      return [row('server', major >= 23, `version ${found}`, 'EventStoreDB 23.10 or newer')];
    });
    // Nothing else is asked of a server that does not answer.
    if (version.some(({ ok }) => !ok)) return version;

    const options = await looking('options', 'options that can be read', async () => {
      const list = await connection.http('/info/options');
      if (!Array.isArray(list)) throw new TypeError('the answer is not a list');
      return optionRows(
        new Map(
          (list as readonly { name?: unknown; value?: unknown }[]).map(({ name, value }) => [
            String(name),
            String(value),
          ]),
        ),
      );
    });

    const settings = await looking('streams are kept whole', NOT_SHORTENED, async () => {
      const list = await shown(connection, settingsRequest(prefix, MAX_LOOKED_AT));
      // With no prefix the filter finds the settings of the server's own streams too.
      const ours = list
        .map(({ stream, json }) => ({ stream: stream.slice(2), json }))
        .filter(({ stream }) => !stream.startsWith('$'));
      const found = shortened(ours);
      const all = list.length < MAX_LOOKED_AT;
      return [
        row(
          'streams are kept whole',
          found.length === 0 && all,
          `${found.length === 0 ? 'none shortened' : named(found)}${all ? '' : ` among the last ${MAX_LOOKED_AT} settings; there are more`}`,
          NOT_SHORTENED,
        ),
      ];
    });

    const tombstones = await looking('streams are there', NOT_TOMBSTONED, async () => {
      const list = await shown(connection, tombstonesRequest(MAX_LOOKED_AT));
      const ours = list
        .map(({ stream }) => stream)
        .filter((stream) => !stream.startsWith('$') && stream.startsWith(prefix));
      const all = list.length < MAX_LOOKED_AT;
      return [
        row(
          'streams are there',
          ours.length === 0 && all,
          `${ours.length === 0 ? 'none tombstoned' : named(ours)}${all ? '' : ` among the last ${MAX_LOOKED_AT} tombstones; there are more`}`,
          NOT_TOMBSTONED,
        ),
      ];
    });

    const newest = async (stream: string): Promise<Shown | null> =>
      (await shown(connection, streamRequest(stream, 'end', 'backwards', 1)))[0] ?? null;

    const access = await looking('default access', 'readable, if it is set', async () => {
      const found = await newest('$settings');
      return [
        row(
          'default access',
          true,
          found === null ? 'the server’s own defaults' : found.json,
          'only those who must can write, delete or change the settings of our streams',
        ),
      ];
    });

    const scavenges = await looking('scavenges', 'readable, if there were any', async () => {
      const found = await newest('$scavenges');
      return [
        row(
          'scavenges',
          true,
          found === null ? 'none yet' : `the last one: ${found.json}`,
          'a scavenge removes hidden events only: harmless while our streams are whole',
        ),
      ];
    });

    return [...version, ...options, ...settings, ...tombstones, ...access, ...scavenges];
  } finally {
    await connection.close();
  }
};
