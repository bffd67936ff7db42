import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localTokens, newToken, type LocalTokens, type TokenToIssue } from './local-tokens.ts';

const DAY = 86_400_000;
let folder: string;
let now: number;
let tokens: LocalTokens;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-tokens-'));
  now = Date.parse('2026-11-23T08:00:00.000Z');
  tokens = localTokens(folder, { now: () => new Date(now).toISOString() });
});
afterEach(() => rm(folder, { recursive: true }));

const ASKED: TokenToIssue = { role: 'auditor', projects: ['wages'], days: 30 };

const issue = async (asked: Partial<TokenToIssue> = {}) => {
  const issued = await tokens.issue({ ...ASKED, ...asked });
  if (!issued.ok) throw new Error(issued.error.message);
  return issued.value;
};

describe('a local token', () => {
  it('says who its holder is, and nobody else is told apart from nobody', async () => {
    const { token } = await issue({ subject: 'a-1' });
    expect(await tokens.verify(token)).toEqual({
      ok: true,
      value: {
        role: 'auditor',
        subject: 'a-1',
        projects: ['wages'],
        run: null,
        via: 'local',
        issuer: 'local',
      },
    });
    for (const other of [newToken(), `${token}x`, token.slice(1), '', 'hf_', token.toUpperCase()])
      expect(await tokens.verify(other)).toEqual({ ok: true, value: null });
  });

  it('is 256 random bits, of which only a hash is kept, in a file for its owner alone', async () => {
    const { token, kept } = await issue();
    expect(token).toMatch(/^hf_[A-Za-z0-9_-]{43}$/);
    const path = join(folder, 'tokens.json');
    const text = await readFile(path, 'utf8');
    expect(text).not.toContain(token.slice(3));
    expect(text).toContain(kept.sha256);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is worth nothing from its expiry on', async () => {
    const { token } = await issue({ days: 1 });
    now += DAY - 1;
    expect(await tokens.verify(token)).toMatchObject({ value: { role: 'auditor' } });
    now += 1;
    expect(await tokens.verify(token)).toEqual({ ok: true, value: null });
  });

  it('is worth nothing once it is revoked, by another process too', async () => {
    const { token, kept } = await issue();
    await tokens.verify(token);
    const elsewhere = localTokens(folder, { now: () => new Date(now).toISOString() });
    expect(await elsewhere.revoke(kept.id)).toMatchObject({ ok: true });
    expect(await tokens.verify(token)).toEqual({ ok: true, value: null });
    expect(await tokens.revoke('nope')).toMatchObject({ error: { code: 'token-unknown' } });
  });

  it('is worth nothing once its holder is forgotten, and names him nowhere', async () => {
    const { token } = await issue({ subject: 'ada' });
    const { token: other } = await issue({ subject: 'eve' });
    const { token: agent } = await issue({ role: 'agent', subject: 'ada' });
    expect(await tokens.forget('ada')).toEqual({ ok: true, value: null });
    expect(await tokens.verify(token)).toEqual({ ok: true, value: null });
    expect(await tokens.verify(other)).toMatchObject({ value: { subject: 'eve' } });
    // An agent is a program: its id is no person's.
    expect(await tokens.verify(agent)).toMatchObject({ value: { role: 'agent' } });
    const held = JSON.parse(await readFile(join(folder, 'tokens.json'), 'utf8')) as {
      readonly tokens: readonly { readonly role: string; readonly subject: string }[];
    };
    expect(held.tokens.map(({ role, subject }) => `${role} ${subject}`).toSorted()).toEqual([
      'agent ada',
      'auditor eve',
    ]);
    expect(await tokens.forget('ada')).toEqual({ ok: true, value: null });
  });

  it.each([
    ['no project', { projects: [] }],
    ['a name for a subject', { subject: 'Ada Lovelace' }],
    ['an address for a subject', { subject: 'ada@localhost' }],
    ['a path for a project', { projects: ['../x'] }],
    ['a run for somebody who is no agent', { run: 'pay-1' }],
    ['no time', { days: 0 }],
    ['for ever', { days: 367 }],
    ['a role that there is not', { role: 'harness' as never }],
  ])('is refused with %s', async (_, asked) => {
    expect(await tokens.issue({ ...ASKED, ...asked })).toMatchObject({
      error: { code: 'token-invalid' },
    });
    expect(await tokens.list()).toEqual({ ok: true, value: [] });
  });
});

describe('the file of the tokens', () => {
  it('loses none of many that are made at once by several processes', async () => {
    const others = [1, 2, 3].map(() =>
      localTokens(folder, { now: () => '2026-11-23T08:00:00.000Z' }),
    );
    await Promise.all(Array.from({ length: 12 }, (_, n) => (others[n % 3] ?? tokens).issue(ASKED)));
    const listed = await tokens.list();
    expect(listed.ok && listed.value.length).toBe(12);
  });

  it('is not taken when others can read it, or when it says something else', async () => {
    const { token } = await issue();
    const path = join(folder, 'tokens.json');
    const fresh = () => localTokens(folder, { now: () => '2026-11-23T08:00:00.000Z' });
    await chmod(path, 0o640);
    expect(await fresh().verify(token)).toMatchObject({ error: { code: 'tokens-unreadable' } });
    await chmod(path, 0o600);
    const text = await readFile(path, 'utf8');
    for (const damaged of ['', '{}', '{"tokens":[{}]}', text.replace('auditor', 'god')]) {
      await writeFile(path, damaged);
      expect(await fresh().verify(token)).toMatchObject({ error: { code: 'tokens-unreadable' } });
    }
  });
});
