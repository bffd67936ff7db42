import { createPublicKey, hash, verify as verifyBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  driveRun,
  LOG_TREE,
  makeBundle,
  notarySigner,
  openRun,
  sealLog,
  type Home,
} from '#apps/runner';
import { ok } from '#libs/kernel';
import { readLogTree } from '#libs/log-tree';
import { preAuthEncoding } from '#libs/signatures';
import { readStudy } from '#libs/studies';
import { judgeOf } from '../../apps/runner/src/notarising/judge-of.ts';
import { auditData, claimRow } from '../../apps/runner/src/proving/data-at-hand.ts';
import { openTestHome } from '../support/follow.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { prepare, SPLIT_KEY, type Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures } from '../support/scripted-agent.ts';

const PATIENCE = 180_000;
const FINDING = 'parcels-1-f1';

interface Made {
  readonly prepared: Prepared;
  readonly home: Home;
  /** The bundle of the run's finding. */
  readonly file: string;
  readonly key: string;
}

/** A program whose predictions tell its seed, so that a replay with another one is seen. */
const SEEDED = (text: string): string =>
  text.replace(
    '(n + 2);',
    "(n + 2) + JSON.parse(readFileSync('/task/task.json', 'utf8')).seed * 1e-6;",
  );

/** A run of one kept mutation, and the bundle of its finding. */
const make = async (train: (text: string) => string = SEEDED): Promise<Made> => {
  const prepared = await prepare({
    'program/features.json': () => '{ "use": ["paper"] }\n',
    'program/train.js': train,
  });
  const home = await openTestHome({ folder: await prepared.home() });
  const { runId, study } = good(
    await openRun(home, { study: good(await readStudy(prepared.study)), seed: 1 }),
  );
  good(await driveRun(home, { runId, study, agent: scriptedAgent([useFeatures('route')]) }));
  return { prepared, home, ...(await bundle(prepared, home, 'bundle')) };
};

const bundle = async ({ root }: Prepared, home: Home, name: string) => {
  const seal = async () =>
    sealLog(home, {
      signer: good(await notarySigner(home.keyFolder, null)),
      origin: null,
      judge: judgeOf(),
      anchors: [],
    });
  const made = good(
    await makeBundle(home, {
      ...{ subject: { kind: 'finding', id: FINDING }, seal },
      tree: () => readLogTree(join(home.folder, LOG_TREE)),
    }),
  );
  const lines: Uint8Array[] = [];
  for await (const line of made.bytes()) lines.push(line);
  made.close();
  const file = join(root, name);
  await writeFile(file, Buffer.concat(lines));
  return { file, key: made.verifierKey };
};

interface Said {
  readonly bundle: { readonly sha256: string; readonly verdict: string };
  readonly replay: {
    readonly class: string;
    readonly rows: readonly {
      readonly row: string;
      readonly outcome: string;
      readonly found: string;
    }[];
    readonly predictions: { readonly found: string; readonly expected: string };
  } | null;
  readonly record: { readonly file: string; readonly publicKey: string } | null;
}

const ROWS = (predictions: string) => [
  { row: 'environment', outcome: 'same' },
  { row: 'predictions', outcome: predictions },
  { row: 'metric', outcome: 'attested' },
];

/** What a record states, if its signature holds. */
const statementOf = async (file: string, publicKey: string) => {
  const { payload, payloadType, signatures } = JSON.parse(await readFile(file, 'utf8')) as {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
  const bytes = Buffer.from(payload, 'base64');
  const key = createPublicKey(
    `-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA${publicKey}\n-----END PUBLIC KEY-----\n`,
  );
  const sig = Buffer.from(signatures[0]?.sig ?? '', 'base64');
  expect(verifyBytes(null, preAuthEncoding(payloadType, bytes), key, sig)).toBe(true);
  return JSON.parse(bytes.toString('utf8')) as unknown;
};

let honest: Made;
let places = 0;
/** An empty folder, where nothing of the operator's is. */
const emptyFolder = async (): Promise<string> => {
  places += 1;
  const folder = join(honest.prepared.root, `auditor-${places}`);
  await mkdir(folder);
  return folder;
};

beforeAll(async () => {
  honest = await make();
}, PATIENCE);
afterAll(async () => {
  await honest.home.close();
  await honest.prepared.remove();
});

describe('a bundle', () => {
  it(
    'is trained again in an empty folder with nothing but its key, and leaves a signed record',
    async () => {
      const cwd = await emptyFolder();
      const args = ['replay', honest.file, '--key', honest.key];
      const said = await holdfast([...args, '--json'], { cwd });
      expect(said).toMatchObject({ exitCode: 0, stderr: '' });
      const [{ bundle: of, replay, record }] = jsonLines<Said>(said) as [Said];
      expect(replay).toMatchObject({ class: 'bit-exact', rows: ROWS('same') });
      expect(replay?.predictions.found).toBe(replay?.predictions.expected);
      expect(of).toMatchObject({
        verdict: 'PASS',
        sha256: hash('sha256', await readFile(honest.file), 'hex'),
      });
      // Besides the record there is the key that signed it, and no home.
      expect((await readdir(cwd, { recursive: true })).sort()).toEqual([
        '.holdfast',
        '.holdfast/keys',
        '.holdfast/keys/replayer.pem',
        `${FINDING}.replay.json`,
      ]);
      expect(record?.file).toBe(`${FINDING}.replay.json`);
      expect(await statementOf(join(cwd, record!.file), record!.publicKey)).toMatchObject({
        _type: 'https://in-toto.io/Statement/v1',
        subject: [
          { name: `${FINDING}/bundle`, digest: { sha256: of.sha256 } },
          { digest: { sha256: replay?.predictions.expected } },
        ],
        predicateType: 'urn:holdfast:replay:1',
        predicate: { ...replay },
      });
      // A record is never written over, and that is known before the training.
      const again = await holdfast(args, { cwd });
      expect(again.exitCode).toBe(2);
      expect(again.stderr).toContain('found parcels-1-f1.replay.json there already');
      const text = await holdfast([...args, '--record', 'second.json'], { cwd });
      expect(text).toMatchObject({ exitCode: 0, stderr: '' });
      expect(text.stdout).toContain(`public key ${record!.publicKey}`);
      expect(text.stdout).toContain('· metric       not recomputed (a bundle holds no rows)');
    },
    PATIENCE,
  );

  it(
    'is not trained with a byte changed: the verdict is said',
    async () => {
      const cwd = await emptyFolder();
      const bytes = await readFile(honest.file, 'latin1');
      const tampered = join(cwd, 'tampered');
      await writeFile(tampered, bytes.replace('"MutationKept"', '"MutationLept"'), 'latin1');
      const said = await holdfast(['replay', tampered, '--key', honest.key, '--json'], { cwd });
      expect(said.exitCode).toBe(1);
      expect(jsonLines<Said>(said)).toMatchObject([
        { bundle: { verdict: 'BLOCK' }, replay: null, record: null },
      ]);
      expect(await readdir(cwd)).toEqual(['tampered']);
      const text = await holdfast(['replay', tampered, '--key', honest.key], { cwd });
      expect(text.exitCode).toBe(1);
      expect(text.stdout).toContain('✗ hash-chain');
      expect(text.stdout).toContain('nothing was trained');
    },
    PATIENCE,
  );

  it(
    'is refused without a key, of another finding, and with a key that is none',
    async () => {
      const cwd = await emptyFolder();
      const { file, key, prepared } = honest;
      const train = join(prepared.study, 'program/train.js');
      for (const [args, code] of [
        [[file], 'key-missing'],
        [[file, '--key', key, '--finding', 'parcels-9-f1'], 'finding-unknown'],
        [[file, '--key', key, '--sign-with', train], 'key-unreadable'],
        [[file, '--key', key, '--record', 'nowhere/record.json'], 'folder-missing'],
      ] as const) {
        const said = await holdfast(['replay', ...args, '--json'], { cwd });
        expect(jsonLines(said), code).toMatchObject([{ error: { code } }]);
        expect(said.exitCode, code).toBe(2);
      }
      expect(await readdir(cwd)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'of a program that is not deterministic is not reproducible, and the record says so',
    async () => {
      const noisy = await make((text) =>
        text.replace('(n + 2);', '(n + 2) + Math.random() * 1e-6;'),
      );
      try {
        const cwd = await emptyFolder();
        const args = ['replay', noisy.file, '--key', noisy.key, '--json'];
        const said = await holdfast(args, { cwd });
        const [{ bundle: of, replay, record }] = jsonLines<Said>(said) as [Said];
        expect(of.verdict).toBe('PASS');
        expect(replay).toMatchObject({ class: 'not-reproducible', rows: ROWS('differs') });
        expect(said.exitCode).toBe(1);
        expect(await statementOf(join(cwd, record!.file), record!.publicKey)).toMatchObject({
          predicate: { class: 'not-reproducible' },
        });
      } finally {
        await noisy.home.close();
        await noisy.prepared.remove();
      }
    },
    PATIENCE,
  );
});

describe('a bundle, for an auditor who was given the rows', () => {
  /** What he was given, in a folder of his own. */
  const given = async () => {
    const cwd = await emptyFolder();
    const { folder, policy } = good(await readStudy(honest.prepared.study));
    await cp(join(folder, policy.data.path), join(cwd, 'rows'));
    await writeFile(join(cwd, 'split.key'), SPLIT_KEY, { mode: 0o600 });
    return cwd;
  };
  const args = () => ['replay', honest.file, '--key', honest.key, '--json'];

  it(
    'has its metric and its claim computed anew with the key that splits them, and its cohort table made again',
    async () => {
      const cwd = await given();
      const said = await holdfast([...args(), '--data', 'rows', '--split-key', 'split.key'], {
        cwd,
      });
      expect(said).toMatchObject({ exitCode: 0, stderr: '' });
      const [{ replay, record }] = jsonLines<Said>(said) as [Said];
      expect(replay?.rows).toMatchObject([
        ...ROWS('same').slice(0, 2),
        { row: 'metric', outcome: 'same' },
        { row: 'data', outcome: 'same' },
        { row: 'claim', outcome: 'same' },
      ]);
      const { claim } = (await honest.home.findings.load(FINDING)).state.proposed!;
      expect(replay?.rows[4]?.found).toContain(`${claim.estimate}, standard error`);
      expect(await statementOf(join(cwd, record!.file), record!.publicKey)).toMatchObject({
        predicate: { rows: replay?.rows },
      });
    },
    PATIENCE,
  );

  it(
    'without that key says that the rows are those of the run, and whose word the rest is',
    async () => {
      const said = await holdfast([...args(), '--data', 'rows'], { cwd: await given() });
      expect(said).toMatchObject({ exitCode: 0, stderr: '' });
      const [{ replay }] = jsonLines<Said>(said) as [Said];
      const attested = /the split key, the operator's secret, was not given.*operator's word$/;
      expect(replay?.rows.slice(2)).toMatchObject([
        { row: 'metric', outcome: 'attested', found: expect.stringMatching(attested) as string },
        { row: 'data', outcome: 'same' },
        { row: 'claim', outcome: 'attested', found: expect.stringMatching(attested) as string },
      ]);
    },
    PATIENCE,
  );

  it(
    'is refused with other rows, another key or a key alone, and nothing is trained or signed',
    async () => {
      const cwd = await given();
      const rows = await readFile(join(cwd, 'rows'), 'utf8');
      await writeFile(join(cwd, 'others'), `${rows}\n`);
      await writeFile(join(cwd, 'another.key'), new Uint8Array(32).fill(8));
      await writeFile(join(cwd, 'short.key'), new Uint8Array(31));
      const before = (await readdir(cwd)).sort();
      for (const [more, code] of [
        [['--data', 'others'], 'data-differs'],
        [['--data', 'nowhere'], 'data-missing'],
        [['--data', 'rows', '--split-key', 'another.key'], 'split-key-differs'],
        [['--data', 'rows', '--split-key', 'short.key'], 'split-key-differs'],
        [['--data', 'rows', '--split-key', 'rows'], 'split-key-unreadable'],
        // A file of which no byte can be read, by root neither.
        [['--data', 'rows', '--split-key', '/proc/self/mem'], 'split-key-unreadable'],
        [['--data', '/proc/self/mem'], 'data-unreadable'],
        [['--split-key', 'split.key'], 'usage'],
      ] as const) {
        const said = await holdfast([...args(), ...more], { cwd });
        expect(jsonLines(said), code).toMatchObject([{ error: { code } }]);
        expect(said.exitCode, code).toBe(2);
      }
      expect((await readdir(cwd)).sort()).toEqual(before);
      const home = await holdfast(['replay', FINDING, '--data', join(cwd, 'rows'), '--json'], {
        cwd,
      });
      expect(jsonLines(home)).toMatchObject([{ error: { code: 'usage' } }]);
    },
    PATIENCE,
  );

  it(
    'is told where the cohort table does not come out of the rows, or the claim does not',
    async () => {
      const { folder, policy } = good(await readStudy(honest.prepared.study));
      const opened = (await honest.home.runs.load('parcels-1')).state.opened!;
      const atHand = { file: join(folder, policy.data.path), splitKey: SPLIT_KEY };
      const table = async () => ok(new TextEncoder().encode('cell,people,positive\n0,99,98\n'));
      const audited = good(await auditData(atHand, opened, { readFile: table }));
      expect(audited).toMatchObject({
        rows: [{ row: 'data', outcome: 'differs' }],
        counts: { ok: false },
      });
      const { proposed } = (await honest.home.findings.load(FINDING)).state;
      const { sourceTree } = honest.home;
      const { counts } = good(await auditData(atHand, opened, sourceTree));
      const better = { ...proposed!, claim: { ...proposed!.claim, estimate: 0.5 } };
      expect(good(await claimRow(proposed!, opened, counts, sourceTree)).outcome).toBe('same');
      expect(good(await claimRow(better, opened, counts, sourceTree)).outcome).toBe('differs');
    },
    PATIENCE,
  );
});

describe('a replay in the home', () => {
  it(
    'is recorded, signed; the finding stands where it stood, and its bundle verifies',
    async () => {
      const { home, prepared } = honest;
      const before = (await home.findings.load(FINDING)).state;
      const said = await holdfast(['replay', FINDING, '--home', home.folder, '--json']);
      expect(said).toMatchObject({ exitCode: 0, stderr: '' });
      expect(jsonLines(said)).toMatchObject([{ class: 'bit-exact', notRecorded: null }]);
      const { state, head } = await home.findings.load(FINDING);
      expect(state).toEqual(before);
      expect(head).toMatchObject({
        type: 'FindingReplayed',
        data: { class: 'bit-exact', tree: state.proposed?.chain.toTree },
        metadata: { actor: { role: 'operator' } },
      });
      const verdict = await holdfast(['verify', FINDING, '--home', home.folder]);
      expect(verdict.exitCode).toBe(0);
      expect(verdict.stdout).toContain('1 verdict and 1 replay recorded before this one');
      const { file, key } = await bundle(prepared, home, 'replayed');
      expect((await holdfast(['verify', file, '--key', key])).exitCode).toBe(0);
    },
    PATIENCE,
  );
});
