import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SANDBOX_LAYERS } from '#libs/harness';
import { makeStudy } from '../support/fixture-study.ts';
import { git } from '../support/git.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { temporaryFolder } from '../support/prepared.ts';

const PATIENCE = 120_000;

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => rm(root, { recursive: true }));

it(
  'init, commit, check, run: a newcomer gets to a verified run',
  async () => {
    const folder = join(root, 'courses');
    const made = await holdfast(['init', folder]);
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('holdfast.yaml') });
    expect((await holdfast(['init', folder])).exitCode).toBe(2);
    git(folder, 'init', '-q');
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'A study');
    const checked = await holdfast(['check'], { cwd: folder });
    expect(checked.exitCode).toBe(0);
    expect(checked.stdout).toMatch(/\d+ iterations of hyperparameter at 15/);
    const run = await holdfast(['run'], { cwd: folder });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('WHERE TO LOOK NEXT');
    // The home lies in the study, and git does not see it.
    expect(git(folder, 'status', '--porcelain')).toBe('');
  },
  PATIENCE,
);

describe('simulate', () => {
  it('draws the mutation boundary: valid mutations at 10 and 20, the violation, reset', async () => {
    const { exitCode, stdout } = await holdfast(['simulate']);
    const lines = stdout.split('\n').filter((line) => line.startsWith('['));
    expect(lines[0]).toBe('[ INIT ] Autonomous research loop initialized. Budget: 100/100.');
    expect(lines[1]).toMatch(/^\[ PASS \] .* 10 charged\. Budget: 90\/100\.$/);
    expect(lines[2]).toMatch(/^\[ PASS \] .* 20 charged\. Budget: 70\/100\.$/);
    expect(lines[3]).toMatch(/^\[ HALT \] SYSTEM HALT: MID-LOOP GATE: .*Nothing was charged\.$/);
    expect(lines[4]).toBe(lines[0]);
    expect(exitCode).toBe(0);
  });

  it('ends with exit code 1 where it halts: at a violation, at exhaustion', async () => {
    const violation = await holdfast(['simulate', 'harness', 'feature', '--json']);
    expect(violation.exitCode).toBe(1);
    expect(jsonLines(violation).map(({ halted }) => halted)).toEqual([false, true, true]);
    const exhausted = await holdfast(['simulate', ...Array<string>(5).fill('architecture')]);
    expect(exhausted.exitCode).toBe(1);
    expect(exhausted.stdout).toContain('SYSTEM HALT: MUTATION BUDGET EXHAUSTED');
  });
});

it('check says what is wrong and where, and writes nothing', async () => {
  const study = await makeStudy(join(root, 'wrong'), {
    'holdfast.yaml': (yaml) =>
      yaml.replace('seconds: 10', 'seconds: soon').replace('threshold: 0.5', 'threshold: x'),
  });
  const said = await holdfast(['check', study]);
  expect(said.exitCode).toBe(2);
  expect(said.stderr).toMatch(/holdfast\.yaml:\d+:\d+ .*found "soon"/);
  expect(said.stderr).toMatch(/holdfast\.yaml:\d+:\d+ .*threshold: found "x"/);
  expect(git(study, 'status', '--porcelain', '--ignored')).toBe('');
});

it('doctor says what this machine has', async () => {
  const said = await holdfast(['doctor', '--json']);
  const [rows] = jsonLines<{ name: string; ok: boolean; needed: boolean; state?: string }[]>(said);
  expect(rows?.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'git', 'sandbox']));
  // Each layer of the sandbox with what became of it when it was tried; whatever a machine lacks, nothing is broken.
  const layers = rows?.filter((row) => 'state' in row) ?? [];
  expect(layers.map(({ name }) => name)).toEqual(SANDBOX_LAYERS);
  for (const { name, state } of layers) expect([name, state]).not.toEqual([name, 'broken']);
  const missing = rows?.some(({ ok, needed }) => needed && !ok);
  expect(said.exitCode).toBe(missing === true ? 3 : 0);
});

describe('exit codes', () => {
  it.each([
    { args: ['frobnicate'], says: /unknown command/ },
    { args: ['run', '--frob'], says: /unknown option/ },
    { args: ['runs', '--status', 'odd'], says: /Allowed choices/ },
    { args: ['run', '.', '--seed', '-1'], says: /whole number/ },
    { args: ['audit', '--from', 'yesterday'], says: /expected a time/ },
    { args: ['simulate', 'levitate'], says: /expected one of/ },
    { args: ['verify'], says: /missing required argument/ },
  ])('2 for what nobody can mean: holdfast $args', async ({ args, says }) => {
    const said = await holdfast(args, { cwd: root });
    expect(said.exitCode).toBe(2);
    expect(said.stderr).toMatch(says);
  });

  it.each([
    ['show', 'nope-1'],
    ['watch', 'nope-1'],
    ['verify', 'nope-1-f1'],
    ['replay', 'nope-1-f1'],
    ['restore', 'nope'],
    ['halt', 'nope-1', '--reason', 'x'],
    ['review', 'nope-1-f1', 'accept', '--reason', 'x'],
    ['run', '--resume', 'nope-1'],
  ])('2 for what is not there: holdfast %s %s', async (...args) => {
    const asked = [...args, '--home', join(root, 'empty'), '--json'];
    const said = await holdfast(asked);
    expect(said.exitCode).toBe(2);
    expect(jsonLines(said)).toEqual([
      { error: { code: expect.any(String), message: expect.any(String) } },
    ]);
  });

  it('0 for help and version', async () => {
    expect((await holdfast(['--help'])).exitCode).toBe(0);
    expect((await holdfast(['--version'])).exitCode).toBe(0);
  });
});
