import { randomBytes } from 'node:crypto';
import { chmod, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import {
  DatabaseUnavailable,
  openDatabase,
  storableText,
  type Database,
  type DatabaseTarget,
} from '#libs/database';
import { systemClock, type Clock } from '#libs/kernel';
import { ErasablesUnavailable, type Erasables, type Identity, type Person } from './port.ts';
import { newTextKey, openWith, sealWith } from './seal.ts';
import { MIGRATIONS, type ErasableTables } from './tables.ts';

/** On PostgreSQL the schema that holds the tables. */
const SCHEMA = 'holdfast_erasable';

type Store = Database<ErasableTables>;

/**
 * Keys and people in a SQLite file (made for its owner alone if it is missing) or on a PostgreSQL server (in the schema
 * `holdfast_erasable`). Throws ErasablesUnavailable.
 *
 * @example
 * const erasables = await openErasables({ kind: 'sqlite', path });
 * const reason = await erasables.seal('the data were replaced', { stream: `run-${runId}`, type: 'RunHalted' });
 */
export const openErasables = async (
  target: DatabaseTarget,
  clock: Clock = systemClock,
): Promise<Erasables> => {
  if (target.kind === 'sqlite') await ownersAlone(target.path);
  // What is sealed with a key that a loss of power takes away is lost: keys are durable before they are used.
  const options = { schema: SCHEMA, migrations: MIGRATIONS, durable: true };
  const store = await named(() => openDatabase<ErasableTables>(target, options));
  if (store.kind === 'sqlite') await overwriteWhatIsDeleted(store);
  return {
    seal: async (text, place) => {
      const made = newTextKey();
      await named(() =>
        store.writeOne((db) =>
          db
            .insertInto('textKeys')
            .values({ keyId: made.keyId, key: made.key.toString('base64') })
            .execute(),
        ),
      );
      return sealWith(made, text, place);
    },
    read: async (text, place) => {
      if (text.kind === 'plain') return { kind: 'text', text: text.text };
      const key = await named(() => keyOf(store, text.keyId));
      if (key === null) return { kind: 'erased' };
      const opened = openWith(Buffer.from(key, 'base64'), text, place);
      return opened === null ? { kind: 'altered' } : { kind: 'text', text: opened };
    },
    hasKey: async (keyId) => (await named(() => keyOf(store, keyId))) !== null,
    eraseTexts: (keyIds) =>
      named(async () => {
        for (const part of parts(keyIds))
          await store.writeOne((db) =>
            db.deleteFrom('textKeys').where('keyId', 'in', part).execute(),
          );
        if (keyIds.length > 0) await forget(store, 'text_keys');
      }),
    personOf: (identity) => named(() => personOf(store, clock, identity)),
    person: (personId) =>
      named(async () => {
        const row = await store.reader
          .selectFrom('people')
          .selectAll()
          .where('personId', '=', personId)
          .executeTakeFirst();
        return row ?? null;
      }),
    people: () =>
      named(() =>
        store.reader
          .selectFrom('people')
          .selectAll()
          .orderBy('since')
          .orderBy('personId')
          .execute(),
      ),
    erasePeople: (personIds) =>
      named(async () => {
        for (const part of parts(personIds))
          await store.writeOne((db) =>
            db.deleteFrom('people').where('personId', 'in', part).execute(),
          );
        if (personIds.length > 0) await forget(store, 'people');
      }),
    close: store.close,
  };
};

const keyOf = async (store: Store, keyId: string): Promise<string | null> => {
  const row = await store.reader
    .selectFrom('textKeys')
    .select('key')
    .where('keyId', '=', keyId)
    .executeTakeFirst();
  return row?.key ?? null;
};

/** As many at once as a statement takes on both databases. */
const parts = (ids: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(ids.length / 500) }, (_, n) => ids.slice(n * 500, n * 500 + 500));

/** The same id for all who ask at once: one of them is first, the others find his. */
const personOf = async (store: Store, clock: Clock, given: Identity): Promise<string> => {
  const issuer = storableText(given.issuer);
  const subject = storableText(given.subject);
  const known = async (): Promise<Pick<Person, 'personId'> | undefined> =>
    store.reader
      .selectFrom('people')
      .select('personId')
      .where('issuer', '=', issuer)
      .where('subject', '=', subject)
      .executeTakeFirst();
  const before = await known();
  if (before !== undefined) return before.personId;
  await store.writeOne((db) =>
    db
      .insertInto('people')
      .values({
        personId: `person-${randomBytes(16).toString('hex')}`,
        issuer,
        subject,
        since: clock.now(),
      })
      .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
      .execute(),
  );
  const made = await known();
  // Erased in between: who asks again is given another one.
  return made?.personId ?? personOf(store, clock, given);
};

/**
 * Made before SQLite would make it for everybody to read; its journals take their mode from it. One that is there is not
 * opened: closing it again would drop the locks that this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
 */
const ownersAlone = (path: string): Promise<void> =>
  named(async () => {
    try {
      await (await open(path, 'wx', 0o600)).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      await chmod(path, 0o600);
    }
  });

/** SQLite leaves what is deleted in the file until it needs the room, unless it is told to overwrite it. */
const overwriteWhatIsDeleted = async (store: Store): Promise<void> => {
  await named(() => store.writeOne((db) => sql`pragma secure_delete = on`.execute(db)));
};

/** How long readers are waited for that still need the old pages. */
const PATIENCE_MS = 10_000;

/**
 * Takes what was deleted out of the files as well. SQLite: what was overwritten goes from the write-ahead log into the
 * file, and the log, which holds the old pages, is cut to nothing. PostgreSQL: the table is written anew, since a deleted
 * row stays in its file until somebody needs the room. Also where nothing was deleted just now: an erasure that was
 * stopped before this is carried out again.
 */
const forget = async (store: Store, table: string): Promise<void> => {
  if (store.kind === 'postgres') {
    await store.writeOne((db) => sql`vacuum full ${sql.id(SCHEMA, table)}`.execute(db));
    return;
  }
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await store.writeOne((db) =>
      sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(db),
    );
    if (rows[0]?.busy === 0) return;
    if (performance.now() > until)
      throw new ErasablesUnavailable(
        `what was erased from ${store.place} still stands in its write-ahead log, since another process reads its old pages; end that process, then run: holdfast erase apply`,
      );
    await sleep(25);
  }
};

const named = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    const broken =
      cause instanceof DatabaseUnavailable || (cause instanceof Error && 'syscall' in cause);
    if (!broken) throw cause;
    throw new ErasablesUnavailable(
      `keys of texts and ids of people can't be had: ${(cause as Error).message}`,
      { cause },
    );
  }
};
