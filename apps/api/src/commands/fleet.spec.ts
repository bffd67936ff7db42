import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trainings } from '../queries/workers/trainings.ts';
import type { DeadLetter } from '#libs/jobs';
import type { SealedText } from '#libs/kernel';
import { generateKey } from '#libs/signatures';
import { startTestServer, type TestServer } from '../testing/server.ts';

const { keyId, publicKey } = generateKey();

const letter = (trainingId: string, studyId: string): DeadLetter => ({
  trainingId,
  runId: `${studyId}-1`,
  studyId,
  runtime: 'f'.repeat(64),
  kind: 'failed',
  reason: 'no memory',
  attempts: 5,
  since: '2026-11-23T08:00:00.000Z',
});

/** A double of the trainings on Redis: letters in a list, and one worker that announces itself. */
const trainingsDouble = () => {
  const letters = [letter('t-1', 'pay'), letter('t-2', 'pay'), letter('t-3', 'other')];
  const settled: { readonly how: string; readonly id: string; readonly note: SealedText | null }[] =
    [];
  const settle = (how: string) => async (id: string, note?: SealedText) => {
    const at = letters.findIndex(({ trainingId }) => trainingId === id);
    if (at === -1) return false;
    letters.splice(at, 1);
    settled.push({ how, id, note: note ?? null });
    return true;
  };
  const trainings: Trainings = {
    deadLetters: {
      list: async () => [...letters],
      retry: settle('retry'),
      discard: settle('discard'),
    },
    fleetAnnouncements: async () => [
      {
        ...{ instance: 'i-1', keyId, publicKey, label: 'gpu-1', executor: 'sandbox', version: '1' },
        layers: [],
        runtime: { name: 'node', version: 'v24', sha256: 'f'.repeat(64) },
        devices: [{ index: 0, uuid: 'GPU-1', name: 'H100', memoryMb: 81_559, driver: '550' }],
        startedAt: '2026-11-23T08:00:00.000Z',
        underWay: [],
      },
    ],
  };
  return { trainings, settled };
};

let server: TestServer;
let operator: string;
const double = trainingsDouble();
beforeAll(async () => {
  server = await startTestServer({}, null, { trainings: double.trainings });
  operator = await server.token('operator', { projects: ['wages'] });
  const { studies } = server.ledger;
  for (const [studyId, project] of [
    ['pay', 'wages'],
    ['other', 'secret'],
  ] as const) {
    const actor = { role: 'researcher', id: 'r-1' } as const;
    await studies.send(
      studyId,
      { type: 'RegisterStudy', id: `r-${studyId}`, data: { studyId, title: studyId } },
      actor,
    );
    await studies.send(
      studyId,
      { type: 'PlaceStudy', id: `p-${studyId}`, data: { project, folder: studyId, priority: 5 } },
      actor,
    );
  }
});
afterAll(() => server.stop());

const get = async (path: string) => (await server.get(path, operator)).json();
const post = async (path: string, body: unknown, headers = {}) => {
  const answered = await server.post(path, operator, body, headers);
  return { status: answered.status, body: (await answered.json()) as Record<string, unknown> };
};

describe('a worker', () => {
  it('is admitted by its key, which its announcement alone does not do, and dismissed', async () => {
    expect(await get('/v1/workers')).toMatchObject({
      workers: [],
      announced: [{ keyId, label: 'gpu-1', admitted: false, devices: [{ name: 'H100' }] }],
    });
    const body = { publicKey, label: 'gpu-1' };
    const admitted = await post('/v1/workers', body, { 'idempotency-key': 'a' });
    expect(admitted).toEqual({ status: 200, body: { keyId, ...body, standing: 'admitted' } });
    expect(await post('/v1/workers', body, { 'idempotency-key': 'a' })).toEqual(admitted);
    expect(await get('/v1/workers')).toMatchObject({
      workers: [{ keyId, standing: 'admitted' }],
      announced: [{ admitted: true }],
    });
    const bad = await post('/v1/workers', { publicKey: 'x', label: 'a b' });
    expect(bad.body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/publicKey' }, { pointer: '/label' }],
    });
    const dismissed = await post(`/v1/workers/${keyId}/dismissal`, { reason: 'sold' });
    expect(dismissed.body).toMatchObject({ keyId, standing: 'dismissed' });
    const unknown = await post(`/v1/workers/${'0'.repeat(16)}/dismissal`, { reason: 'sold' });
    expect(unknown.body).toMatchObject({
      status: 404,
      type: 'urn:holdfast:problem:unknown-worker',
    });
  });
});

describe('a dead letter', () => {
  it('is shown to an operator of its project, who retries it or gives it up, once', async () => {
    expect(await get('/v1/dead-letters')).toMatchObject({
      letters: [{ trainingId: 't-1' }, { trainingId: 't-2' }],
    });
    expect((await post('/v1/dead-letters/t-1/retry', '')).body).toMatchObject({
      settled: 'retried',
    });
    expect((await post('/v1/dead-letters/t-1/retry', '')).status).toBe(404);
    expect((await post('/v1/dead-letters/t-2/discard', { reason: 'no GPU' })).status).toBe(200);
    // Of another project: as if it were not there.
    expect((await post('/v1/dead-letters/t-3/retry', '')).status).toBe(404);
    expect(double.settled).toMatchObject([
      { how: 'retry', id: 't-1', note: null },
      { how: 'discard', id: 't-2', note: { kind: 'sealed' } },
    ]);
    // Redis is given the sealed text; whoever may read the run's events reads it there.
    const { note } = double.settled[1]!;
    expect(JSON.stringify(double.settled)).not.toContain('no GPU');
    expect(
      await server.ledger.erasables.read(note!, { stream: 'run-pay-1', type: 'TrainingFailed' }),
    ).toEqual({ kind: 'text', text: 'no GPU' });
  });
});
