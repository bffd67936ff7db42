import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refused } from '#libs/kernel';
import { openKey } from '#libs/signatures';
import { startWorker } from './start-worker.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-worker-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Nobody listens there: a worker that is refused must not even have tried. */
const options = () => ({
  connection: { host: '127.0.0.1', port: 1 },
  ...{ keyFolder: join(folder, 'keys'), label: 'host', version: '0' },
});

describe('a worker does not start', () => {
  it('without a sandbox', async () => {
    const none = refused({ code: 'sandbox-missing', message: 'found no bwrap' });
    const place = { kind: 'sandbox', sandbox: () => Promise.resolve(none) } as const;
    expect(await startWorker({ ...options(), place })).toEqual(none);
  });

  it('with a key that others can read', async () => {
    await openKey(join(folder, 'keys'), 'worker');
    await chmod(join(folder, 'keys/worker.pem'), 0o644);
    expect(await startWorker(options())).toMatchObject({ error: { code: 'key-exposed' } });
  });
});
