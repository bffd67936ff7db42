import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import canonicalize from 'canonicalize';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { supervise, type Home, type Supervisor } from '#apps/runner';
import { startTestServer, type TestServer } from '../../apps/api/src/testing/server.ts';
import { answerCheck } from '../../apps/api/src/testing/schemas.ts';
import { openTestHome } from '../support/follow.ts';
import { git } from '../support/git.ts';
import { holdfast } from '../support/holdfast.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { undecided } from '../support/undecided.ts';

const PATIENCE = 180_000;

/** Parsed JSON, whatever it holds: what a test expects of it is its check. */
type Json = ReturnType<typeof JSON.parse>;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

let prepared: Prepared;
let home: Home;
let supervisor: Supervisor;
let server: TestServer;
const tokens: Record<string, string> = {};
const as = (who: string): string => tokens[who] ?? '';
/** What stands for a holder of a token in the log. */
const idOf = (role: string): Promise<string> =>
  home.erasables.personOf({ issuer: 'local', subject: `${role}-1` });
const FINISHED = 'parcels-1';

let check: ReturnType<typeof answerCheck>;

/** An answer, held against what the document says of it. */
const json = async (response: Promise<Response>, method = 'get'): Promise<Answer> => {
  const answered = await response;
  const text = await answered.text();
  const type = answered.headers.get('content-type')?.split(';')[0] ?? '';
  if (text !== '') {
    const path = answered.url.slice(server.api.url.length);
    expect(check(method, path, answered.status, type, JSON.parse(text))).toBeNull();
  }
  return {
    status: answered.status,
    headers: answered.headers,
    body: text === '' ? null : JSON.parse(text),
  };
};
const get = (path: string, who: string, headers: Record<string, string> = {}) =>
  json(server.get(path, as(who), headers));
const post = (path: string, who: string, body: unknown, key?: string) =>
  json(
    server.post(path, as(who), body, key === undefined ? {} : { 'idempotency-key': key }),
    'post',
  );

const until = async <T>(look: () => Promise<T | null>): Promise<T> => {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const found = await look();
    if (found !== null) return found;
    await sleep(50);
  }
  throw new Error('it never came to that');
};

const runIs = (runId: string, status: string): Promise<Answer> =>
  until(async () => {
    const run = await get(`/v1/runs/${runId}`, 'researcher');
    return run.body.status === status ? run : null;
  });

/** Everything of a list, page by page. */
const all = async (path: string, who: string, limit: number): Promise<Json[]> => {
  const rows: Json[] = [];
  let next: string | null = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`;
  while (next !== null) {
    const page: Answer = await get(next, who);
    expect(page.status).toBe(200);
    rows.push(...(page.body.rows ?? page.body.events));
    next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? null;
    expect(next === null).toBe(page.body.next === null);
  }
  return rows;
};

const eventsOf = async (stream: string): Promise<Json[]> => {
  const events: Json[] = [];
  for await (const { canonical: _, ...event } of home.log.readStream(stream)) events.push(event);
  return events;
};

beforeAll(async () => {
  prepared = await prepare();
  home = await openTestHome({ folder: await prepared.home(), studiesFolder: prepared.root });
  supervisor = await supervise(home, { runs: 4 });
  server = await startTestServer({ heartbeatMs: 50 }, home, { studiesFolder: prepared.root });
  check = answerCheck((await (await server.get('/openapi.json')).json()) as object);
  for (const role of ['researcher', 'reviewer', 'auditor', 'operator'] as const)
    tokens[role] = await server.token(role, { projects: ['post'], subject: `${role}-1` });
  tokens['stranger'] = await server.token('researcher', { projects: ['other'] });
  tokens['agent'] = await server.token('agent', { projects: ['post'], subject: 'agent-1' });
  tokens['other agent'] = await server.token('agent', { projects: ['post'], subject: 'agent-2' });

  const registered = await post('/v1/studies', 'researcher', { project: 'post', folder: 'study' });
  expect(registered.status).toBe(201);
  expect((await post('/v1/studies/parcels/runs', 'researcher', { seed: 1 }, 'first')).status).toBe(
    202,
  );
  await runIs(FINISHED, 'closed');
}, PATIENCE);
afterAll(async () => {
  await server.stop();
  await supervisor.stop(60_000);
  await home.close();
  await prepared.remove();
});

describe('a study', () => {
  it('is registered once, whoever repeats it', async () => {
    const body = { project: 'post', folder: 'study' };
    const [once, again] = [
      await post('/v1/studies', 'researcher', body, 'same'),
      await post('/v1/studies', 'researcher', body, 'same'),
    ];
    expect(again.status).toBe(201);
    expect(again.body).toEqual(once.body);
    expect(again.headers.get('location')).toBe('/v1/studies/parcels');
    const types = (await eventsOf('study-parcels')).map(({ type }) => type);
    expect(types.filter((type) => type === 'StudyRegistered')).toHaveLength(1);
    expect(types.filter((type) => type === 'StudyPlaced')).toHaveLength(1);
  });

  it('shows the policy that a run is pinned to, with its digest', async () => {
    const { body } = await get('/v1/studies/parcels', 'auditor');
    const canonical = canonicalize(body.policy.policy) ?? '';
    expect(createHash('sha256').update(canonical).digest('hex')).toBe(body.policy.digest);
    const run = await get(`/v1/runs/${FINISHED}`, 'auditor');
    expect(run.body.row.policyDigest).toBe(body.policy.digest);
  });

  it('is refused outside the studies folder, in a foreign project, and where it is not one', async () => {
    const tried = async (body: object) => (await post('/v1/studies', 'researcher', body)).body;
    expect(await tried({ project: 'post', folder: '../../etc' })).toMatchObject({
      type: 'urn:holdfast:problem:study-missing',
      status: 422,
    });
    expect(await tried({ project: 'secret', folder: 'study' })).toMatchObject({
      type: 'urn:holdfast:problem:project-forbidden',
      status: 403,
    });
    expect(await tried({ project: 'x y', priority: 11, colour: 'red' })).toMatchObject({
      status: 400,
      errors: expect.arrayContaining(
        ['/project', '/folder', '/priority', '/colour'].map((pointer) =>
          expect.objectContaining({ pointer }),
        ),
      ),
    });
  });

  it('is ranked by an operator, and the log says by whom', async () => {
    const ranked = await post('/v1/studies/parcels/placement', 'operator', { priority: 2 });
    expect(ranked.body).toMatchObject({ project: 'post', folder: 'study', priority: 2 });
    // Registering it again ranks nothing.
    const body = { project: 'post', folder: 'study' };
    expect((await post('/v1/studies', 'researcher', body)).body).toMatchObject({ priority: 2 });
    const last = (await eventsOf('study-parcels')).findLast(({ type }) => type === 'StudyPlaced');
    expect(last.metadata.actor).toEqual({ role: 'operator', id: await idOf('operator') });
  });

  it('does not exist for a token of another project, nor does anything of it', async () => {
    const finding = (await get('/v1/findings', 'auditor')).body.rows[0]?.findingId as
      string | undefined;
    const point = (await get('/v1/restore-points', 'auditor')).body.rows[0].restorePointId;
    for (const path of [
      '/v1/studies/parcels',
      `/v1/runs/${FINISHED}`,
      `/v1/runs/${FINISHED}/events`,
      `/v1/runs/${FINISHED}/watch`,
      `/v1/findings/${finding ?? 'parcels-1-f1'}`,
      `/v1/findings/${finding ?? 'parcels-1-f1'}/exports/prov`,
      `/v1/restore-points/${point}`,
      `/v1/restore-points/${point}/tree`,
      '/v1/cutover-audit?study=parcels',
      `/v1/charges?run=${FINISHED}`,
    ]) {
      const { status, body } = await get(path, 'stranger');
      expect(status, path).toBe(404);
      // To the letter what is said of something that is not there.
      const missing = await get(
        path.replaceAll('parcels', 'nothing').replace(point, 'nothing'),
        'researcher',
      );
      const told = ({ type, title, detail }: Json) =>
        JSON.stringify({ type, title, detail })
          .replaceAll(/nothing|parcels/g, 'X')
          .replace(point, 'X');
      expect(told(body), path).toBe(told(missing.body));
    }
    for (const list of [
      'studies',
      'runs',
      'cutover-audit',
      'restore-points',
      'charges',
      'findings',
    ])
      expect((await get(`/v1/${list}`, 'stranger')).body, list).toEqual({ rows: [], next: null });
    expect(await (await server.get('/v1/charges?format=csv', as('stranger'))).text()).toMatch(
      /^[^\n]+\n$/,
    );
    for (const path of [
      '/v1/studies/parcels/runs',
      `/v1/runs/${FINISHED}/halt`,
      `/v1/runs/${FINISHED}/stop`,
    ])
      expect(
        (await post(path, 'stranger', path.endsWith('runs') ? {} : { reason: 'x' })).status,
      ).toBe(404);
  });
});

describe('a run', () => {
  it('is asked for once a key, and other content under it is told apart', async () => {
    const again = await post('/v1/studies/parcels/runs', 'researcher', { seed: 1 }, 'first');
    expect(again).toMatchObject({ status: 202, body: { runId: FINISHED, status: 'requested' } });
    expect(again.headers.get('location')).toBe(`/v1/runs/${FINISHED}`);
    const other = await post('/v1/studies/parcels/runs', 'researcher', { seed: 2 }, 'first');
    expect(other).toMatchObject({
      status: 422,
      body: { type: 'urn:holdfast:problem:idempotency-key-reused' },
    });
    const requested = (await eventsOf('study-parcels')).filter(
      ({ type }) => type === 'RunRequested',
    );
    expect(requested.map(({ data }) => data.runId)).toEqual([FINISHED]);
    expect(requested[0].metadata.actor).toEqual({
      role: 'researcher',
      id: await idOf('researcher'),
    });
  });

  it('gives its events in order, each with what it hashes to', async () => {
    const events = await all(`/v1/runs/${FINISHED}/events`, 'auditor', 7);
    expect(events).toEqual(JSON.parse(JSON.stringify(await eventsOf(`run-${FINISHED}`))));
    let before: string | null = null;
    for (const { stream, revision, id, type, data, metadata, prev, hash } of events) {
      const hashed = { stream, revision, id, type, data, metadata: { ...metadata, prev } };
      expect(
        createHash('sha256')
          .update(canonicalize(hashed) ?? '')
          .digest('hex'),
      ).toBe(hash);
      expect(prev).toBe(before);
      before = hash;
    }
  });

  it('is not sent again to whoever has it', async () => {
    for (const path of [`/v1/runs/${FINISHED}`, '/v1/runs', '/v1/cutover-audit?limit=2']) {
      const first = await get(path, 'researcher');
      const etag = first.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[\w-]{27}"$/);
      const second = await get(path, 'researcher', { 'if-none-match': `"x", W/${etag}` });
      expect([second.status, second.body]).toEqual([304, null]);
      expect(second.headers.get('etag')).toBe(etag);
      expect((await get(path, 'researcher', { 'if-none-match': '"other"' })).status).toBe(200);
    }
  });

  it('is refused with the reason where it can not be opened', async () => {
    await writeFile(join(prepared.study, 'program/train.js'), 'not what was committed\n');
    try {
      const { body } = await post('/v1/studies/parcels/runs', 'researcher', {});
      const refused = await runIs(body.runId, 'refused');
      expect(refused.body.refusedBecause).toContain('train.js');
      const watched = await server.get(`/v1/runs/${body.runId}/watch`, as('researcher'));
      expect(await watched.text()).toMatch(
        /event: RunRequested[^]*event: RunRefused[^]*event: end/,
      );
      const halted = await post(`/v1/runs/${body.runId}/halt`, 'researcher', { reason: 'x' });
      expect(halted).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:not-now' } });
    } finally {
      git(prepared.study, 'checkout', '-q', '--', 'program/train.js');
    }
  });
});

interface Frame {
  readonly id: number;
  readonly event: string;
  readonly data: Json;
}

const framesOf = (text: string): readonly Frame[] =>
  text
    .split('\n\n')
    .map((frame) => ({
      id: Number(/^id: (.*)$/m.exec(frame)?.[1]),
      event: /^event: (.*)$/m.exec(frame)?.[1] ?? '',
      data: JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? 'null') as unknown,
    }))
    .filter(({ event }) => event !== '');

/** Reads a stream until so many events have come, then cuts it off. */
const watchSome = async (
  path: string,
  count: number,
  lastId?: number,
): Promise<readonly Frame[]> => {
  const cut = new AbortController();
  const answered = await fetch(`${server.api.url}${path}`, {
    signal: cut.signal,
    headers: {
      authorization: `Bearer ${as('researcher')}`,
      ...(lastId !== undefined && { 'last-event-id': String(lastId) }),
    },
  });
  expect(answered.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  try {
    for await (const chunk of answered.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const whole = framesOf(text.slice(0, text.lastIndexOf('\n\n') + 2));
      if (whole.length >= count || whole.at(-1)?.event === 'end') return whole.slice(0, count);
    }
    return framesOf(text);
  } finally {
    cut.abort();
  }
};

describe('watching a run', () => {
  it('gives each event once and in order however often it is cut off, and then says that it is over', async () => {
    const path = `/v1/runs/${FINISHED}/watch`;
    const whole = framesOf(await (await server.get(path, as('researcher'))).text());
    expect(whole.at(-1)?.event).toBe('end');
    const events = whole.slice(0, -1);
    const pieces: Frame[] = [];
    for (let size = 1; pieces.length < events.length; size += 3)
      pieces.push(
        ...(await watchSome(path, size, pieces.at(-1)?.id)).filter(({ event }) => event !== 'end'),
      );
    expect(pieces).toEqual(events);
    const expected = [
      ...(await eventsOf('study-parcels')).filter(({ data }) => data.runId === FINISHED),
      ...(await eventsOf(`run-${FINISHED}`)),
    ];
    const findings = new Set(
      events
        .map(({ data }) => String(data.stream))
        .filter((stream) => stream.startsWith('finding-')),
    );
    for (const stream of findings) expected.push(...(await eventsOf(stream)));
    const end = events.at(-1)?.id ?? 0;
    expect(events.map(({ data }) => data)).toEqual(
      JSON.parse(
        JSON.stringify(
          expected
            .filter(({ position }) => position <= end)
            .toSorted((a, b) => a.position - b.position),
        ),
      ),
    );
    const over = await server.get(path, as('researcher'), { 'last-event-id': String(end) });
    expect(over.status).toBe(204);
  });

  it('follows a run from its request to its end, and says that it lives while nothing happens', async () => {
    const { body } = await post('/v1/studies/parcels/runs', 'researcher', {});
    const watched = await server.get(`/v1/runs/${body.runId}/watch`, as('researcher'));
    const text = await watched.text();
    expect(text).toContain(': alive');
    const types = framesOf(text).map(({ event }) => event);
    expect(types[0]).toBe('RunRequested');
    expect(types.slice(-2)).toEqual(['RunHeadSigned', 'end']);
  });

  it('takes no id that is none', async () => {
    const answer = await get(`/v1/runs/${FINISHED}/watch`, 'researcher', {
      'last-event-id': '1e3',
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ parameter: 'Last-Event-ID' }] },
    });
  });
});

describe('the ledgers', () => {
  it.each(['cutover-audit', 'restore-points', 'charges', 'runs', 'studies'])(
    'give each row of %s exactly once, whatever the size of a page',
    async (list) => {
      const whole = await all(`/v1/${list}`, 'auditor', 1000);
      expect(whole.length).toBeGreaterThan(0);
      for (const limit of [1, 2, 3])
        expect(await all(`/v1/${list}`, 'auditor', limit)).toEqual(whole);
      expect(await all(`/v1/${list}?order=newest`, 'auditor', 2)).toEqual(whole.toReversed());
    },
  );

  it.each(['cutover-audit', 'restore-points', 'charges'])(
    'say the same of %s in every format, under the same filter',
    async (list) => {
      const filter = `run=${FINISHED}&from=2026-01-01T00:00:00%2B01:00`;
      const rows = await all(`/v1/${list}?${filter}`, 'auditor', 1000);
      expect(rows.length).toBeGreaterThan(1);
      const file = (format: string) =>
        server.get(`/v1/${list}?${filter}&format=${format}`, as('auditor'));
      const lines = await (await file('jsonl')).text();
      expect(
        lines
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      ).toEqual(rows);

      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const read = async (from: string) => {
        const reader = await connection.runAndReadAll(
          `SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ${from} ORDER BY position`,
        );
        return reader.getRowObjectsJS();
      };
      const [parquet, csv] = [join(prepared.root, 'x.parquet'), join(prepared.root, 'x.csv')];
      await writeFile(parquet, Buffer.from(await (await file('parquet')).arrayBuffer()));
      const csvFile = await file('csv');
      expect(csvFile.headers.get('content-disposition')).toBe(`attachment; filename="${list}.csv"`);
      await writeFile(csv, await csvFile.text());
      const names = Object.keys(rows[0]);
      const plain = (row: Json) => names.map((name) => normal(name, row[name]));
      expect((await read(`read_parquet('${parquet}')`)).map(plain)).toEqual(rows.map(plain));
      expect(
        (await read(`read_csv('${csv}', header = true, all_varchar = true)`)).map(plain),
      ).toEqual(rows.map(plain));
      connection.closeSync();
      instance.closeSync();
    },
  );

  it('have the columns that the command line has', async () => {
    const csv = async (ledger: string, list: string) => {
      const said = await holdfast([
        'audit',
        '--ledger',
        ledger,
        '--format',
        'csv',
        '--home',
        home.folder,
      ]);
      const { token } = { token: await server.token('auditor') };
      const served = await (await server.get(`/v1/${list}?format=csv`, token)).text();
      const sorted = (line = '') => line.split(',').toSorted();
      expect(sorted(served.split('\n')[0])).toEqual(sorted(said.stdout.split('\n')[0]));
    };
    await csv('cutover', 'cutover-audit');
    await csv('charges', 'charges');
    await csv('restore', 'restore-points');
  });

  it('are filtered, by what is known only', async () => {
    const rows = await all('/v1/cutover-audit', 'auditor', 1000);
    for (const decision of new Set(rows.map((row) => row.decision as string)))
      expect(await all(`/v1/cutover-audit?decision=${decision}`, 'auditor', 2)).toEqual(
        rows.filter((row) => row.decision === decision),
      );
    expect(await all('/v1/cutover-audit?to=2020-01-01T00:00:00Z', 'auditor', 2)).toEqual([]);
    const wrong = await get(
      '/v1/cutover-audit?decision=maybe&from=2026-01-01T00:00:00&colour=red',
      'auditor',
    );
    expect(wrong).toMatchObject({
      status: 400,
      body: {
        errors: expect.arrayContaining(
          ['decision', 'from', 'colour'].map((parameter) => expect.objectContaining({ parameter })),
        ),
      },
    });
    expect((await get('/v1/charges?run=nope-1', 'auditor')).status).toBe(404);
    const page = await get('/v1/charges?limit=1', 'auditor');
    const other = await get(
      `/v1/charges?limit=1&charge=metric&cursor=${page.body.next}`,
      'auditor',
    );
    expect(other.body).toMatchObject({ type: 'urn:holdfast:problem:cursor-invalid', status: 400 });
  });

  it('are given in the format that Accept asks for, or in none', async () => {
    const type = async (accept: string) => {
      const answered = await server.get('/v1/charges', as('auditor'), { accept });
      await answered.body?.cancel();
      return [answered.status, answered.headers.get('content-type')?.split(';')[0]];
    };
    expect(await type('text/csv')).toEqual([200, 'text/csv']);
    expect(await type('text/csv;q=0.5, application/jsonl')).toEqual([200, 'application/jsonl']);
    expect(await type('application/vnd.apache.parquet')).toEqual([
      200,
      'application/vnd.apache.parquet',
    ]);
    expect(await type('*/*')).toEqual([200, 'application/json']);
    expect(await type('image/png')).toEqual([406, 'application/problem+json']);
  });

  it('know each restore point, its state and its tree as an archive, the same bytes each time', async () => {
    const [point] = await all('/v1/restore-points', 'auditor', 10);
    const { body } = await get(`/v1/restore-points/${point.restorePointId}`, 'auditor');
    expect(body.restorePoint).toMatchObject({ tree: point.tree, metric: point.metric });
    expect(body.state.budget.remaining).toBe(point.budgetRemaining);
    const archive = async () =>
      Buffer.from(
        await (
          await server.get(`/v1/restore-points/${point.restorePointId}/tree`, as('auditor'))
        ).arrayBuffer(),
      );
    const bytes = await archive();
    expect((await archive()).equals(bytes)).toBe(true);
    const held = await server.get(
      `/v1/restore-points/${point.restorePointId}/tree`,
      as('auditor'),
      { 'if-none-match': `"${point.tree}"` },
    );
    expect([held.status, await held.text()]).toEqual([304, '']);
    const files: Record<string, string> = {};
    const unpack = extract();
    Readable.from([bytes]).pipe(createGunzip()).pipe(unpack);
    for await (const entry of unpack) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      const content = Buffer.concat(chunks);
      files[entry.header.name] = createHash('sha1')
        .update(`blob ${content.length}\0`)
        .update(content)
        .digest('hex');
    }
    const listed = git(join(home.folder, 'objects.git'), 'ls-tree', '-r', point.tree).split('\n');
    expect(files).toEqual(
      Object.fromEntries(
        listed.map((line) => {
          const [, , oid = '', path = ''] = line.split(/\s+/);
          return [path, oid];
        }),
      ),
    );
  });
});

/** What every format can say: numbers as numbers, moments as moments, lists as JSON. */
const normal = (name: string, value: unknown): unknown => {
  if (value === null || value === '') return null;
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return JSON.stringify(value);
  if (/At$/.test(name)) return new Date(value.replace(/([+-]\d\d)$/, '$1:00')).toISOString();
  // A spreadsheet would compute what begins so; the CSV says that it is text.
  const text = value.replace(/^'(?=[=+\-@])/, '');
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
};

describe('what an auditor reads', () => {
  it('stands in the log before he has it; what others read does not', async () => {
    const before = (await eventsOf(`access-${await idOf('auditor')}`)).length;
    await get(`/v1/cutover-audit?run=${FINISHED}&limit=1`, 'auditor');
    await (await server.get('/v1/charges?format=csv', as('auditor'))).text();
    await get(`/v1/runs/${FINISHED}`, 'researcher');
    await get('/health/ready', 'auditor');
    const recorded = (await eventsOf(`access-${await idOf('auditor')}`)).slice(before);
    expect(recorded.map(({ type, data, metadata }) => [type, data, metadata.actor])).toEqual([
      [
        'LedgerRead',
        { operation: 'listCutovers', asked: { run: FINISHED, limit: 1 } },
        { role: 'auditor', id: await idOf('auditor') },
      ],
      [
        'LedgerRead',
        { operation: 'listCharges', asked: { format: 'csv' } },
        { role: 'auditor', id: await idOf('auditor') },
      ],
    ]);
    expect(await eventsOf(`access-${await idOf('researcher')}`)).toEqual([]);
  });

  it('is recorded each time, many at once too', async () => {
    const before = (await eventsOf(`access-${await idOf('auditor')}`)).length;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => get(`/v1/runs/${FINISHED}`, 'auditor')),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect((await eventsOf(`access-${await idOf('auditor')}`)).length).toBe(before + 12);
  });
});

describe('an agent outside', () => {
  let runId: string;
  const path = () => `/v1/agent/runs/${runId}`;
  const waits = (): Promise<Answer> =>
    until(async () => {
      const view = await get(path(), 'agent');
      return view.status === 200 && view.body.score !== null ? view : null;
    });

  beforeAll(async () => {
    const { body } = await post('/v1/studies/parcels/runs', 'researcher', { agent: 'agent-1' });
    runId = body.runId;
  });

  it('sees its own run and no other, and nobody else sees what it sees', async () => {
    const view = await waits();
    expect(Object.keys(view.body).toSorted()).toEqual(
      ['attempts', 'brief', 'budget', 'cohorts', 'files', 'runId', 'score', 'seed'].toSorted(),
    );
    expect((await get(`${path()}/brief`, 'agent')).body).toEqual(view.body.brief);
    expect((await get(`${path()}/files`, 'agent')).body).toEqual({ files: view.body.files });
    const cohorts = await server.get(`${path()}/cohorts`, as('agent'));
    expect(await cohorts.text()).toBe(view.body.cohorts);
    for (const [who, other] of [
      ['other agent', path()],
      ['agent', `/v1/agent/runs/${FINISHED}`],
      ['agent', '/v1/agent/runs/nope-1'],
    ] as const)
      expect((await get(other, who)).body).toMatchObject({
        status: 404,
        type: 'urn:holdfast:problem:run-unknown',
      });
    const forOne = await server.token('agent', {
      subject: 'agent-1',
      run: FINISHED,
      projects: ['post'],
    });
    expect((await json(server.get(path(), forOne))).status).toBe(404);
  });

  it('proposes hypothesis, mutation and finding; what it repeats is charged once', async () => {
    await waits();
    const early = await post(`${path()}/mutations`, 'agent', {
      domain: 'feature',
      summary: 'too early',
      edits: [],
    });
    expect(early).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:not-now' } });

    const hypothesis = { statement: 'Cohorts by route tell more', expectedEffect: 0.02 };
    const said = await post(`${path()}/hypotheses`, 'agent', hypothesis, 'h1');
    expect(said).toMatchObject({ status: 200, body: { outcome: 'proposed', remaining: 75 } });
    expect((await post(`${path()}/hypotheses`, 'agent', hypothesis, 'h1')).body).toEqual(said.body);
    const other = { ...hypothesis, statement: 'Something else' };
    expect((await post(`${path()}/hypotheses`, 'agent', other, 'h1')).status).toBe(422);

    const mutation = {
      domain: 'feature',
      summary: 'use shift, route',
      edits: [{ path: 'features.json', content: '{"use":["shift","route"]}\n' }],
    };
    const [first, second] = await Promise.all([
      post(`${path()}/mutations`, 'agent', mutation, 'm1'),
      post(`${path()}/mutations`, 'agent', mutation, 'm1'),
    ]);
    expect(first).toMatchObject({ status: 200, body: { outcome: 'proposed', remaining: 55 } });
    expect(second.body).toEqual(first.body);
    const attempted = await until(async () => {
      const view = await get(path(), 'agent');
      return view.body.attempts[0]?.outcome === 'kept' ? view : null;
    });
    expect(attempted.body.budget.remaining).toBe(55);

    const finding = await post(`${path()}/findings`, 'agent', { reason: 'that was it' });
    expect(finding.body).toMatchObject({ outcome: 'ended' });
    await runIs(runId, 'closed');
    const charges = await all(`/v1/charges?run=${runId}`, 'auditor', 100);
    expect(charges.map(({ charge, actorId }) => [charge, actorId])).toEqual([
      ['hypothesis', 'agent-1'],
      ['feature', 'agent-1'],
    ]);
  });

  it('has a finding that people verify and review', async () => {
    const [finding] = (await get(`/v1/findings?run=${runId}`, 'reviewer')).body.rows;
    const at = `/v1/findings/${finding.findingId}`;
    const reads = (await eventsOf(`access-${await idOf('auditor')}`)).length;
    const verdict = await post(`${at}/verification`, 'auditor', '', 'v1');
    // A repetition asks no runner again, and tells a verdict all the same.
    await post(`${at}/verification`, 'auditor', '', 'v1');
    const verifyRead = { operation: 'verifyFinding', asked: { findingId: finding.findingId } };
    expect(
      (await eventsOf(`access-${await idOf('auditor')}`)).slice(reads).map(({ data }) => data),
    ).toEqual([verifyRead, verifyRead]);
    expect(verdict).toMatchObject({
      status: 200,
      body: { findingId: finding.findingId, verdict: 'PASS', requested: true },
    });
    const rows = verdict.body.rows as readonly { readonly passed: boolean }[];
    expect(rows.every(({ passed }) => passed)).toBe(true);
    const rejected = await post(`${at}/review`, 'reviewer', { decision: 'accepted' });
    expect(rejected.body).toMatchObject({ status: 400, errors: [{ pointer: '/reason' }] });
    const review = { decision: 'accepted', reason: 'the chain holds' };
    const accepted = await post(`${at}/review`, 'reviewer', review, 'r1');
    expect(accepted).toMatchObject({ status: 200, body: review });
    expect((await post(`${at}/review`, 'reviewer', review, 'r1')).body).toEqual(accepted.body);
    const events = await eventsOf(`finding-${finding.findingId}`);
    expect(events.filter(({ type }) => type === 'FindingAccepted')).toHaveLength(1);
    expect(events.find(({ type }) => type === 'FindingReviewed').metadata.actor).toEqual({
      role: 'reviewer',
      id: await idOf('reviewer'),
    });
    const shown = await get(at, 'auditor');
    expect(shown.body).toMatchObject({
      review: 'accepted',
      reviewedBy: await idOf('reviewer'),
      reviewReason: 'the chain holds',
      verdict: 'PASS',
    });
    await until(async () =>
      (await home.sourceTree.readRef('accepted/parcels')) === finding.toTree ? true : null,
    );
  });
});

describe('what a regulator asks', () => {
  /** The finding that the reviewer has accepted, and when. */
  const accepted = async () => {
    const [row] = (await get('/v1/audit/reviews', 'reviewer')).body.rows;
    const { findingId, runId, at } = row as { findingId: string; runId: string; at: string };
    return { findingId, runId, at };
  };

  const LISTS = ['changes', 'access', 'incidents', 'findings', 'reviews'] as const;

  it.each(LISTS)(
    'gives each row of %s once, whatever the size of a page, and as a file',
    async (list) => {
      const path = `/v1/audit/${list}?run=${FINISHED}`;
      const whole = await all(path, 'reviewer', 1000);
      for (const limit of [1, 7]) expect(await all(path, 'reviewer', limit)).toEqual(whole);
      expect(await all(`${path}&order=newest`, 'reviewer', 5)).toEqual(whole.toReversed());
      const file = await server.get(`${path}&format=jsonl`, as('reviewer'));
      const lines = (await file.text()).split('\n').filter(Boolean);
      expect(lines.map((line) => JSON.parse(line))).toEqual(whole);
      const page = await get(`${path}&limit=1`, 'reviewer');
      expect(Number(file.headers.get('holdfast-as-of'))).toBe(page.body.asOf.position);
      expect((await server.get(`${path}&format=parquet`, as('reviewer'))).status).toBe(200);
    },
  );

  it('is answered as of a time, however it is written', async () => {
    const { findingId, runId, at } = await accepted();
    const asked = async (time: string) =>
      (await get(`/v1/audit/findings?run=${runId}&at=${encodeURIComponent(time)}`, 'reviewer')).body
        .rows;
    const inForce = await asked(at);
    expect(inForce).toMatchObject([{ findingId, standing: 'accepted', inForce: 'yes' }]);
    // The clock of these tests stands still: a moment earlier there was nothing at all.
    expect(await asked(new Date(Date.parse(at) - 1).toISOString())).toEqual([]);
    expect(await asked(at.replace('Z', '+00:00'))).toEqual(inForce);
    expect(
      await asked(new Date(Date.parse(at) + 3_600_000).toISOString().replace('Z', '+01:00')),
    ).toEqual(inForce);
    expect(await asked('2020-01-01T00:00:00Z')).toEqual([]);
    expect((await get('/v1/audit/findings?at=yesterday', 'reviewer')).status).toBe(400);
  });

  it('traces what a finding rests on, and what its run led to', async () => {
    const { findingId, runId } = await accepted();
    const typesOf = ({ body }: Answer): readonly string[] =>
      (body.nodes as { readonly type: string }[]).map(({ type }) => type);
    const wide = 'depth=50&nodes=2000';
    const back = await get(`/v1/audit/trace?event=${findingId}&${wide}`, 'reviewer');
    expect(typesOf(back)).toEqual(
      expect.arrayContaining(['FindingProposed', 'MutationKept', 'RunOpened', 'LoopEnded']),
    );
    const run = `/v1/audit/trace?event=run-${runId}%400&direction=forward&${wide}`;
    expect(typesOf(await get(run, 'reviewer'))).toEqual(
      expect.arrayContaining(['MutationKept', 'FindingVerified', 'FindingAccepted']),
    );
    const cut = await get(`/v1/audit/trace?event=${findingId}&nodes=3`, 'reviewer');
    expect(cut.body).toMatchObject({ cut: 'nodes', nodes: { length: 3 } });
  });

  it('is recorded where an auditor asks it, and shown to those who ask who read', async () => {
    await get(`/v1/audit/changes?run=${FINISHED}&limit=1`, 'auditor');
    const path = `/v1/audit/access?access=ledger-read&run=${FINISHED}&order=newest&limit=1`;
    const { body } = await get(path, 'reviewer');
    expect(body.rows).toMatchObject([
      {
        ...{ actorRole: 'auditor', operation: 'listChanges', studyId: 'parcels' },
        actorId: expect.stringMatching(/^person-[0-9a-f]{32}$/) as string,
      },
    ]);
  });

  it('tells a token of another project nothing, and an agent not even that', async () => {
    for (const list of LISTS)
      expect((await get(`/v1/audit/${list}`, 'stranger')).body.rows).toEqual([]);
    const { findingId: finding } = await accepted();
    for (const asked of [
      `trace?event=${finding}`,
      `reviews?finding=${finding}`,
      `changes?run=${FINISHED}`,
    ])
      expect((await get(`/v1/audit/${asked}`, 'stranger')).status).toBe(404);
    // To the letter as for what isn't there.
    const [hidden, gone] = [
      await get(`/v1/audit/trace?event=${finding}`, 'stranger'),
      await get(`/v1/audit/trace?event=gone-1-f1`, 'stranger'),
    ];
    const said = ({ body }: Answer, id: string): string =>
      (body.detail as string).replaceAll(id, 'x');
    expect(said(hidden, finding)).toBe(said(gone, 'gone-1-f1'));
    for (const asked of [...LISTS, `trace?event=${finding}`])
      expect((await get(`/v1/audit/${asked}`, 'agent')).status).toBe(403);
  });
});

describe('a human', () => {
  it('halts a run for good, once', async () => {
    const { body } = await post('/v1/studies/parcels/runs', 'researcher', { agent: 'nobody' });
    await until(async () => {
      const run = await get(`/v1/runs/${body.runId}`, 'researcher');
      return run.body.node === 'idle' ? run : null;
    });
    const reason = { reason: 'the data were replaced' };
    const halted = await post(`/v1/runs/${body.runId}/halt`, 'operator', reason, 'halt');
    expect(halted).toMatchObject({ status: 200, body: { ended: 'halted', ...reason } });
    expect((await post(`/v1/runs/${body.runId}/halt`, 'operator', reason, 'halt')).body).toEqual(
      halted.body,
    );
    const again = await post(`/v1/runs/${body.runId}/halt`, 'operator', reason);
    expect(again).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:over' } });
    const shown = await runIs(body.runId, 'halted');
    expect(shown.body.row).toMatchObject({
      message: 'SYSTEM HALT: HALTED BY A HUMAN',
      note: 'the data were replaced',
    });
    expect(JSON.stringify(await eventsOf(`run-${body.runId}`))).not.toContain('replaced');
  });

  it('stops a loop between two iterations', async () => {
    const { body } = await post('/v1/studies/parcels/runs', 'researcher', { agent: 'nobody' });
    await until(async () => {
      const run = await get(`/v1/runs/${body.runId}`, 'researcher');
      return run.body.status === 'open' ? run : null;
    });
    // Sent while the baseline trains, most likely: it waits for its moment.
    const stopped = await post(`/v1/runs/${body.runId}/stop`, 'researcher', { reason: 'enough' });
    expect(stopped).toMatchObject({ status: 200, body: { ended: 'stopped' } });
    await runIs(body.runId, 'closed');
  });
});

it('logged no token, no body and nothing that failed', () => {
  const log = server.lines.join('');
  expect(server.lines.length).toBeGreaterThan(100);
  for (const token of Object.values(tokens)) expect(log.includes(token.slice(3))).toBe(false);
  expect(log.includes('Cohorts by route tell more')).toBe(false);
  expect(server.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});

it('left nothing in the log that the rules would not have made', async () => {
  expect(await undecided(home)).toEqual([]);
});
