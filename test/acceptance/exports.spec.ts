import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driveRun, openRun, verdictOn, type Home } from '#apps/runner';
import { FINDING_EXPORT_NAMES, FINDING_EXPORTS } from '#libs/exports';
import { readStudy } from '#libs/studies';
import { startTestServer, type TestServer } from '../../apps/api/src/testing/server.ts';
import { eventsOf } from '../support/events.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures } from '../support/scripted-agent.ts';

const PATIENCE = 120_000;
const FINDING = 'parcels-1-f1';

let prepared: Prepared;
let home: Home;
inPreparedHome((made) => ({ prepared, home } = made), {
  'program/features.json': () => '{ "use": ["paper"] }\n',
});
let server: TestServer;
let token: string;
let out: string;

beforeAll(async () => {
  const { runId, study } = good(
    await openRun(home, { study: good(await readStudy(prepared.study)), seed: 1 }, null),
  );
  good(await driveRun(home, { runId, study, agent: scriptedAgent([useFeatures('route')]) }));
  server = await startTestServer({}, home);
  token = await server.token('auditor', { subject: 'auditor-1' });
  out = join(prepared.root, 'out');
}, PATIENCE);
afterAll(async () => {
  await server.stop();
});

const cli = (...args: readonly string[]) => holdfast(['export', ...args, '--home', home.folder]);
const overHttp = (format: string, headers: Record<string, string> = {}) =>
  server.get(`/v1/findings/${FINDING}/exports/${format}`, token, headers);

describe('holdfast export', () => {
  it.each(FINDING_EXPORT_NAMES)('%s: the same bytes to a file and to the output', async (as) => {
    const file = `${out}-${as}`;
    const said = await cli(FINDING, '--as', as, '--out', file, '--json');
    expect(said).toMatchObject({ exitCode: 0, stderr: '' });
    const written = await readFile(file);
    expect(jsonLines(said)).toMatchObject([
      { findingId: FINDING, format: as, file, bytes: written.length },
    ]);
    expect((await cli(FINDING, '--as', as)).stdout).toBe(written.toString('utf8'));
  });

  it('writes over nothing, and leaves no draft behind', async () => {
    const folder = join(out, '..');
    const file = `${out}-taken`;
    await writeFile(file, 'mine');
    const before = await readdir(folder);
    const said = await cli(FINDING, '--as', 'prov', '--out', file);
    expect(said).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('there already') });
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect(await readdir(folder)).toEqual(before);
    const nowhere = await cli(FINDING, '--as', 'prov', '--out', join(out, 'none', 'x'));
    expect(nowhere).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no folder') });
    await rm(file);
  });

  it('refuses what is no format with the list of formats, and a finding that is not there', async () => {
    const odd = await cli(FINDING, '--as', 'word');
    expect(odd.exitCode).toBe(2);
    for (const name of FINDING_EXPORT_NAMES) expect(odd.stderr).toContain(name);
    const unknown = await cli('parcels-9-f1', '--as', 'prov', '--json');
    expect(unknown.exitCode).toBe(2);
    expect(jsonLines(unknown)).toMatchObject([{ error: { code: 'finding-unknown' } }]);
  });
});

describe('GET /v1/findings/{findingId}/exports/{format}', () => {
  it.each(FINDING_EXPORT_NAMES.filter((name) => !FINDING_EXPORTS[name].signed))(
    '%s: what the command line writes, under its media type, with a tag',
    async (as) => {
      const answer = await overHttp(as);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe(FINDING_EXPORTS[as].mediaType);
      const etag = answer.headers.get('etag') ?? '';
      expect(await answer.text()).toBe((await cli(FINDING, '--as', as)).stdout);
      expect((await overHttp(as, { 'if-none-match': etag })).status).toBe(304);
    },
  );

  it('refuses what is signed: the API holds no key', async () => {
    const answer = await overHttp('slsa');
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({
      type: 'urn:holdfast:problem:export-needs-key',
      detail: expect.stringContaining('holdfast export'),
    });
  });

  it('refuses what is no format with the list of formats, and a finding that is not there', async () => {
    const odd = await overHttp('word');
    expect(odd.status).toBe(400);
    expect(await odd.text()).toContain(FINDING_EXPORT_NAMES.join(', '));
    const unknown = await server.get('/v1/findings/parcels-9-f1/exports/prov', token);
    expect(unknown.status).toBe(404);
  });

  it('refuses a run that is too long to be held in memory', async () => {
    const small = await startTestServer({ limits: { exportEvents: 3 } }, home);
    try {
      const answer = await small.get(`/v1/findings/${FINDING}/exports/prov`, token);
      expect(answer.status).toBe(409);
      expect(await answer.json()).toMatchObject({ type: 'urn:holdfast:problem:export-too-large' });
    } finally {
      await small.stop();
    }
  });

  it("is for those who read findings, and an auditor's reading is recorded", async () => {
    const agent = await server.token('agent', { subject: 'agent-1' });
    const path = `/v1/findings/${FINDING}/exports/prov`;
    expect((await server.get(path, agent)).status).toBe(403);
    expect((await server.get(path)).status).toBe(401);
    await server.get(path, token);
    const [auditor] = await home.erasables.people();
    const reads = await eventsOf(home, `access-${auditor?.personId ?? ''}`);
    expect(reads.at(-1)?.data).toEqual({
      operation: 'getFindingExport',
      asked: { findingId: FINDING, format: 'prov' },
    });
  });
});

it('changes nothing of the finding: it still verifies', async () => {
  expect((await verdictOn(home, FINDING)).verdict).toBe('PASS');
});
