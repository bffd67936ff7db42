import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/server.ts';

let root: string;
let server: TestServer;
let token: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-studies-'));
  for (const name of ['pay', 'other'])
    await cp('examples/pay', join(root, name), { recursive: true });
  const file = join(root, 'other', 'holdfast.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/id: pay\b/, 'id: other'));
  server = await startTestServer({}, null, { studiesFolder: root });
  token = await server.token('researcher', { projects: ['wages'] });
});
afterAll(async () => {
  await server.stop();
  await rm(root, { recursive: true });
});

const register = async (body: object, key = crypto.randomUUID() as string) => {
  const answered = await server.post(
    '/v1/studies',
    token,
    { project: 'wages', ...body },
    { 'idempotency-key': key },
  );
  return { status: answered.status, body: (await answered.json()) as Record<string, unknown> };
};

it('takes a key for one study only', async () => {
  expect(await register({ folder: 'pay' }, 'k')).toMatchObject({ status: 201 });
  const other = await register({ folder: 'other' }, 'k');
  expect(other).toMatchObject({
    status: 422,
    body: { type: 'urn:holdfast:problem:idempotency-key-reused' },
  });
  expect(JSON.stringify(other.body)).not.toContain('study-pay');
  expect(await register({ folder: 'pay' }, 'k')).toMatchObject({ status: 201 });
});

it('leaves the rank of a study to the operator', async () => {
  expect(await register({ folder: 'pay', priority: 1 })).toMatchObject({ status: 400 });
  expect(await register({ folder: 'pay' })).toMatchObject({ status: 201, body: { priority: 5 } });
});

it.each([
  ['a file that is no study file', 'pay/data/cps-1988.csv'],
  ['a null byte', 'pay\0'],
  ['a name that no disk has', 'x'.repeat(400)],
  ['a folder above', '..'],
])('finds nothing at %s', async (_, folder) => {
  expect(await register({ folder })).toMatchObject({
    status: 422,
    body: { type: 'urn:holdfast:problem:study-missing' },
  });
});

it('says what is wrong with a study file, and not where it lies on this host', async () => {
  await writeFile(join(root, 'bad.yaml'), 'version: 1\nnonsense: 2\n');
  const { status, body } = await register({ folder: 'bad.yaml' });
  expect([status, body['detail']]).toEqual([
    422,
    expect.stringContaining('; bad.yaml:2:1 nonsense: found the unknown key'),
  ]);
  expect(JSON.stringify(body)).not.toContain('holdfast-studies-');
});

it('shows a study that was placed where nothing is', async () => {
  const operator = await server.token('operator');
  const placed = await server.post('/v1/studies/pay/placement', operator, { folder: 'pay\0' });
  expect(placed.status).toBe(200);
  const shown = await server.get('/v1/studies/pay', token);
  expect([shown.status, await shown.json()]).toMatchObject([200, { policy: null }]);
});
