import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyExamples, type ExamplesCopy } from '../support/examples.ts';
import { git } from '../support/git.ts';
import { holdfast, jsonLines, type Said } from '../support/holdfast.ts';

const PATIENCE = 120_000;
/** Shows all that a run on examples/pay can show, under the split key of these tests. */
const SEED = '1';
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b/;

interface Event {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
  readonly prev: string | null;
  readonly hash: string;
}

interface Row {
  readonly decision: string;
  readonly cost: number;
  readonly measuredDomain: string;
}

describe('a run on examples/pay', () => {
  let examples: ExamplesCopy;
  let home: string;
  let run: Said;
  const ask = (...args: readonly string[]) => holdfast([...args, '--home', home]);

  beforeAll(async () => {
    examples = await copyExamples();
    home = await examples.home('pay');
    run = await ask('run', examples.study('pay'), '--seed', SEED);
  }, PATIENCE);
  afterAll(() => examples.remove());

  it('ends with exit code 0 and, in a pipe, without an escape code', () => {
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).not.toMatch(ESCAPES);
  });

  it('shows the pins: source commit and tree, harness and data digest', async () => {
    const commit = git(examples.root, 'rev-parse', 'HEAD');
    const tree = git(examples.root, 'rev-parse', 'HEAD:examples/pay/program');
    const csv = await readFile(join(examples.study('pay'), 'data/cps-1988.csv'));
    expect(run.stdout).toContain(`commit ${commit.slice(0, 12)}, tree ${tree.slice(0, 12)}`);
    expect(run.stdout).toMatch(/harness +sha256 [0-9a-f]{12}/);
    const digest = createHash('sha256').update(csv).digest('hex');
    expect(run.stdout).toContain(`sha256 ${digest.slice(0, 12)} (data/cps-1988.csv)`);
  });

  it('shows a kept gain, a discarded mutation, the planted divergence with its revert, exhaustion, PASS', () => {
    expect(run.stdout).toMatch(/^ +\d+ .*✓ kept$/m);
    expect(run.stdout).toMatch(/^ +\d+ .*· discarded$/m);
    expect(run.stdout).toMatch(/^ +\d+ +add planted withholding.*↺ diverged$/m);
    expect(run.stdout).toMatch(/DIVERGENCE +gain [\d.]+ > h 0\.1\. Back to the last stable state/);
    expect(run.stdout).toMatch(
      /SYSTEM HALT: MUTATION BUDGET EXHAUSTED \(\w+ asked for \d+, \d+ of 300 left/,
    );
    expect(run.stdout).toMatch(/^ +PASS +Finding 1/m);
    expect(run.stdout).not.toContain('BLOCK');
  });

  it(
    'is shown again by show, and by watch, which ends with the run',
    async () => {
      // That the log was signed at its end is no part of the run.
      const told = { ...run, stdout: run.stdout.replace(/log signed: [^\n]*\n$/, '') };
      expect(await ask('show', 'pay-1')).toEqual(told);
      expect(await ask('watch', 'pay-1')).toEqual(told);
    },
    PATIENCE,
  );

  it(
    'is one event a line with --json, whose hash anybody can compute',
    async () => {
      const events = jsonLines<Event>(await ask('show', 'pay-1', '--json'));
      expect(events.length).toBeGreaterThan(100);
      const heads = new Map<string, string | null>();
      for (const { prev, hash, metadata, stream, revision, id, type, data } of events) {
        const hashed = { stream, revision, id, type, data, metadata: { ...metadata, prev } };
        const body = canonicalize(hashed) ?? '';
        expect(createHash('sha256').update(body).digest('hex')).toBe(hash);
        expect(prev).toBe(heads.get(stream) ?? null);
        heads.set(stream, hash);
      }
    },
    PATIENCE,
  );

  it(
    'is listed by runs, in words and as JSON, by status',
    async () => {
      expect((await ask('runs')).stdout).toContain('pay-1');
      expect(jsonLines<object[]>(await ask('runs', '--json'))[0]).toMatchObject([
        { runId: 'pay-1', status: 'closed' },
      ]);
      expect(jsonLines(await ask('runs', '--json', '--status', 'halted'))).toEqual([[]]);
    },
    PATIENCE,
  );

  it(
    'has findings that verify: every row answered',
    async () => {
      const [findings] = jsonLines<{ findingId: string; verdict: string }[]>(
        await ask('findings', '--json'),
      );
      expect(findings?.length).toBeGreaterThan(0);
      expect(jsonLines(await ask('findings', '--json', '--verdict', 'BLOCK'))).toEqual([[]]);
      for (const { findingId, verdict } of findings?.slice(0, 1) ?? []) {
        expect(verdict).toBe('PASS');
        const said = await ask('verify', findingId);
        expect(said).toMatchObject({ exitCode: 0, stderr: '' });
        expect(said.stdout).toContain('PASS');
        for (const row of ['hash-chain', 'source-pinned', 'objects', 'charges', 'monitor', 'gates'])
          expect(said.stdout).toMatch(new RegExp(`✓ ${row} `));
        expect(said.stdout).toContain('self-signed, unanchored');
      }
    },
    PATIENCE,
  );

  it(
    'is replayed bit by bit, the metric too',
    async () => {
      const said = await ask('replay', 'pay-1-f1', '--json');
      expect(said.exitCode).toBe(0);
      expect(jsonLines(said)[0]).toMatchObject({
        class: 'bit-exact',
        rows: [
          { row: 'environment', outcome: 'same' },
          { row: 'predictions', outcome: 'same' },
          { row: 'metric', outcome: 'same' },
        ],
      });
    },
    PATIENCE,
  );

  it(
    'is restored as it stood before a mutation: the tree as git has it, the state as recorded',
    async () => {
      const [points] = jsonLines<{ restorePointId: string; tree: string; metric: number }[]>(
        await ask('audit', '--ledger', 'restore', '--json'),
      );
      const point = points?.at(-1);
      if (point === undefined) throw new Error('no restore point');
      const into = join(examples.root, 'restored');
      const said = await ask('restore', point.restorePointId, '--into', into, '--json');
      expect(said.exitCode).toBe(0);
      const [restored] = jsonLines<{
        state: { line: object[]; budget: { remaining: number } };
        restorePoint: object;
      }>(said);
      expect(restored?.state.line.at(-1)).toMatchObject({ tree: point.tree, metric: point.metric });
      expect(restored?.restorePoint).toMatchObject({
        tree: point.tree,
        budgetRemaining: restored?.state.budget.remaining,
      });

      const objects = join(home, 'objects.git');
      const listed = git(objects, 'ls-tree', '-r', point.tree).split('\n');
      expect((await readdir(into)).length).toBe(listed.length);
      for (const entry of listed) {
        const [, , oid = '', path = ''] = entry.split(/\s+/);
        expect(git(into, 'hash-object', path)).toBe(oid);
      }
    },
    PATIENCE,
  );

  it(
    'has its ledgers in audit, as table, CSV and JSON, filtered',
    async () => {
      const audit = (...args: readonly string[]) => ask('audit', ...args);
      const rows = async (...args: readonly string[]) =>
        jsonLines<Row[]>(await audit('--json', ...args))[0] ?? [];
      const all = await rows('--run', 'pay-1');
      for (const decision of ['kept', 'discarded', 'reverted']) {
        const some = await rows('--decision', decision);
        expect(some.length).toBeGreaterThan(0);
        expect(some).toEqual(all.filter((row) => row.decision === decision));
      }
      const features = await rows('--domain', 'feature');
      expect(features).toEqual(all.filter(({ measuredDomain }) => measuredDomain === 'feature'));
      expect(await rows('--study', 'pay')).toEqual(all);
      expect(await rows('--to', '2020-01-01')).toEqual([]);
      expect(await rows('--limit', '2')).toEqual(all.slice(0, 2));

      const csv = (await audit('--format', 'csv')).stdout.trimEnd().split('\n');
      expect(csv).toHaveLength(all.length + 1);
      expect(csv[0]).toContain('decision');

      const table = (await audit()).stdout;
      expect(table).not.toMatch(ESCAPES);
      expect(table).toMatch(/add planted withh/);

      const charges = await rows('--ledger', 'charges');
      const spent = charges.reduce((sum, { cost }) => sum + cost, 0);
      expect(run.stdout).toContain(`${spent} of 300 spent`);
    },
    PATIENCE,
  );

  it(
    'is not mistaken for another: a run or study that nobody knows is refused, not listed as empty',
    async () => {
      for (const args of [
        ['audit', '--run', 'nope'],
        ['audit', '--study', 'nope'],
        ['findings', '--run', 'nope'],
        ['findings', '--study', 'nope'],
        ['runs', '--study', 'nope'],
      ]) {
        const said = await ask(...args);
        expect(said).toMatchObject({ exitCode: 2, stdout: '' });
        expect(said.stderr).toMatch(/found no run .*nope; list .* with: npx holdfast runs/);
      }
    },
    PATIENCE,
  );

  it(
    'gives the same views when they are made anew',
    async () => {
      const views = () =>
        Promise.all([
          ask('audit', '--json'),
          ask('audit', '--ledger', 'restore', '--json'),
          ask('audit', '--ledger', 'charges', '--json'),
          ask('findings', '--json'),
          ask('runs', '--json'),
        ]);
      const live = await views();
      const rebuilt = await ask('rebuild');
      expect(rebuilt.exitCode).toBe(0);
      expect(rebuilt.stdout).toMatch(/^views made anew from \d+ events/);
      expect(await views()).toEqual(live);
    },
    PATIENCE,
  );

  it(
    'is answered for to a regulator: what changed, was read, went wrong, stood, was reviewed, rests on what',
    async () => {
      interface Answer {
        readonly asOf: { readonly position: number };
        readonly rows: readonly ReturnType<typeof JSON.parse>[];
      }
      const answer = async (...args: readonly string[]): Promise<Answer> => {
        const [said] = jsonLines<Answer>(await ask('audit', ...args, '--json'));
        if (said === undefined) throw new Error('no answer');
        return said;
      };
      const before = (await answer('findings')).asOf;
      const unreviewed = new Date().toISOString();
      await ask('review', 'pay-1-f1', 'accept', '--reason', 'chain checked');

      const kept = await answer('changes', '--change', 'kept', '--run', 'pay-1');
      expect(kept.rows.length).toBeGreaterThan(0);
      for (const { approvedBy } of kept.rows)
        expect(approvedBy).toMatchObject([
          { role: 'reviewer', id: 'local', findingId: 'pay-1-f1' },
        ]);
      const [undone] = (await answer('incidents', '--incident', 'run-reverted')).rows;
      expect(undone?.undone).toMatchObject([{ summary: expect.stringContaining('withholding') }]);
      expect(undone?.readings.charts).toContainEqual(
        expect.objectContaining({ chart: 'gain', fired: true }),
      );
      expect(undone?.planted).toEqual(['withholding']);
      const [table] = (await answer('access', '--access', 'cohorts-released')).rows;
      expect(table).toMatchObject({ cells: expect.any(Number), people: expect.any(Number) });

      const then = await answer('findings', '--at', unreviewed);
      const now = await answer('findings');
      expect(then.rows.map(({ standing }) => standing)).not.toContain('accepted');
      expect(now.rows[0]).toMatchObject({ standing: 'accepted', inForce: 'yes', verdict: 'PASS' });
      expect(now.asOf.position).toBeGreaterThan(before.position);
      expect((await answer('reviews')).rows).toMatchObject([
        { findingId: 'pay-1-f1', note: 'chain checked', verdict: 'PASS', actorRole: 'reviewer' },
      ]);

      const [trace] = jsonLines<{ nodes: { type: string }[]; edges: object[] }>(
        await ask('audit', 'trace', 'pay-1-f1', '--json', '--depth', '50', '--nodes', '2000'),
      );
      const types = trace?.nodes.map(({ type }) => type);
      for (const type of ['RunOpened', 'RestorePointTaken', 'MutationKept', 'SealedRowsOpened'])
        expect(types).toContain(type);
      const tree = (await ask('audit', 'trace', 'pay-1-f1')).stdout;
      expect(tree).toMatch(/├─ kept: MutationKept/);
      expect(tree).not.toMatch(ESCAPES);
      expect(await ask('audit', 'trace', 'nothing')).toMatchObject({ exitCode: 2 });
    },
    PATIENCE,
  );

  it(
    'gives a regulator files, and says how far they are good',
    async () => {
      for (const question of ['changes', 'access', 'incidents', 'findings', 'reviews']) {
        const csv = await ask('audit', question, '--format', 'csv');
        expect(csv.exitCode).toBe(0);
        expect(csv.stderr).toMatch(/As of log position \d+/);
        const lines = await ask('audit', question, '--format', 'jsonl');
        const [header, ...rows] = csv.stdout.trimEnd().split('\n');
        expect(rows).toHaveLength(jsonLines(lines).length);
        for (const line of jsonLines(lines)) expect(Object.keys(line).join(',')).toBe(header);
      }
      const out = join(examples.root, 'changes.parquet');
      expect((await ask('audit', 'changes', '--format', 'parquet', '--out', out)).exitCode).toBe(0);
      expect((await readFile(out)).subarray(0, 4).toString()).toBe('PAR1');
      expect(await ask('audit', 'changes', '--out', out)).toMatchObject({ exitCode: 2 });
      expect(await ask('audit', 'changes', '--run', 'nope-1')).toMatchObject({ exitCode: 2 });
    },
    PATIENCE,
  );
});

describe('examples/lending', () => {
  it(
    'runs to its end honestly: what can not be told from noise is not kept, and claims nothing',
    async () => {
      const examples = await copyExamples();
      try {
        const home = await examples.home('lending');
        const said = await holdfast(['run', examples.study('lending'), '--home', home, '--json']);
        expect(said).toMatchObject({ exitCode: 0, stderr: '' });
        const types = jsonLines<Event>(said).map(({ type }) => type);
        expect(types).toContain('LoopEnded');
        expect(types.at(-1)).toBe('RunHeadSigned');
        const count = (type: string) => types.filter((one) => one === type).length;
        expect(count('FindingProposed') > 0).toBe(count('MutationKept') > 0);
      } finally {
        await examples.remove();
      }
    },
    PATIENCE,
  );
});
