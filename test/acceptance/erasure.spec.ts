import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRun, verdictOn, type Home } from '#apps/runner';
import type { Agent } from '#libs/agents';
import { TILE_WIDTH } from '#libs/merkle';
import { generateKey } from '#libs/signatures';
import { readStudy } from '#libs/studies';
import { startTestServer, type TestServer } from '../../apps/api/src/testing/server.ts';
import { madeUpParcels, makeStudy } from '../support/fixture-study.ts';
import { follow, openTestHome } from '../support/follow.ts';
import { git } from '../support/git.ts';
import { holdfast } from '../support/holdfast.ts';
import { temporaryFolder, writeSplitKey } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures } from '../support/scripted-agent.ts';
import { unpacked } from '../support/unpacked.ts';

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

/** A text as it stands in a file: in UTF-8 or UTF-16, as hexadecimal, or within a base64 text, wherever that begins. */
const needlesOf = (text: string): readonly Buffer[] => {
  const bytes = Buffer.from(text);
  const inBase64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      // What shares its bytes with a neighbour is left out.
      .slice(before === 0 ? 0 : before + 1, -4),
  );
  return [
    ...[text, text.toLowerCase(), bytes.toString('hex'), ...inBase64].map((each) =>
      Buffer.from(each),
    ),
    Buffer.from(text, 'utf16le').swap16(),
  ];
};

const holds = (bytes: Buffer, text: string): boolean =>
  needlesOf(text).some((needle) => bytes.includes(needle));

let root: string;
let home: Home;
let server: TestServer;
const tokens: Record<string, string> = {};
let copies = 0;
/** The key of the log. */
let logKey: string;

/** Files below a folder that hold a text. */
const filesIn = async (folder: string, text: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (holds(await unpacked(await readFile(path)), text)) found.push(relative(folder, path));
  }
  return found.toSorted();
};

/** A copy of the home, made by another process: were a database of this one read here, closing it would drop its locks. */
const copiedHome = (): string => {
  const folder = join(root, `copy-${(copies += 1)}`);
  execFileSync('cp', ['-r', join(root, 'home'), folder]);
  return folder;
};

/** Files of the home that hold a text: log, tiles, views, objects, leases, whatever lies there. */
const filesWith = (text: string): Promise<readonly string[]> => filesIn(copiedHome(), text);

/** Keys of the texts, as they are kept. */
const keysOfTexts = (): readonly string[] => {
  const file = new DatabaseSync(join(copiedHome(), 'erasable.sqlite'));
  const rows = file.prepare('select key from text_keys').all();
  file.close();
  return rows.map(({ key }) => String(key));
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

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: { readonly enum?: readonly string[] };
  }[];
}

/** What is not asked here: events as they come, which are told as `listRunEvents` tells them; and what is an agent's. */
const NOT_ASKED = /^\/v1\/agent\/|\/watch$/;
const ASKED_BY_OPERATORS = ['listPeople', 'listDeadLetters', 'listWorkers', 'getMetrics'];

/** The lowest tiles of the signed tree and the entries beneath them, as its newest checkpoint has them. */
const tiles = async (): Promise<readonly string[]> => {
  const size = Number((await read('/checkpoint')).toString().split('\n')[1]);
  const widths = Array.from({ length: Math.ceil(size / TILE_WIDTH) }, (_, tile) =>
    Math.min(TILE_WIDTH, size - tile * TILE_WIDTH),
  );
  return widths.flatMap((width, tile) => {
    const path = `${String(tile).padStart(3, '0')}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
    return [`0/${path}`, `entries/${path}`];
  });
};

/** Every read that the API describes of itself, in each of its formats: by operation, what it answers, unpacked. */
const everyAnswer = async (): Promise<ReadonlyMap<string, Buffer>> => {
  const restorePoints = JSON.parse((await read('/v1/restore-points')).toString()) as {
    readonly rows: readonly { readonly restorePointId: string }[];
  };
  const values: Readonly<Record<string, readonly string[]>> = {
    studyId: ['parcels'],
    runId: ['parcels-1', 'parcels-2'],
    findingId: [FINDING],
    restorePointId: [restorePoints.rows[0]!.restorePointId],
    event: [`finding-${FINDING}@0`],
    path: await tiles(),
  };
  const { paths } = JSON.parse((await read('/openapi.json')).toString()) as {
    readonly paths: Readonly<Record<string, { readonly get?: Described }>>;
  };
  const answers = new Map<string, Buffer>();
  for (const [path, { get }] of Object.entries(paths)) {
    if (get === undefined || NOT_ASKED.test(path)) continue;
    let addresses = [path];
    for (const { name, in: where, required = false, schema } of get.parameters ?? []) {
      if (!required && name !== 'format') continue;
      const taken = schema.enum ?? values[name];
      if (taken === undefined) throw new Error(`what shall ${name} of ${path} be?`);
      addresses = addresses.flatMap((address) =>
        taken.map((value) =>
          where === 'path'
            ? address.replace(`{${name}}`, value)
            : `${address}${address.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`,
        ),
      );
    }
    // What is signed the command line writes: the API holds no key.
    for (const address of addresses.filter((each) => !each.endsWith('/slsa'))) {
      const who = ASKED_BY_OPERATORS.includes(get.operationId) ? 'operator' : 'auditor';
      const before = answers.get(get.operationId) ?? Buffer.alloc(0);
      const answer = await unpacked(await read(address, who));
      expect(answer.length, address).toBeGreaterThan(0);
      answers.set(get.operationId, Buffer.concat([before, answer]));
    }
  }
  return answers;
};

const answersWith = async (text: string): Promise<readonly string[]> =>
  [...(await everyAnswer())].flatMap(([operation, answer]) =>
    holds(answer, text) ? [operation] : [],
  );

/** Where a text stands: the home, the log, answers of the API and its lines about them, what was written for others. */
const placesWith = async (text: string) => ({
  home: await filesWith(text),
  log: await logHolds(text),
  answers: await answersWith(text),
  lines: server.lines.filter((line) => line.includes(text)),
  files: await filesIn(join(root, 'out'), text),
  anchors: await filesIn(join(root, 'remote.git'), text),
});
const NOWHERE: Awaited<ReturnType<typeof placesWith>> = {
  ...{ home: [], log: false, answers: [], lines: [], files: [], anchors: [] },
};

/** What the command line writes into files for others, and the key that they verify it with. */
const writeFiles = async (folder: string): Promise<string> => {
  await mkdir(folder);
  const cli = async (...args: readonly string[]): Promise<string> => {
    const said = await holdfast([...args, '--home', join(root, 'home')]);
    expect([args, said.exitCode, said.stderr]).toEqual([args, 0, '']);
    return said.stdout;
  };
  const bundle = join(folder, 'finding.bundle');
  await cli('bundle', FINDING, '--out', bundle);
  await cli('bundle', 'parcels-2', '--out', join(folder, 'run.bundle'));
  await cli('export', FINDING, '--as', 'slsa', '--out', join(folder, 'slsa'));
  const key = (await cli('notary', 'key')).trim();
  await cli('replay', bundle, '--key', key, '--record', join(folder, 'replay.json'));
  return key;
};

/** Operations that show people's texts or names to those who may read them. */
const SHOWN = [
  ...['listRuns', 'getRun', 'listFindings', 'getFinding'],
  ...['listChanges', 'listIncidents', 'listReviews', 'listPeople'],
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
  const remote = join(root, 'remote.git');
  git(root, 'init', '--bare', '-q', remote);
  const anchored = await holdfast(['notary', 'seal', '--home', join(root, 'home')], {
    env: { HOLDFAST_ANCHOR_REMOTE: remote },
  });
  expect(anchored).toMatchObject({ exitCode: 0, stderr: '' });
  logKey = await writeFiles(join(root, 'out'));
}, PATIENCE);
afterAll(async () => {
  await server.stop();
  await home.close();
  await rm(root, { recursive: true, force: true });
});

describe('the log, its views, its objects and all that leaves', () => {
  it('hold no identifier of the raw data', async () => {
    expect(await placesWith(IN_ROWS)).toEqual(NOWHERE);
  }, 120_000);

  it('are searched where something would be found', async () => {
    expect(holds(await readFile(join(root, 'study/data/parcels.csv')), IN_ROWS)).toBe(true);
    expect((await filesWith('shift,route')).some((path) => /objects/.test(path))).toBe(true);
    expect(await logHolds('WorkerDismissed')).toBe(true);
    const out = join(root, 'out');
    expect(await filesIn(out, 'parcels-1')).toEqual((await readdir(out)).toSorted());
    expect(await filesIn(join(root, 'remote.git'), 'holdfast@localhost')).not.toEqual([]);
    const answers = await everyAnswer();
    for (const [operation, text] of [
      ['listCutovers', 'parcels-1'],
      ['getRestorePointTree', 'features.json'],
      ['getFindingBundle', AUTHOR],
    ] as const)
      expect([operation, holds(answers.get(operation)!, text)]).toEqual([operation, true]);
    // Text on a page of a PDF, and in none of what describes it.
    const pdf = await unpacked(await read(`/v1/findings/${FINDING}/exports/dossier-pdf`));
    const { pins } = (await home.runs.load('parcels-1')).state.opened!;
    expect(holds(pdf, pins.dataDigest)).toBe(true);
    const listed = await unpacked(await read('/v1/cutover-audit?format=parquet'));
    expect(holds(listed, 'parcels-1')).toBe(true);
    expect(server.lines.length).toBeGreaterThan(50);
  }, 120_000);

  it('hold nothing that people said or are called in clear, but where their readers are shown it', async () => {
    // Their names stand in the two files that say who is let in, and what they said nowhere.
    const places = await placesWith(BY_PEOPLE);
    const home = places.home.map((path) => path.replace(/-(wal|shm)$/, ''));
    expect({ ...places, home: [...new Set(home)] }).toEqual({
      ...NOWHERE,
      home: ['erasable.sqlite', 'tokens.json'],
      answers: SHOWN,
    });
    expect(await filesWith('the chain holds')).toEqual([]);
  }, 120_000);

  it('name the authors of the study in the proof of its source commit alone', async () => {
    expect(await logHolds(AUTHOR)).toBe(false);
    const proofs = await filesWith(AUTHOR);
    expect(proofs).not.toEqual([]);
    for (const path of proofs) {
      const object = (await unpacked(await readFile(join(root, 'home', path)))).toString();
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
    const keys = keysOfTexts();
    expect(keys.length).toBeGreaterThanOrEqual(places.length);
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

    const gone = copiedHome();
    for (const text of [BY_PEOPLE, ...keys]) expect(await filesIn(gone, text)).toEqual([]);
    expect((await erase('people', 'list')).stdout).toBe('nobody\n');
    expect(await verdictOn(home, FINDING)).toEqual(before);
    const verified = await erase('verify', FINDING);
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('PASS') });
  });

  it('is shown where the texts were, by views that are made anew without a key', async () => {
    const rebuilt = await erase('rebuild');
    expect(rebuilt.exitCode).toBe(0);
    for (const role of ['auditor', 'operator'] as const) tokens[role] = await server.token(role);
    expect(await answersWith(BY_PEOPLE)).toEqual([]);
    const finding = JSON.parse((await read(`/v1/findings/${FINDING}`)).toString());
    expect(finding).toMatchObject({ review: 'accepted', reviewReason: '(erased)' });
    const shown = await erase('show', 'parcels-2');
    expect(shown.stdout).toContain('HALTED BY A HUMAN: (erased)');
  }, 120_000);

  it('changes no byte of a bundle, which both verifiers pass as before', async () => {
    const bundle = join(root, 'erased.bundle');
    expect((await erase('bundle', FINDING, '--out', bundle)).exitCode).toBe(0);
    const before = await readFile(join(root, 'out/finding.bundle'));
    expect(Buffer.compare(await readFile(bundle), before)).toBe(0);
    expect((await holdfast(['verify', bundle, '--key', logKey])).exitCode).toBe(0);
    const second = join(import.meta.dirname, '../second-verifier/verify.py');
    // Ends with another exit code where a row does not hold, and then this throws.
    execFileSync('python3', ['-B', second, bundle, '--key', logKey]);
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
