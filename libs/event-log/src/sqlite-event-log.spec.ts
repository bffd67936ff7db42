import { spawn } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventTypes } from './event-types.ts';
import { all, contractTypes, eventLogContract, noted } from './event-log.contract.ts';
import { chain, unchained } from './hash-chain.ts';
import type { EventLog } from './port.ts';
import {
  openSqliteEventLog,
  sqliteEventLog,
  type OpenedSqliteEventLog,
} from './sqlite-event-log.ts';
import { eventLogTypes } from './testdata/plain-events.ts';

const open = (path: string, types: EventTypes = contractTypes): OpenedSqliteEventLog => {
  const opened = openSqliteEventLog(path, types);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

const refusal = (path: string) => {
  const opened = openSqliteEventLog(path, contractTypes);
  if (opened.ok) throw new Error('the file was opened');
  return opened.error;
};

eventLogContract('SQLite', async (types) => {
  const folder = mkdtempSync(join(tmpdir(), 'event-log-'));
  const path = join(folder, 'log.db');
  const { log } = open(path, types);
  return {
    log,
    reopen: async (others) => open(path, others).log,
    dispose: async () => {
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
});

describe('a log in an SQLite file', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'event-log-'));
    path = join(folder, 'log.db');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const fill = async (log: EventLog, count: number, stream = 's') => {
    for (let revision = 0; revision < count; revision += 1) {
      const appended = await log.append(stream, revision === 0 ? 'no-stream' : revision - 1, [
        noted(`${stream}-${revision}`),
      ]);
      if (!appended.ok) throw new Error(appended.error.message);
    }
  };
  const count = async (log: EventLog) => (await all(log.readAll())).length;

  /** The files of a log as a crash would leave them: copied while it is open. */
  const crashed = async (events: number): Promise<string> => {
    const { log } = open(path);
    await fill(log, events);
    const copy = join(folder, 'crashed.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    await log.close();
    return copy;
  };

  it('can be read by its owner only', async () => {
    const { log } = open(path);
    await fill(log, 1);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    await log.close();
  });

  it('finds all again after it was closed, and nothing to recover', async () => {
    const first = open(path);
    await fill(first.log, 3);
    await first.log.close();
    const { log, recovered } = open(path);
    expect(recovered).toEqual({
      walBytes: 0,
      keptFrames: 0,
      droppedFrames: 0,
      droppedBytes: 0,
      message: null,
    });
    expect(await count(log)).toBe(3);
    await log.close();
  });

  it('is written by two openers in turn, each guarded by the expected revision', async () => {
    const [one, other] = [open(path).log, open(path).log];
    await fill(one, 2);
    const conflict = await other.append('s', 0, [noted('late')]);
    expect(conflict).toMatchObject({ ok: false, error: { code: 'wrong-expected-revision' } });
    const won = await other.append('s', 1, [noted('third')]);
    const [, , third] = await all(one.readStream('s'));
    expect(won).toMatchObject({ ok: true, value: { events: [third] } });
    await one.close();
    await other.close();
  });

  it('tells a subscriber what another opener appends', async () => {
    const [one, other] = [open(path).log, open(path).log];
    const over = new AbortController();
    const following = (async () => {
      for await (const event of one.subscribe({ signal: over.signal })) return event;
      return null;
    })();
    await fill(other, 1);
    expect(await following).toMatchObject({ stream: 's', revision: 0 });
    over.abort();
    await one.close();
    await other.close();
  });

  it('lets others write while it is read, half-read pages included', async () => {
    const [reader, writer] = [open(path).log, open(path).log];
    const big = (name: string) => noted(name, { text: 'x'.repeat(900_000) });
    const batch = Array.from({ length: 12 }, (_, index) => big(`b${index}`));
    await writer.append('s', 'no-stream', batch);
    let seen = 0;
    for await (const _event of reader.readAll()) {
      seen += 1;
      const appended = await writer.append('t', seen === 1 ? 'no-stream' : seen - 2, [
        noted(`t${seen}`),
      ]);
      expect(appended.ok).toBe(true);
    }
    expect(seen).toBe(12);
    // No reader holds an old view, so a checkpoint gets through.
    const database = new DatabaseSync(path);
    expect(database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
    database.close();
    await reader.close();
    await writer.close();
  });

  it('commits what is appended at once together, and answers each', async () => {
    const { log } = open(path);
    await fill(log, 1);
    const before = statSync(`${path}-wal`).size;
    await log.append('s', 0, [noted('alone')]);
    const alone = statSync(`${path}-wal`).size - before;
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        log.append(`p${index}`, 'no-stream', [noted(`p${index}`)]),
      ),
    );
    const together = statSync(`${path}-wal`).size - before - alone;
    expect(together).toBeLessThan(alone * 10);
    expect(await count(log)).toBe(42);
    await log.close();
  });

  it('writes what was appended before it is closed', async () => {
    const { log } = open(path);
    const appended = log.append('s', 'no-stream', [noted('a')]);
    await log.close();
    expect((await appended).ok).toBe(true);
    const again = open(path).log;
    expect(await count(again)).toBe(1);
    await again.close();
  });

  it('fails as a whole when there is no room, and goes on when there is', async () => {
    const { log: first } = open(path);
    await first.close();
    const database = new DatabaseSync(path);
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() as {
      page_count: number;
    };
    database.exec(`PRAGMA max_page_count = ${pages + 4}`);
    const log = sqliteEventLog(database, contractTypes);
    const batch = Array.from({ length: 20 }, (_, index) => noted(`a${index}`, 'x'.repeat(2000)));
    await expect(log.append('s', 'no-stream', batch)).rejects.toMatchObject({
      name: 'EventLogUnavailable',
      message: expect.stringContaining('full') as string,
      cause: { errcode: 13 },
    });
    expect(await count(log)).toBe(0);
    expect((await log.append('s', 'no-stream', [noted('small')])).ok).toBe(true);
    database.exec('PRAGMA max_page_count = 1000000');
    expect((await log.append('s', 0, batch)).ok).toBe(true);
    expect(await count(log)).toBe(21);
    await log.close();
  });

  it('leaves nothing of a write that fails half-way, and no lock', async () => {
    const { log } = open(path);
    const database = new DatabaseSync(path);
    database.exec(
      `CREATE TRIGGER fail BEFORE INSERT ON events WHEN new.revision = 1 BEGIN SELECT RAISE(ABORT, 'no'); END`,
    );
    const batch = [noted('a'), noted('b')];
    await expect(log.append('s', 'no-stream', batch)).rejects.toThrow('failed: no');
    expect(await count(log)).toBe(0);
    database.exec('DROP TRIGGER fail');
    database.close();
    expect((await log.append('s', 'no-stream', batch)).ok).toBe(true);
    await log.close();
  });

  it('does not read past an event that was changed, moved or taken away, but gives what is stored', async () => {
    const { log } = open(path);
    await fill(log, 4);
    const tamper = async (sql: string, ...reads: ReadonlyArray<AsyncIterable<unknown>>) => {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
      for (const read of reads)
        await expect(all(read)).rejects.toThrow(/event \d of \S+ \(position/);
    };
    await tamper(
      `UPDATE events SET canonical = CAST(replace(CAST(canonical AS TEXT), 's-3', 's-X') AS BLOB) WHERE revision = 3`,
      log.readAll(),
      log.readStream('s', { from: 3 }),
    );
    expect(await all(log.readStored())).toHaveLength(4);
    await tamper(`UPDATE events SET stream = 'moved' WHERE revision = 3`, log.readStream('moved'));
    await tamper(
      'DELETE FROM events WHERE revision = 1',
      log.readStream('s'),
      log.readStream('s', { direction: 'backwards' }),
    );
    await log.close();
  });

  it('does not read past an event that was forged with a hash of its own', async () => {
    const { log } = open(path);
    await fill(log, 3);
    const [first] = await all(log.readStream('s'));
    const [forged] = chain(first!.hash, [unchained('s', 1, noted('s-1', { name: 'forged' }))]);
    const database = new DatabaseSync(path);
    database
      .prepare('UPDATE events SET canonical = ?, hash = ? WHERE revision = 1')
      .run(forged!.canonical, forged!.hash);
    database.close();
    expect(await all(log.readStream('s', { limit: 2 }))).toHaveLength(2);
    await expect(all(log.readStream('s'))).rejects.toThrow('link');
    await expect(all(log.readStream('s', { direction: 'backwards' }))).rejects.toThrow('link');
    await log.close();
  });

  describe('after a write that was cut', () => {
    it('keeps every finished write of a file that was not closed', async () => {
      const copy = await crashed(5);
      const { log, recovered } = open(copy);
      expect(await count(log)).toBe(5);
      expect(recovered.walBytes).toBeGreaterThan(0);
      expect(recovered.keptFrames).toBeGreaterThan(5);
      expect(recovered).toMatchObject({ droppedBytes: 0, message: null });
      await log.close();
    });

    it('says what it drops of the last write, wherever it was cut', async () => {
      const { log: original } = open(path);
      await fill(original, 4);
      const finished = statSync(`${path}-wal`).size;
      await original.append('s', 3, [noted('cut')]);
      const wal = readFileSync(`${path}-wal`);
      const main = readFileSync(path);
      await original.close();
      for (const bytes of [1, 10, 30, 4119, 4120, 4121, wal.length - finished - 1]) {
        const copy = join(folder, `cut-${bytes}.db`);
        writeFileSync(copy, main);
        writeFileSync(`${copy}-wal`, wal.subarray(0, finished + bytes));
        const { log, recovered } = open(copy);
        expect(await count(log)).toBe(4);
        expect(recovered.droppedBytes).toBe(bytes);
        expect(recovered.droppedFrames).toBe(Math.ceil(bytes / 4120));
        expect(recovered.message).toContain(`${bytes} bytes`);
        expect((await log.append('s', 3, [noted('cut')])).ok).toBe(true);
        await log.close();
        const again = open(copy);
        expect(again.recovered.message).toBeNull();
        expect(await count(again.log)).toBe(5);
        await again.log.close();
      }
    });

    it('does not take the leftovers of an earlier use of the file for a cut write', async () => {
      const { log } = open(path);
      await fill(log, 30);
      const database = new DatabaseSync(path);
      database.exec('PRAGMA wal_checkpoint(RESTART)');
      database.close();
      await log.append('s', 29, [noted('after')]);
      const copy = join(folder, 'copy.db');
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      await log.close();
      const again = open(copy);
      expect(again.recovered.message).toBeNull();
      expect(again.recovered.keptFrames).toBeGreaterThan(0);
      expect(again.recovered.walBytes).toBeGreaterThan(again.recovered.keptFrames * 4120 + 32);
      expect(await count(again.log)).toBe(31);
      await again.log.close();
    });

    it('refuses to lose acknowledged events to a damaged write-ahead file', async () => {
      const copy = await crashed(5);
      const wal = readFileSync(`${copy}-wal`);
      for (const at of [5, 32 + 4120 * 2 + 100]) {
        const damaged = Buffer.from(wal);
        damaged[at]! ^= 1;
        writeFileSync(`${copy}-wal`, damaged);
        const error = refusal(copy);
        expect(error.code).toBe('log-unreadable');
        expect(error.message).toContain('damaged');
        expect(readFileSync(`${copy}-wal`).equals(damaged)).toBe(true);
      }
      writeFileSync(`${copy}-wal`, wal);
      const { log } = open(copy);
      expect(await count(log)).toBe(5);
      await log.close();
    });
  });

  describe('refuses, and leaves as it is,', () => {
    const unchanged = (found: RegExp) => {
      const before = readFileSync(path);
      const error = refusal(path);
      expect(error.code).toBe('log-unreadable');
      expect(error.message).toMatch(found);
      expect(error.message).toContain('copy');
      expect(readFileSync(path).equals(before)).toBe(true);
    };
    const closedLog = async () => {
      const { log } = open(path);
      await fill(log, 40);
      await log.close();
    };

    it('a file that was cut', async () => {
      await closedLog();
      truncateSync(path, statSync(path).size - 4096);
      unchanged(/was cut: it has \d+ bytes and should have \d+/);
      truncateSync(path, 50);
      unchanged(/50 bytes/);
      truncateSync(path, 0);
      unchanged(/empty/);
    });

    it('an emptied file whose write-ahead file still holds events', async () => {
      const copy = await crashed(5);
      truncateSync(copy, 0);
      const wal = readFileSync(`${copy}-wal`);
      expect(refusal(copy).message).toContain('empty');
      rmSync(copy);
      expect(refusal(copy).message).toContain('missing');
      expect(readFileSync(`${copy}-wal`).equals(wal)).toBe(true);
    });

    it('what is not a database, and a database that is not a log', async () => {
      writeFileSync(path, 'a letter\n'.repeat(100));
      unchanged(/do not start as a SQLite database/);
      rmSync(path);
      const other = new DatabaseSync(path);
      other.exec('CREATE TABLE t (a)');
      other.close();
      expect(refusal(path).message).toContain('not an event log');
    });

    it('a log of a newer format', async () => {
      await closedLog();
      const database = new DatabaseSync(path);
      database.exec('PRAGMA user_version = 2');
      database.close();
      expect(refusal(path).message).toContain('format 2');
    });

    it('a damaged file that also has a cut write', async () => {
      const { log } = open(path);
      await fill(log, 200);
      await log.close();
      const again = open(path);
      await fill(again.log, 1, 't');
      const copy = join(folder, 'copy.db');
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      await again.log.close();
      const wal = readFileSync(`${copy}-wal`);
      appendFileSync(`${copy}-wal`, wal.subarray(32, 32 + 1000));
      const bytes = readFileSync(copy);
      bytes.fill(0x5a, 4096 * 20, 4096 * 24);
      writeFileSync(copy, bytes);
      expect(refusal(copy).message).toContain('damaged');
    });

    it('a folder that is not there', () => {
      expect(refusal(join(folder, 'none', 'log.db')).message).toContain('cannot be opened');
    });
  });

  it('keeps every acknowledged event when its writer is killed, with two writers at once', async () => {
    const script = fileURLToPath(new URL('testdata/append-for-ever.ts', import.meta.url));
    const acknowledged: string[] = [];
    const kill = async (stream: string, milliseconds: number) => {
      const child = spawn(process.execPath, ['--conditions=source', script, path, stream], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      let trouble = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (trouble += text));
      const gone = new Promise((resolve) => child.once('close', resolve));
      while (out === '' && child.exitCode === null) await sleep(5);
      await sleep(milliseconds);
      child.kill('SIGKILL');
      await gone;
      expect(trouble.replaceAll(/.*(Warning|node --trace-warnings).*\n/g, '')).toBe('');
      acknowledged.push(...out.split('\n').slice(0, -1));
    };
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([kill('s', 20 + Math.random() * 80), kill('t', 20 + Math.random() * 80)]);
      const { log } = open(path, eventLogTypes);
      const ids = new Set<string>();
      for await (const { id } of log.readAll()) ids.add(id);
      expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
      for (const stream of ['s', 't']) await all(log.readStream(stream));
      await log.close();
    }
    expect(acknowledged.length).toBeGreaterThan(20);
  });
});
