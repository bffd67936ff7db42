import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRun, verdictOn, type Home } from '#apps/runner';
import type { Agent } from '#libs/agents';
import { generateKey } from '#libs/signatures';
import { readStudy } from '#libs/studies';
import { startTestServer, type TestServer } from '../../apps/api/src/testing/server.ts';
import { madeUpParcels, makeStudy } from '../support/fixture-study.ts';
import { follow, openTestHome } from '../support/follow.ts';
import { holdfast } from '../support/holdfast.ts';
import { temporaryFolder, writeSplitKey } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures } from '../support/scripted-agent.ts';

const PATIENCE = 180_000;
const FINDING = 'parcels-1-f1';

/** Stands in every name, address, number and note of the raw data, and in every row id. */
const IN_ROWS = 'Zqxwvkjq';
/** Stands in everything that people say here, and in the names under which they are let in. */
const BY_PEOPLE = 'Vjwqkzx';
/** The author of the study's own commit. */
const AUTHOR = 'tester@localhost';

const peopledCsv = (): string => {
  const [header = '', ...rows] = madeUpParcels().trimEnd().split('\n');
  const identifiers = (i: number): readonly string[] => [
    `${IN_ROWS}P${i}`,
    `${IN_ROWS} Person ${i}`,
    `${IN_ROWS.toLowerCase()}.${i}@mail.localhost`,
    `${IN_ROWS}-${i}`,
    `${IN_ROWS} rang twice at ${i}`,
  ];
  return [
    `parcel,courier_name,email,ssn,notes,${header}`,
    ...rows.map((row, i) => `${identifiers(i).join(',')},${row}`),
    '',
  ].join('\n');
};

const withIdentifiers = (text: string): string =>
  text
    .replace(/row_id: null.*/, 'row_id: parcel')
    .replace('identifiers: []', 'identifiers: [courier_name, email, ssn, notes]');

/** A text as it stands in a file: in UTF-8, as hexadecimal, or within a base64 text, wherever that begins. */
const needlesOf = (text: string): readonly Buffer[] => {
  const bytes = Buffer.from(text);
  const inBase64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      // What shares its bytes with a neighbour is left out.
      .slice(before === 0 ? 0 : before + 1, -4),
  );
  return [text, text.toLowerCase(), bytes.toString('hex'), ...inBase64].map((needle) =>
    Buffer.from(needle),
  );
};

/** Objects of git are compressed: what is searched is what stands in them. */
const plain = (bytes: Buffer): Buffer => (bytes[0] === 0x78 ? inflateSync(bytes) : bytes);

const holds = (bytes: Buffer, text: string): boolean =>
  needlesOf(text).some((needle) => bytes.includes(needle));

let root: string;
let home: Home;
let server: TestServer;
const tokens: Record<string, string> = {};
let copies = 0;

/**
 * Files of the home that hold a text: log, views, objects, leases, whatever lies there. Of a copy that another process
 * makes: were a database of this process read here, closing it would drop the locks that keep others from it.
 */
const filesWith = async (text: string): Promise<readonly string[]> => {
  const found: string[] = [];
  const folder = join(root, `copy-${(copies += 1)}`);
  execFileSync('cp', ['-r', join(root, 'home'), folder]);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (holds(plain(await readFile(path)), text)) found.push(relative(folder, path));
  }
  return found.toSorted();
};

const logHolds = async (text: string): Promise<boolean> => {
  for await (const { canonical } of home.log.readStored())
    if (holds(Buffer.from(canonical), text)) return true;
  return false;
};

const post = async (path: string, who: string, body: unknown) => {
  const answered = await server.post(path, tokens[who] ?? '', body);
  expect([path, answered.status]).toEqual([path, 200]);
  return answered;
};
const read = async (path: string, who = 'auditor'): Promise<Buffer> => {
  const answered = await server.get(path, tokens[who]);
  expect([path, answered.status]).toEqual([path, 200]);
  return Buffer.from(await answered.arrayBuffer());
};

/** Everything that leaves the ledger as a file, or as events. */
const EXPORTS = [
  ...['cutover-audit', 'restore-points', 'charges'].flatMap((ledger) =>
    ['csv', 'jsonl', 'parquet'].map((format) => `/v1/${ledger}?format=${format}`),
  ),
  '/v1/ledger',
  '/v1/runs/parcels-1/events?limit=100',
  '/v1/runs/parcels-2/events?limit=100',
];

const eventOf = async (stream: string, type: string): Promise<string> => {
  for await (const event of home.log.readStream(stream))
    if (event.type === type) return `${stream}@${event.revision}`;
  throw new Error(`found no ${type} in ${stream}`);
};

const said = (what: string): { readonly reason: string } => ({
  reason: `${BY_PEOPLE} says ${what}`,
});

/** Keeps one change, and is stopped by a human before the next. */
const stoppedAgent = (): Agent => {
  const agent = scriptedAgent([useFeatures('shift', 'route'), useFeatures('shift')]);
  return {
    ...agent,
    proposeHypothesis: async (view) => {
      if (view.attempts.length === 1)
        await post('/v1/runs/parcels-1/stop', 'researcher', said('enough'));
      return agent.proposeHypothesis(view);
    },
  };
};

beforeAll(async () => {
  root = await temporaryFolder();
  const study = await makeStudy(join(root, 'study'), { 'holdfast.yaml': withIdentifiers });
  await writeFile(join(study, 'data/parcels.csv'), peopledCsv());
  await writeSplitKey(join(root, 'home'), study);
  home = await openTestHome({ folder: join(root, 'home') });
  server = await startTestServer({}, home);
  for (const role of ['researcher', 'reviewer', 'auditor', 'operator'] as const)
    tokens[role] = await server.token(role, { subject: `${BY_PEOPLE}.${role}` });

  const state = good(await follow(home, study, stoppedAgent()));
  expect(state.node).toBe('sealed');
  good(await openRun(home, { study: good(await readStudy(study)), seed: 2 }));
  await post('/v1/runs/parcels-2/halt', 'operator', said('the data were replaced'));
  const review = { decision: 'accepted', ...said('the chain holds') };
  await post(`/v1/findings/${FINDING}/review`, 'reviewer', review);
  const { keyId, publicKey } = generateKey();
  await post('/v1/workers', 'operator', { publicKey, label: 'gpu-1' });
  await post(`/v1/workers/${keyId}/dismissal`, 'operator', said('the host is sold'));
  await read('/v1/findings');
}, PATIENCE);
afterAll(async () => {
  await server.stop();
  await home.close();
  await rm(root, { recursive: true, force: true });
});

describe('the log, its views, its objects and its exports', () => {
  it('hold no identifier of the raw data', async () => {
    expect(await filesWith(IN_ROWS)).toEqual([]);
    expect(await logHolds(IN_ROWS)).toBe(false);
    for (const path of EXPORTS)
      expect([path, holds(await read(path), IN_ROWS)]).toEqual([path, false]);
    // The search does find what is there.
    expect(holds(await readFile(join(root, 'study/data/parcels.csv')), IN_ROWS)).toBe(true);
    expect((await filesWith('shift,route')).some((path) => /objects/.test(path))).toBe(true);
    expect(await logHolds('WorkerDismissed')).toBe(true);
  });

  it('hold nothing that people said or are called in clear', async () => {
    expect(await logHolds(BY_PEOPLE)).toBe(false);
    for (const path of EXPORTS)
      expect([path, holds(await read(path), BY_PEOPLE)]).toEqual([path, false]);
    // Their names stand in the two files that say who is let in, and what they said nowhere.
    const named = (await filesWith(BY_PEOPLE)).map((path) => path.replace(/-(wal|shm)$/, ''));
    expect([...new Set(named)]).toEqual(['erasable.sqlite', 'tokens.json']);
    expect(await filesWith('the chain holds')).toEqual([]);
  });

  it('name the authors of the study in the proof of its source commit alone', async () => {
    expect(await logHolds(AUTHOR)).toBe(false);
    const proofs = await filesWith(AUTHOR);
    expect(proofs).not.toEqual([]);
    for (const path of proofs) {
      const object = plain(await readFile(join(root, 'home', path))).toString();
      expect(object).toMatch(
        /^blob \d+\0tree [0-9a-f]{40}\n(parent [0-9a-f]{40}\n)*author Tester /,
      );
    }
  });
});

describe('whoever may read the ledger', () => {
  it('reads what people said, from the API and the command line', async () => {
    const finding = JSON.parse((await read(`/v1/findings/${FINDING}`)).toString());
    expect(finding.reviewReason).toBe(`${BY_PEOPLE} says the chain holds`);
    expect(finding.reviewedBy).toMatch(/^person-[0-9a-f]{32}$/);
    const runs = JSON.parse((await read('/v1/runs')).toString()).rows;
    expect(runs).toMatchObject([
      { reason: 'stopped', message: 'stopped by a human', note: `${BY_PEOPLE} says enough` },
      {
        message: 'SYSTEM HALT: HALTED BY A HUMAN',
        note: `${BY_PEOPLE} says the data were replaced`,
      },
    ]);
    const shown = await holdfast(['show', 'parcels-2', '--home', join(root, 'home')]);
    expect(shown.stdout).toContain(`HALTED BY A HUMAN: ${BY_PEOPLE} says the data were replaced`);
  });

  it('tells nothing of it to an agent', async () => {
    const agent = await server.token('agent', { subject: 'agent-1' });
    for (const path of ['/v1/runs', `/v1/findings/${FINDING}`, '/v1/people'])
      expect([path, (await server.get(path, agent)).status]).toEqual([path, 403]);
  });
});

describe('erasing', () => {
  const erase = (...args: readonly string[]) => holdfast([...args, '--home', join(root, 'home')]);

  it('does nothing without --yes, and says what would be gone', async () => {
    const review = await eventOf(`finding-${FINDING}`, 'FindingReviewed');
    const asked = await erase('erase', 'text', review);
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toMatch(/nothing is done without --yes.*can not be undone/s);
    const nothing = await erase(
      'erase',
      'text',
      await eventOf('run-parcels-1', 'RunOpened'),
      '--yes',
    );
    expect(nothing).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no sealed text'),
    });
    expect((await erase('people', 'erase', `person-${'0'.repeat(32)}`, '--yes')).exitCode).toBe(2);
    expect((await home.erasures.load('erasures')).head).toBeNull();
  });

  it('takes every text and every name away, and leaves every verdict', async () => {
    const places = [
      await eventOf(`finding-${FINDING}`, 'FindingReviewed'),
      await eventOf('run-parcels-1', 'LoopEnded'),
      await eventOf('run-parcels-2', 'RunHalted'),
      await eventOf('fleet', 'WorkerDismissed'),
    ];
    const before = await verdictOn(home, FINDING);
    expect(before.verdict).toBe('PASS');
    const [first = '', ...others] = places;
    expect(await erase('erase', 'text', first, '--yes')).toMatchObject({ exitCode: 0, stderr: '' });
    for (const place of others) {
      const [stream, revision] = place.split('@');
      await post('/v1/erasures', 'operator', { stream, revision: Number(revision) });
    }
    const people = JSON.parse((await read('/v1/people', 'operator')).toString()).people;
    expect(people).toHaveLength(4);
    // The operator last: whose tokens are gone is let in no more.
    for (const { personId } of people)
      expect(await erase('people', 'erase', personId, '--yes')).toMatchObject({ exitCode: 0 });
    expect((await server.get('/v1/runs', tokens['auditor'])).status).toBe(401);

    expect(await filesWith(BY_PEOPLE)).toEqual([]);
    expect((await erase('people', 'list')).stdout).toBe('nobody\n');
    expect(await verdictOn(home, FINDING)).toEqual(before);
    const verified = await erase('verify', FINDING);
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('PASS') });
  });

  it('is shown where the texts were, by views that are made anew without a key', async () => {
    const rebuilt = await erase('rebuild');
    expect(rebuilt.exitCode).toBe(0);
    tokens['auditor'] = await server.token('auditor');
    const finding = JSON.parse((await read(`/v1/findings/${FINDING}`)).toString());
    expect(finding).toMatchObject({ review: 'accepted', reviewReason: '(erased)' });
    const shown = await erase('show', 'parcels-2');
    expect(shown.stdout).toContain('HALTED BY A HUMAN: (erased)');
  });

  it('is recorded by opaque ids alone, once, however often it is done', async () => {
    const again = await erase('erase', 'text', await eventOf('fleet', 'WorkerDismissed'), '--yes');
    expect(again.exitCode).toBe(0);
    const recorded = [];
    for await (const { type, data, metadata } of home.log.readStream('erasures')) {
      recorded.push(type);
      expect(metadata.actor.role).toBe('operator');
      expect(Object.keys(data as object).toSorted()).toEqual(
        type === 'TextErased' ? ['keyId', 'revision', 'stream'] : ['personId'],
      );
    }
    expect(recorded).toEqual([
      ...Array.from({ length: 4 }, () => 'TextErased'),
      ...Array.from({ length: 4 }, () => 'PersonErased'),
    ]);
  });

  it('is carried out again where a backup brought back what was gone', async () => {
    const { people } = (await home.erasures.load('erasures')).state;
    const [personId = ''] = people;
    // A double of a restored backup: the id of one who was erased stands for somebody again.
    const back = { issuer: 'local', subject: `${BY_PEOPLE}.back` };
    const restored = await home.erasables.personOf(back);
    expect(people.has(restored)).toBe(false);
    const file = new DatabaseSync(join(root, 'home/erasable.sqlite'));
    file.prepare('update people set person_id = ? where person_id = ?').run(personId, restored);
    file.close();
    expect((await erase('people', 'list')).stdout).toContain(BY_PEOPLE);
    expect(await erase('erase', 'apply')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await erase('people', 'list')).stdout).not.toContain(BY_PEOPLE);
  });
});
