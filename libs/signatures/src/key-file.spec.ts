import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKey } from './key-file.ts';

describe('openKey', () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
    folder = join(root, 'keys');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const opened = async (name = 'runner') => {
    const key = await openKey(folder, name);
    if (!key.ok) throw new Error(key.error.message);
    return key.value;
  };

  it('makes a key at first use and gives the same one ever after', async () => {
    const first = await opened();
    expect((await opened()).publicKey).toBe(first.publicKey);
    expect((await opened('worker')).publicKey).not.toBe(first.publicKey);
    expect(await readFile(join(folder, 'runner.pem'), 'utf8')).toMatch(
      /^-----BEGIN PRIVATE KEY-----/,
    );
  });

  it('keeps the file to its owner and leaves nothing else behind', async () => {
    await opened();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'runner.pem'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['runner.pem']);
  });

  it('gives the same key to all who open it at once', async () => {
    const keys = await Promise.all(Array.from({ length: 16 }, () => opened()));
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['runner.pem']);
  });

  it('shows nothing of the private key when printed', async () => {
    const key = await opened();
    const secret = (await readFile(join(folder, 'runner.pem'), 'utf8')).split('\n')[1] ?? '';
    expect(secret).not.toBe('');
    expect(JSON.stringify(key)).not.toContain(secret);
  });

  it.each([
    ['file', 0o640, 'expected 0600'],
    ['file', 0o604, 'expected 0600'],
    ['folder', 0o770, 'chmod 700'],
  ] as const)('refuses a %s of mode %o', async (what, mode, says) => {
    await opened();
    await chmod(what === 'file' ? join(folder, 'runner.pem') : folder, mode);
    const refusal = await openKey(folder, 'runner');
    expect(refusal).toMatchObject({ ok: false, error: { code: 'key-exposed' } });
    expect(refusal.ok ? '' : refusal.error.message).toContain(says);
  });

  it('refuses a file that holds no key, and a name that is no file name', async () => {
    await opened();
    await writeFile(join(folder, 'runner.pem'), 'nothing');
    expect(await openKey(folder, 'runner')).toMatchObject({ error: { code: 'key-unreadable' } });
    expect(await openKey(folder, '../runner')).toMatchObject({
      error: { code: 'key-name-invalid' },
    });
  });

  it('does not follow a symbolic link', async () => {
    await opened('other');
    await symlink(join(folder, 'other.pem'), join(folder, 'runner.pem'));
    await expect(openKey(folder, 'runner')).rejects.toThrow('ELOOP');
  });
});
