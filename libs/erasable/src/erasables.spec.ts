import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from 'pg';
import { describeOnPostgres } from '../../../test/support/with-postgres.ts';
import { describeErasables } from './erasables.contract.ts';
import { ErasablesUnavailable, openErasables } from './index.ts';

let root: string;
let folders = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-erasables-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const newFile = () => {
  const path = join(mkdtempSync(join(root, `${folders++}-`)), 'erasable.sqlite');
  return { kind: 'sqlite', path } as const;
};

const PLACE = { stream: 'finding-pay-1-f1', type: 'FindingReviewed' };

/** Files beside the database, too, that hold these bytes. */
const filesWith = (path: string, bytes: string): readonly string[] =>
  readdirSync(join(path, '..')).filter((name) =>
    readFileSync(join(path, '..', name)).includes(bytes),
  );

describe('erasables in a SQLite file', () => {
  describeErasables(async () => {
    const target = newFile();
    return { open: () => openErasables(target) };
  });

  it('are for their owner alone', async () => {
    const target = newFile();
    const erasables = await openErasables(target);
    await erasables.personOf({ issuer: 'local', subject: 'a' });
    for (const name of readdirSync(join(target.path, '..')))
      expect([name, statSync(join(target.path, '..', name)).mode & 0o777]).toEqual([name, 0o600]);
    await erasables.close();
  });

  it('leave no byte of what was erased in any of their files, though others read meanwhile', async () => {
    const target = newFile();
    const erasables = await openErasables(target);
    const reader = await openErasables(target);
    const sealed = await erasables.seal('x', PLACE);
    const stays = await erasables.seal('y', PLACE);
    const subject = 'Zqxwvkjq-Person';
    const personId = await erasables.personOf({ issuer: 'local', subject });
    const raw = new DatabaseSync(target.path, { readOnly: true });
    const keyOf = (keyId: string) =>
      String(raw.prepare('select key from text_keys where key_id = ?').get(keyId)?.['key']);
    const [key, other] = [keyOf(sealed.keyId), keyOf(stays.keyId)];
    raw.close();
    expect(await reader.read(sealed, PLACE)).toMatchObject({ kind: 'text' });
    expect(filesWith(target.path, key)).not.toEqual([]);
    expect(filesWith(target.path, subject)).not.toEqual([]);
    await erasables.eraseTexts([sealed.keyId]);
    await erasables.erasePeople([personId]);
    for (const gone of [key, sealed.keyId, subject, personId])
      expect(filesWith(target.path, gone)).toEqual([]);
    expect(filesWith(target.path, other)).not.toEqual([]);
    expect(await reader.read(sealed, PLACE)).toEqual({ kind: 'erased' });
    await reader.close();
    await erasables.close();
  });

  it('say so when the file cannot be made', async () => {
    const target = { kind: 'sqlite', path: join(root, 'nowhere', 'erasable.sqlite') } as const;
    await expect(openErasables(target)).rejects.toThrow(ErasablesUnavailable);
  });
});

describeOnPostgres('erasables on PostgreSQL', (server) => {
  describeErasables(async () => {
    const target = { kind: 'postgres', connectionString: await server().database() } as const;
    return { open: () => openErasables(target) };
  });

  it('leave no row of what was erased in the file of their table', async () => {
    const connectionString = await server().database();
    const erasables = await openErasables({ kind: 'postgres', connectionString });
    const client = new Client({ connectionString });
    await client.connect();
    const sealed = await erasables.seal('x', PLACE);
    const stays = await erasables.seal('y', PLACE);
    const table = async (): Promise<string> => {
      await client.query('checkpoint');
      const { rows } = await client.query<{ bytes: string }>(
        `select encode(pg_read_binary_file(pg_relation_filepath('holdfast_erasable.text_keys')), 'escape') as bytes`,
      );
      return rows[0]?.bytes ?? '';
    };
    expect(await table()).toContain(sealed.keyId);
    await erasables.eraseTexts([sealed.keyId]);
    expect(await table()).not.toContain(sealed.keyId);
    expect(await table()).toContain(stays.keyId);
    await client.end();
    await erasables.close();
  });

  it('say so while the server is down', async () => {
    const erasables = await openErasables({
      kind: 'postgres',
      connectionString: await server().database(),
    });
    await server().kill();
    // The last of its processes may answer once more.
    await vi.waitFor(
      () => expect(erasables.seal('x', PLACE)).rejects.toThrow(ErasablesUnavailable),
      10_000,
    );
    await server().start();
    await erasables.close();
  }, 60_000);
});
