import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { driveRun, exportFrom, openRun, type Fork, type Home } from '#apps/runner';
import type { Refusal, Result } from '#libs/kernel';
import type { RunState } from '#libs/run';
import { readStudy } from '#libs/studies';
import { verifyFinding } from '#libs/provenance';
import { streamsOf } from '../../apps/runner/src/proving/fork-streams.ts';
import { verdictOn } from '../../apps/runner/src/proving/verify.ts';
import { git } from '../support/git.ts';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures, type Idea } from '../support/scripted-agent.ts';
import { undecided } from '../support/undecided.ts';
import { hash } from 'node:crypto';
import { verify } from '#libs/signatures';

const PATIENCE = 120_000;

let prepared: Prepared;
let home: Home;
inPreparedHome((made) => ({ prepared, home } = made), {
  'program/features.json': () => '{ "use": ["paper"] }\n',
});

const begin = async (fork: Fork | null): ReturnType<typeof openRun> =>
  openRun(home, { study: good(await readStudy(prepared.study)), seed: 1 }, fork);

const follow = async (
  ideas: readonly Idea[],
  fork: Fork | null = null,
): Promise<Result<RunState, Refusal>> => {
  const opened = await begin(fork);
  if (!opened.ok) return opened;
  const { runId, study } = opened.value;
  return driveRun(home, { runId, study, agent: scriptedAgent(ideas) });
};

const ROUTE = useFeatures('route');
const BOTH = useFeatures('shift', 'route');
/** Sets a protected parameter, which halts the run. */
const BREACH: Idea = {
  statement: 'Another seed may do better',
  mutation: {
    kind: 'edit',
    domain: 'hyperparameter',
    summary: 'another seed',
    edits: [{ path: 'hyperparameters.json', content: '{"behave": "train", "seed": 8}\n' }],
  },
};

const failed = async (findingId: string): Promise<readonly string[]> =>
  (await verdictOn(home, findingId)).rows
    .filter(({ passed }) => !passed)
    .map(({ row, found }) => `${row}: ${found}`);

it(
  'a fork starts where a finding leads to, counts as a run, and its own findings are proved back to the source',
  async () => {
    const parent = good(await follow([ROUTE]));
    expect(await failed('parcels-1-f1')).toEqual([]);
    const kept = parent.line.get(1);
    const fork = good(await follow([BOTH], { runId: 'parcels-1', from: 1 }));
    expect(fork.opened).toMatchObject({ runId: 'parcels-2', number: 2, pins: parent.opened?.pins });
    expect(fork.opened?.forkedFrom).toEqual({
      ...{ runId: 'parcels-1', mutationId: kept?.mutationId },
      ...{ commit: kept?.commit, tree: kept?.tree },
    });
    expect(fork.line.first()).toMatchObject({ tree: kept?.tree, mutationId: null });
    expect(fork.budget.total).toBe(parent.budget.total);

    const { proposed } = (await home.findings.load('parcels-2-f1')).state;
    expect(proposed?.chain).toMatchObject({
      sourceTree: parent.opened?.pins.tree,
      fromTree: kept?.tree,
      toTree: fork.line.get(1)?.tree,
    });
    expect(proposed?.claim.look).toMatchObject({ ofStudy: 2, runs: 2 });
    const verdict = await verdictOn(home, 'parcels-2-f1');
    expect(verdict.rows.filter(({ passed }) => !passed)).toEqual([]);
    expect(verdict.rows.find(({ row }) => row === 'fork-point')?.found).toContain('parcels-1-f1');
  },
  PATIENCE,
);

it('an export of a fork names the fork point, and no mutation of the run that it comes from as its own', async () => {
  const exported = async (as: 'in-toto' | 'prov') => {
    const { bytes } = good(await exportFrom(home, 'parcels-2-f1', as, null));
    return new TextDecoder().decode(bytes);
  };
  const { opened } = (await home.runs.load('parcels-2')).state;
  const { tree, mutationId } = opened?.forkedFrom ?? { tree: 'none', mutationId: null };
  expect(await exported('in-toto')).toContain(`"name":"fork-point","uri":"swh:1:dir:${tree}"`);
  const prov = await exported('prov');
  expect(prov).toContain(`"git:dir:${tree}"`);
  expect(prov).not.toContain(`hf:program:${mutationId ?? ''}`);
});

describe('a fork that does not lead back', () => {
  const ports = () => ({
    readObject: (oid: string) => home.sourceTree.readObject(oid),
    sha256: (bytes: Uint8Array) => hash('sha256', bytes, 'hex'),
    sha1: (bytes: Uint8Array) => hash('sha1', bytes, 'hex'),
    verifySignature: verify,
  });
  const row = async (forkPoint?: Parameters<typeof verifyFinding>[0]['forkPoint']) => {
    const streams = streamsOf(home, 'parcels-2-f1', 'parcels-2');
    const { rows } = await verifyFinding({
      ...streams,
      ...ports(),
      ...(forkPoint === undefined ? {} : { forkPoint }),
    });
    return rows.filter(({ passed }) => !passed);
  };

  it('is a row that fails, and no other, where the earlier run is not at hand', async () => {
    expect(await row()).toMatchObject([{ row: 'fork-point' }]);
    expect((await row())[0]?.found).toContain('no finding of parcels-1 leads to');
  });

  it('fails where the earlier finding is another one, or was tampered with', async () => {
    const itself = streamsOf(home, 'parcels-2-f1', 'parcels-2');
    expect((await row(() => Promise.resolve(itself)))[0]?.row).toBe('fork-point');
    const cut = async () => {
      const events = [];
      for await (const event of home.log.readStored({ stream: 'run-parcels-1' }))
        events.push(event);
      return { ...streamsOf(home, 'parcels-1-f1', 'parcels-1'), events: events.toSpliced(5, 1) };
    };
    expect(await row(cut)).toMatchObject([{ row: 'fork-point' }]);
    expect((await row(cut))[0]?.found).toContain('is BLOCK');
  });
});

it(
  'a fork of the source is a run like any other',
  async () => {
    const fork = good(await follow([ROUTE], { runId: 'parcels-1', from: 'baseline' }));
    const { runId } = fork.opened ?? { runId: '' };
    expect(fork.opened?.forkedFrom).toMatchObject({ runId: 'parcels-1', mutationId: null });
    expect(await failed(`${runId}-f1`)).toEqual([]);
  },
  PATIENCE,
);

it(
  'the source can be forked after holdfast.yaml was changed: the fork starts from its own pin of the same tree',
  async () => {
    const file = join(prepared.study, 'holdfast.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, `${text}# Looked over again.\n`);
    git(prepared.study, 'commit', '-q', '-a', '-m', 'Look the study over');
    try {
      const parent = (await home.runs.load('parcels-1')).state.opened?.pins;
      // The last one forks a fork: its origin is the first run's.
      for (const from of ['parcels-1', 'parcels-3']) {
        const { opened } = good(await follow([ROUTE], { runId: from, from: 'baseline' }));
        const pins = opened?.pins;
        expect(pins?.tree).toBe(parent?.tree);
        expect(pins?.pinCommit).not.toBe(parent?.pinCommit);
        expect(opened?.forkedFrom).toEqual({
          ...{ runId: 'parcels-1', mutationId: null },
          ...{ commit: pins?.pinCommit, tree: pins?.tree },
        });
        expect(await failed(`${opened?.runId ?? ''}-f1`)).toEqual([]);
      }
    } finally {
      await writeFile(file, text);
      git(prepared.study, 'commit', '-q', '-a', '-m', 'Take that back');
    }
  },
  PATIENCE,
);

it(
  'a halted run can be forked where it stood; without a finding that leads there it claims nothing and looks at nothing',
  async () => {
    const halted = good(await follow([ROUTE, BREACH]));
    const parent = halted.opened?.runId ?? '';
    expect(halted.haltMessage).not.toBeNull();
    expect(halted.line.size).toBe(2);
    const looks = (await home.studies.load('parcels')).state.looks;
    const fork = good(await follow([BOTH], { runId: parent, from: 'incumbent' }));
    expect(fork.line.size).toBe(2);
    expect((await home.findings.load(`${fork.opened?.runId ?? ''}-f1`)).state.proposed).toBeNull();
    expect((await home.studies.load('parcels')).state.looks).toBe(looks);
  },
  PATIENCE,
);

it('a state that never stood and an unknown run are refused', async () => {
  const code = async (fork: Fork) => {
    const opened = await begin(fork);
    return opened.ok ? 'opened' : opened.error.code;
  };
  expect(await code({ runId: 'parcels-1', from: 7 })).toBe('fork-not-stable');
  expect(await code({ runId: 'parcels-99', from: 'baseline' })).toBe('run-unknown');
});

it('left nothing in the log that the rules would not have made', async () => {
  expect(await undecided(home)).toEqual([]);
});
