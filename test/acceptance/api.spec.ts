import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { supervise, type Home, type Supervisor } from '#apps/runner';
import { startTestServer, type TestServer } from '../../apps/api/src/testing/server.ts';
import { openTestHome } from '../support/follow.ts';
import { prepare, type Prepared } from '../support/prepared.ts';

const PATIENCE = 120_000;

let prepared: Prepared;
let home: Home;
let supervisor: Supervisor;
let server: TestServer;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  prepared = await prepare();
  home = await openTestHome({ folder: await prepared.home(), studiesFolder: prepared.root });
  supervisor = await supervise(home, { runs: 4 });
  server = await startTestServer({}, home, { studiesFolder: prepared.root });
  for (const role of ['researcher', 'reviewer', 'auditor', 'operator'] as const)
    tokens[role] = await server.token(role, { projects: ['post'] });
}, PATIENCE);
afterAll(async () => {
  await server.stop();
  await supervisor.stop(60_000);
  await home.close();
  await prepared.remove();
});

const as = (role: string): string => tokens[role] ?? '';
const json = async (response: Promise<Response>) => {
  const answered = await response;
  return {
    status: answered.status,
    headers: answered.headers,
    body: (await answered.json()) as any,
  };
};
const until = async (look: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (await look()) return;
    await sleep(50);
  }
  throw new Error('it never came to that');
};

describe('a study over HTTP', () => {
  it(
    'walks',
    async () => {
      const log = (what: string, x: unknown) => console.log(what, JSON.stringify(x).slice(0, 700));
      log(
        'register',
        await json(
          server.post('/v1/studies', as('researcher'), { project: 'post', folder: 'study' }),
        ),
      );
      log('study', await json(server.get('/v1/studies/parcels', as('auditor'))));
      log('studies', await json(server.get('/v1/studies', as('auditor'))));
      const opened = await json(server.post('/v1/studies/parcels/runs', as('researcher'), {}));
      log('open', opened);
      log('run', await json(server.get('/v1/runs/parcels-1', as('researcher'))));
      const watched = await server.get('/v1/runs/parcels-1/watch', as('researcher'));
      const text = await watched.text();
      log('sse', [
        watched.status,
        text.length,
        text.split('\n').filter((l) => l.startsWith('event')).length,
        text.slice(-60),
      ]);
      log('run', await json(server.get('/v1/runs/parcels-1', as('researcher'))));
      log('runs', await json(server.get('/v1/runs', as('researcher'))));
      log('events', await json(server.get('/v1/runs/parcels-1/events?limit=2', as('researcher'))));
      for (const l of ['cutover-audit', 'charges', 'restore-points', 'findings', 'ledger'])
        log(l, await json(server.get(`/v1/${l}?limit=1`, as('auditor'))));
      for (const f of ['csv', 'jsonl', 'parquet']) {
        const r = await server.get(`/v1/cutover-audit?format=${f}`, as('auditor'));
        log(f, [r.status, [...r.headers], (await r.text()).slice(0, 300)]);
      }
      const points = await json(server.get('/v1/restore-points', as('auditor')));
      const id = points.body.rows[0].restorePointId;
      log('point', await json(server.get(`/v1/restore-points/${id}`, as('auditor'))));
      const tar = await server.get(`/v1/restore-points/${id}/tree`, as('auditor'));
      log('tar', [tar.status, [...tar.headers], (await tar.arrayBuffer()).byteLength]);
      const findings = await json(server.get('/v1/findings', as('reviewer')));
      for (const { findingId } of findings.body.rows.slice(0, 1)) {
        log('finding', await json(server.get(`/v1/findings/${findingId}`, as('reviewer'))));
        log(
          'verify',
          await json(
            server.post(`/v1/findings/${findingId}/verification`, as('reviewer'), undefined),
          ),
        );
        log(
          'review',
          await json(
            server.post(`/v1/findings/${findingId}/review`, as('reviewer'), {
              decision: 'accepted',
              reason: 'good',
            }),
          ),
        );
      }
      console.log(server.lines.filter((l) => /"level":"(error|warn|fatal)"/.test(l)).join(''));
      void until;
    },
    PATIENCE,
  );
});
