import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { describeOnPostgres } from '../../../test/support/with-postgres.ts';
import { describeReadModels, dumpOf, logOf, night, type Storage } from './read-models.contract.ts';
import { openReadModels, ViewsUnavailable, type LogReader } from './index.ts';
import { recorder } from './testing/recorded-run.ts';

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-views-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sqlite: Storage = {
  target: async () => ({ kind: 'sqlite', path: join(folder, `views-${files++}.sqlite`) }),
  sql: async (target, statement) => {
    if (target.kind !== 'sqlite') throw new Error('not a file');
    const database = new DatabaseSync(target.path);
    try {
      return database.prepare(statement).all();
    } finally {
      database.close();
    }
  },
};

describe('the views in a SQLite file', () => describeReadModels(sqlite));

describeOnPostgres('the views on PostgreSQL', (server) => {
  const postgres: Storage = {
    target: async () => ({ kind: 'postgres', connectionString: await server().database() }),
    sql: async (target, statement) => {
      if (target.kind !== 'postgres') throw new Error('not a server');
      const client = new Client({ connectionString: target.connectionString });
      await client.connect();
      try {
        await client.query('set search_path to holdfast_views');
        const { rows } = await client.query<Record<string, unknown>>(
          // pg gives 64-bit integers as text; as JSON they are numbers.
          statement.startsWith('SELECT')
            ? `select to_json(t) as row from (${statement}) t`
            : statement,
        );
        return rows.map((row) => ('row' in row ? (row['row'] as object) : row));
      } finally {
        await client.end();
      }
    },
  };

  describeReadModels(postgres);

  it('hold the same rows as in a SQLite file', async () => {
    const targets = [
      [sqlite, await sqlite.target()],
      [postgres, await postgres.target()],
    ] as const;
    const dumps = [];
    for (const [storage, target] of targets) {
      const views = await openReadModels(target);
      await views.catchUp(logOf(night()));
      await views.close();
      dumps.push(await dumpOf(storage, target));
    }
    expect(dumps[1]).toEqual(dumps[0]);
    expect(Object.values(dumps[0] ?? {}).flat().length).toBeGreaterThan(20);
  });

  const run = async (connectionString: string, ...statements: readonly string[]) => {
    const client = new Client({ connectionString });
    await client.connect();
    try {
      const results = [];
      for (const statement of statements) results.push((await client.query(statement)).rows);
      return results.at(-1) as readonly Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  const schemasOf = async (connectionString: string): Promise<readonly unknown[]> =>
    (
      await run(
        connectionString,
        "select nspname from pg_namespace where nspname like 'holdfast%' order by 1",
      )
    ).map(({ nspname }) => nspname);
  const opened = async () => {
    const connectionString = await server().database();
    const views = await openReadModels({ kind: 'postgres', connectionString });
    return { connectionString, views, close: views.close };
  };

  it('order text by its bytes, as a SQLite file does', async () => {
    const titles = ['b', 'B', 'ä', 'a', 'Z', '_', 'é', '10', '9'];
    const to = recorder();
    for (const title of titles)
      to.record(`study-${title}`, { type: 'StudyRegistered', data: { studyId: title, title } });
    const orders = [];
    for (const storage of [sqlite, postgres]) {
      const target = await storage.target();
      const views = await openReadModels(target);
      await views.catchUp(logOf(to.events));
      await views.close();
      orders.push(await storage.sql(target, 'SELECT title FROM studies ORDER BY title'));
    }
    expect(orders[1]).toEqual(orders[0]?.map((row) => ({ ...row })));
  });

  it('take over what was projected after a rebuild had read the log', async () => {
    const { connectionString, views, close } = await opened();
    const live = await openReadModels({ kind: 'postgres', connectionString });
    const events = night();
    const early = events.slice(0, 40);
    let late = false;
    const log: LogReader = {
      async *readAll(options = {}) {
        if (late) return yield* logOf(events).readAll(options);
        yield* logOf(early).readAll(options);
        if ((options.after ?? 0) < (early.at(-1)?.position ?? 0)) return;
        // The rebuild is told that this was all, and the live views move on before it swaps.
        late = true;
        await live.catchUp(logOf(events));
      },
    };
    expect(await views.rebuild(log)).toBe(events.length);
    expect(await live.position()).toBe(events.at(-1)?.position);
    const alone = await postgres.target();
    const other = await openReadModels(alone);
    await other.catchUp(logOf(events));
    expect(await dumpOf(postgres, { kind: 'postgres', connectionString })).toEqual(
      await dumpOf(postgres, alone),
    );
    await Promise.all([close(), live.close(), other.close()]);
  });

  it('are as they were after a rebuild that was killed, and the next one is not hindered', async () => {
    const { connectionString, views, close } = await opened();
    const events = night();
    await views.catchUp(logOf(events));
    const target = { kind: 'postgres', connectionString } as const;
    const before = await dumpOf(postgres, target);
    const killing: LogReader = {
      async *readAll(options) {
        yield* logOf(events.slice(0, 30)).readAll(options);
        await run(
          connectionString,
          "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'",
        );
      },
    };
    await expect(views.rebuild(killing)).rejects.toThrow(ViewsUnavailable);
    // What a process leaves that is killed between the swap and the clearing.
    await run(
      connectionString,
      'create schema holdfast_views_old_1',
      'create table holdfast_views_old_1.runs (a int)',
    );
    expect(await dumpOf(postgres, target)).toEqual(before);
    expect(await views.rebuild(logOf(events))).toBe(events.length);
    expect(await schemasOf(connectionString)).toEqual(['holdfast_views']);
    expect(await dumpOf(postgres, target)).toEqual(before);
    await close();
  });

  it('are not rebuilt, nor opened, by a program that knows less than the one that made them', async () => {
    const { connectionString, views, close } = await opened();
    await views.catchUp(logOf(night()));
    await run(
      connectionString,
      "insert into holdfast_views.kysely_migration values ('999-later', '2027-01-01')",
    );
    await expect(views.rebuild(logOf(night()))).rejects.toThrow(/another form.*999-later/);
    expect((await views.runs()).rows).toHaveLength(2);
    await expect(openReadModels({ kind: 'postgres', connectionString })).rejects.toThrow(
      /could not be brought to today's form/,
    );
    expect(await schemasOf(connectionString)).toEqual(['holdfast_views']);
    await close();
  });

  it('refuse a number that has no exact form here', async () => {
    const { connectionString, views, close } = await opened();
    await run(
      connectionString,
      'update holdfast_views.view_position set position = 9007199254740993',
    );
    await expect(views.position()).rejects.toThrow(/9007199254740993, which is beyond 2\^53/);
    await close();
  });

  it('say that the server is down, and work again when it is back', async () => {
    const { views, close } = await opened();
    const events = night();
    await views.catchUp(logOf(events.slice(0, 30)));
    await server().kill();
    for (const use of [
      () => views.position(),
      () => views.runs(),
      () => views.catchUp(logOf(events)),
      () => views.rebuild(logOf(events)),
      () => views.reached(1, 1_000),
    ])
      await expect(use()).rejects.toThrow(ViewsUnavailable);
    await server().start();
    expect(await views.catchUp(logOf(events))).toBe(events.length - 30);
    expect((await views.runs()).rows).toHaveLength(2);
    await close();
  }, 60_000);

  it('say what is wrong with a connection, and never the password', async () => {
    const right = await server().database();
    const wrong = [
      [right.replace(/:[0-9a-f]+@/, ':s3cret@'), /password authentication failed/],
      [right.replace(/\/[a-z_0-9]+$/, '/nowhere'), /database "nowhere" does not exist/],
      [right.replace(/@.*\//, '@127.0.0.1:1/'), /ECONNREFUSED/],
      [`${right}?sslmode=verify-full`, /does not support SSL/],
    ] as const;
    for (const [connectionString, why] of wrong) {
      const error = await openReadModels({ kind: 'postgres', connectionString }).catch(
        (cause: unknown) => cause,
      );
      expect(error).toBeInstanceOf(ViewsUnavailable);
      expect((error as Error).message).toMatch(why);
      const { password } = new URL(connectionString);
      expect(inspect(error, { depth: 9 })).not.toContain(password);
    }
    for (const connectionString of [
      'mysql://a:s3cret@b/c',
      'postgres://a:s3cret@b:port/c',
      's3cret',
    ]) {
      const error = await openReadModels({ kind: 'postgres', connectionString }).catch(String);
      expect(error).toContain('expected postgres://user:password@host:port/database');
      expect(error).not.toContain('s3cret');
    }
  });

  it('need a database in UTF-8, and a role that may make a schema in it', async () => {
    const first = await server().database();
    await run(
      first,
      "create database latin encoding 'LATIN1' locale 'C' locale_provider libc template template0",
      "create role reader login password 'reader'",
    );
    const latin = first.replace(/\/[a-z_0-9]+$/, '/latin');
    await expect(openReadModels({ kind: 'postgres', connectionString: latin })).rejects.toThrow(
      /encoded in LATIN1; make one with ENCODING 'UTF8'/,
    );
    const reader = first.replace(/\/\/[^@]+@/, '//reader:reader@');
    await expect(openReadModels({ kind: 'postgres', connectionString: reader })).rejects.toThrow(
      /permission denied for database/,
    );
    await run(first, `grant create on database ${new URL(first).pathname.slice(1)} to reader`);
    const views = await openReadModels({ kind: 'postgres', connectionString: reader });
    expect(await views.rebuild(logOf(night()))).toBe(night().length);
    await views.close();
  });
});
