import { hash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  driveRun,
  LOG_TREE,
  makeBundle,
  openRun,
  type Fork,
  type Home,
  type MadeBundle,
} from '#apps/runner';
import type { BundleVerdict, Subject } from '#libs/bundle';
import { deriveId } from '#libs/kernel';
import { readLogTree } from '#libs/log-tree';
import { readStudy } from '#libs/studies';
import { startTestServer } from '../../apps/api/src/testing/server.ts';
import { LOCAL_REVIEWER } from '../../apps/runner/src/actors.ts';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { sealAlone } from '../support/sealing.ts';
import { scriptedAgent, useFeatures, type Idea } from '../support/scripted-agent.ts';

const PATIENCE = 180_000;
const ROUTE = useFeatures('route');
const BOTH = useFeatures('shift', 'route');

let prepared: Prepared;
let home: Home;
inPreparedHome((made) => ({ prepared, home } = made), {
  'program/features.json': () => '{ "use": ["paper"] }\n',
});

const follow = async (ideas: readonly Idea[], fork: Fork | null = null): Promise<string> => {
  const opened = good(
    await openRun(home, { study: good(await readStudy(prepared.study)), seed: 1 }, fork),
  );
  const { runId, study } = opened;
  good(await driveRun(home, { runId, study, agent: scriptedAgent(ideas) }));
  return runId;
};

const seal = () => sealAlone(home);

const making = (subject: Subject, atLeast = 0) =>
  makeBundle(home, {
    ...{ subject, atLeast, seal },
    tree: () => readLogTree(join(home.folder, LOG_TREE)),
  });

const bytesOf = async ({ bytes, close }: MadeBundle): Promise<Buffer> => {
  const lines: Uint8Array[] = [];
  for await (const line of bytes()) lines.push(line);
  close();
  return Buffer.concat(lines);
};

const bundleOf = async (subject: Subject, atLeast = 0): Promise<Buffer> =>
  bytesOf(good(await making(subject, atLeast)));

/** The command with a home that is none: whatever it needed of one would be missed. */
const verify = (...args: readonly string[]) =>
  holdfast(['verify', ...args], { env: { HOLDFAST_HOME: join(prepared.root, 'nowhere') } });

const FINDING = { kind: 'finding', id: 'parcels-2-f1' } as const;
let key: string;
let file: string;

beforeAll(async () => {
  await follow([ROUTE]);
  await follow([BOTH], { runId: 'parcels-1', from: 1 });
  const made = good(await making(FINDING));
  expect(made.verdicts).toEqual([{ findingId: 'parcels-2-f1', verdict: 'PASS' }]);
  key = made.verifierKey;
  file = join(prepared.root, 'bundle');
  await writeFile(file, await bytesOf(made));
}, PATIENCE);

interface Header {
  readonly streams: { events: number; head: string; readonly stream: string }[];
}

/** The bundle as it was before its finding was reviewed, but for what the checkpoint says: header, page and end fit. */
const withoutReview = (bundle: Buffer): string => {
  const lines = bundle.toString('utf8').trimEnd().split('\n');
  const at = lines.findIndex((line) => line.includes('"type":"FindingReviewed"}'));
  lines.splice(at, 1);
  const body = lines[at - 1]!.slice('{"body":'.length, lines[at - 1]!.lastIndexOf(',"leaf":{'));
  const header = JSON.parse(lines[0]!) as Header;
  const stream = header.streams.find((each) => body.includes(`"stream":"${each.stream}"`))!;
  stream.events -= 1;
  stream.head = hash('sha256', body);
  lines[0] = canonicalize(header)!;
  lines[lines.length - 2] = lines.at(-2)!.replace(/ {2}reviewed .*?\\n/, '');
  lines[lines.length - 1] = canonicalize({ lines: lines.length - 1, part: 'end' })!;
  return `${lines.join('\n')}\n`;
};

describe('a bundle of a home', () => {
  it(
    'is verified by a file and a key, a fork with what it was forked from',
    async () => {
      const said = await verify(file, '--key', key, '--json');
      expect(said.stderr).toBe('');
      expect(said.exitCode).toBe(0);
      const [verdict] = jsonLines<BundleVerdict>(said);
      expect(verdict).toMatchObject({
        verdict: 'PASS',
        subject: FINDING,
        findings: [
          { findingId: 'parcels-2-f1', verdict: 'PASS' },
          { findingId: 'parcels-1-f1', verdict: 'PASS' },
        ],
      });
      const fork = verdict?.findings[0]?.rows.find(({ row }) => row === 'fork-point');
      expect(fork?.found).toContain('by the finding parcels-1-f1');
      const text = await verify(file, '--key', key);
      expect(text.exitCode).toBe(0);
      const rows = [...(verdict?.rows ?? []), ...(verdict?.findings[0]?.rows ?? [])];
      for (const { row } of rows) expect(text.stdout).toContain(`✓ ${row}`);
      expect(text.stdout).toContain('PASS   finding parcels-2-f1');
      expect(text.stdout).toContain('What rests on whose word');
      for (const line of text.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    },
    PATIENCE,
  );

  it(
    'is blocked with a byte changed, and says where',
    async () => {
      const bytes = await readFile(file, 'latin1');
      const tampered = join(prepared.root, 'tampered');
      await writeFile(tampered, bytes.replace('"MutationKept"', '"MutationLept"'), 'latin1');
      const said = await verify(tampered, '--key', key, '--json');
      expect(said.exitCode).toBe(1);
      const [verdict] = jsonLines<BundleVerdict>(said);
      // The first one that was kept is of the run that was forked.
      const rows = (at: number) =>
        verdict?.findings[at]?.rows.filter(({ passed }) => !passed).map(({ row }) => row);
      expect(verdict?.findings.map(({ findingId }) => findingId)).toEqual([
        'parcels-2-f1',
        'parcels-1-f1',
      ]);
      expect(rows(0)).toEqual(['fork-point']);
      expect(rows(1)).toContain('hash-chain');
      const text = await verify(tampered, '--key', key);
      expect(text.exitCode).toBe(1);
      expect(text.stdout).toContain('✗ hash-chain');
      expect(text.stdout).toContain('BLOCK  finding parcels-2-f1');
    },
    PATIENCE,
  );

  it(
    'that is none, and a key that is none, are bad input',
    async () => {
      const other = join(prepared.study, 'holdfast.yaml');
      for (const [args, code] of [
        [[other, '--key', key], 'no-bundle'],
        [[file], 'key-missing'],
        [[file, '--key', 'nobody'], 'bad-key'],
        [[file, '--key', key, '--witness', key], 'bad-key'],
        [[file, '--key', key, '--seen', other], 'bad-checkpoint'],
        [[file, '--key', key, '--timestamp-ca', file], 'file-unreadable'],
      ] as const) {
        const said = await verify(...args, '--json');
        expect(said.exitCode, code).toBe(2);
        expect(jsonLines(said)).toMatchObject([{ error: { code } }]);
      }
    },
    PATIENCE,
  );

  it(
    'is the same bytes however the log grows, until something is said of the finding itself',
    async () => {
      const first = await readFile(file);
      expect((await bundleOf(FINDING)).equals(first)).toBe(true);
      await follow([ROUTE]);
      good(await seal());
      expect((await bundleOf(FINDING)).equals(first)).toBe(true);
      // Over a newer checkpoint it is another bundle of the same finding.
      const { size } = good(await seal()).checkpoint!;
      const newer = await bundleOf(FINDING, size);
      expect(newer.equals(first)).toBe(false);
      expect(await making(FINDING, size + 1)).toMatchObject({ error: { code: 'not-sealed' } });
      const { head } = await home.findings.load('parcels-2-f1');
      const review = {
        type: 'ReviewFinding',
        id: deriveId('review', 'parcels-2-f1', head?.id ?? ''),
        data: { decision: 'rejected', reason: SEALED },
      } as const;
      good(await home.findings.send('parcels-2-f1', review, LOCAL_REVIEWER));
      const reviewed = await bundleOf(FINDING);
      expect(reviewed.equals(first)).toBe(false);
      const later = join(prepared.root, 'later');
      await writeFile(later, reviewed);
      expect((await verify(later, '--key', key)).exitCode).toBe(0);
      // Somebody who has no key makes the review disappear, and all else fit.
      await writeFile(later, withoutReview(reviewed));
      const cut = await verify(later, '--key', key);
      expect(cut.exitCode).toBe(1);
      expect(cut.stdout.match(/✗ \S+/g)).toEqual(['✗ heads']);
    },
    PATIENCE,
  );

  it(
    'is written by the command, whole and over nothing',
    async () => {
      const out = join(prepared.root, 'run.jsonl');
      const args = ['bundle', 'parcels-1', '--home', home.folder, '--out', out, '--json'];
      const said = await holdfast(args);
      expect(said.stderr).toBe('');
      const [made] = jsonLines<{ file: string; bytes: number; verifierKey: string }>(said);
      expect(made).toMatchObject({ file: out, verifierKey: key });
      expect((await stat(out)).size).toBe(made?.bytes);
      expect((await verify(out, '--key', key)).exitCode).toBe(0);
      const again = await holdfast(args);
      expect(again.exitCode).toBe(2);
      expect(jsonLines(again)).toMatchObject([{ error: { code: 'file-exists' } }]);
      expect((await holdfast([...args, '--force'])).exitCode).toBe(0);
      const unknown = await holdfast(['bundle', 'nope-1', '--home', home.folder]);
      expect(unknown.exitCode).toBe(2);
    },
    PATIENCE,
  );

  it(
    'is given by the API to those who read the finding, once the log is signed',
    async () => {
      const server = await startTestServer({}, home);
      try {
        const at = '/v1/findings/parcels-1-f1/bundle';
        const auditor = await server.token('auditor');
        const answer = await server.get(at, auditor);
        expect(answer.status).toBe(200);
        expect(answer.headers.get('holdfast-verifier-key')).toBe(key);
        const given = Buffer.from(await answer.arrayBuffer());
        const made = await bundleOf({ kind: 'finding', id: 'parcels-1-f1' });
        expect(given.equals(made)).toBe(true);
        const { size } = good(await seal()).checkpoint!;
        const later = await server.get(`${at}?atLeast=${size + 1000}`, auditor);
        expect([later.status, await later.json()]).toMatchObject([
          409,
          { type: expect.stringContaining('not-sealed') },
        ]);
        // What a monitor holds of the log is what a bundle is held against.
        const seen = join(prepared.root, 'checkpoint.txt');
        await writeFile(seen, await (await server.get('/checkpoint', auditor)).text());
        const newer = join(prepared.root, 'newer');
        const covering = await server.get(`${at}?atLeast=${size}`, auditor);
        await writeFile(newer, Buffer.from(await covering.arrayBuffer()));
        const held = await verify(newer, '--key', key, '--seen', seen);
        expect([held.exitCode, held.stdout]).toMatchObject([
          0,
          expect.stringContaining('✓ seen-checkpoint'),
        ]);
        const older = await verify(file, '--key', key, '--seen', seen);
        expect(older.stdout.match(/✗ \S+/g)).toEqual(['✗ seen-checkpoint']);
        expect((await server.get(at, await server.token('agent'))).status).toBe(403);
        expect((await server.get('/v1/findings/nope-1-f1/bundle', auditor)).status).toBe(404);
      } finally {
        await server.stop();
      }
    },
    PATIENCE,
  );
});
