import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../apps/api/src/testing/server.ts';
import { openTestHome } from '../support/follow.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';

const PATIENCE = 60_000;
let folder: string;
let server: TestServer;
let close: () => Promise<void>;

const token = (...args: readonly string[]) =>
  holdfast(['token', ...args, '--home', join(folder, 'home')]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-token-'));
  // Tokens come first: a home is made of them.
  const first = await token('create', '--role', 'operator', '--all-projects');
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^hf_[\w-]{43}\n$/) });
  const home = await openTestHome({ folder: join(folder, 'home') });
  server = await startTestServer({}, home);
  close = () => home.close();
}, PATIENCE);
afterAll(async () => {
  await server.stop();
  await close();
  await rm(folder, { recursive: true });
});

describe('holdfast token', () => {
  it(
    'makes a token that the API takes until it is revoked, and shows it once',
    async () => {
      const [made] = jsonLines<{ token: string; id: string; subject: string }>(
        await token('create', '--role', 'auditor', '--project', 'a', 'b', '--json'),
      );
      if (made === undefined) throw new Error('no token');
      const status = async () => (await server.get('/v1/runs', made.token)).status;
      expect(await status()).toBe(200);
      expect((await server.get('/metrics', made.token)).status).toBe(403);

      const listed = await token('list');
      expect(listed.stdout).toContain(`${made.id}  auditor     ${made.subject}  a, b  until `);
      expect(listed.stdout + listed.stderr).not.toContain(made.token);
      expect((await token('list', '--json')).stdout).not.toMatch(/sha256|hf_/);

      expect((await token('revoke', made.id)).exitCode).toBe(0);
      expect(await status()).toBe(401);
      expect((await token('list')).stdout).toMatch(new RegExp(`${made.id} .* revoked `));
    },
    PATIENCE,
  );

  it.each([
    [['create']],
    [['create', '--role', 'harness']],
    [['create', '--role', 'auditor', '--subject', 'Ada Lovelace']],
    [['create', '--role', 'auditor', '--days', '1000']],
    [['create', '--role', 'auditor', '--run', 'pay-1']],
    [['revoke', 'nope']],
    [['steal']],
  ])(
    'refuses %j as bad input',
    async (args) => {
      const said = await token(...args);
      expect(said).toMatchObject({ exitCode: 2, stdout: '' });
      expect(said.stderr).not.toBe('');
    },
    PATIENCE,
  );
});
