import { basename } from 'node:path';
import canonicalize from 'canonicalize';
import { sha256 } from '#libs/event-log';
import type { GateCheck, HarnessPolicy } from '#libs/harness';
import { deriveId, ok, type Actor, type Refusal, type Result } from '#libs/kernel';
import type { CohortRelease, RunOpened } from '#libs/run';
import type { Pin } from '#libs/source-tree';
import {
  policyDigest,
  type CountedRun,
  type RequestedRun,
  type StudyOnDisk,
  type StudyState,
} from '#libs/studies';
import { preLoopChecks } from '#libs/vault';
import { HARNESS, LOCAL_RESEARCHER } from '../actors.ts';
import { rememberStudyFile, type Home } from '../home.ts';
import { tooWeak } from './demanded-layers.ts';
import { forkPointOf, type Fork } from './fork-point.ts';
import { oneTableCheck } from './one-table.ts';
import { openStudy, type OpenedStudy } from './open-study.ts';

export interface RunToOpen {
  readonly study: StudyOnDisk;
  /** Default: the run's number in its study. */
  readonly seed: number | null;
}

export interface OpenedRun {
  readonly runId: string;
  readonly study: OpenedStudy;
}

/** Attempts at opening while other processes open runs of the same study. */
const PATIENCE = 5;
/** What a run is refused with where another process was faster: its number was taken, with another seed or the same. */
const OVERTAKEN: readonly string[] = ['lost-race', 'not-now', 'other-seed'];

/**
 * Pins everything that the run stands on, lets the pre-loop gate look at the data, and opens the run. Whatever is
 * wrong with the study is refused before anything of the run is written.
 *
 * @param fork - the state of an earlier run that it starts from; null: the study's source
 */
export const openRun = async (
  home: Home,
  run: RunToOpen,
  fork: Fork | null = null,
): Promise<Result<OpenedRun, Refusal>> => {
  for (let attempt = 1; ; attempt += 1) {
    const opened = await openOnce(home, run, fork);
    const overtaken = !opened.ok && OVERTAKEN.includes(opened.error.code);
    if (!overtaken || attempt === PATIENCE) return opened;
  }
};

const openOnce = async (
  home: Home,
  { study: onDisk, seed }: RunToOpen,
  fork: Fork | null,
): Promise<Result<OpenedRun, Refusal>> => {
  const ground = await layGround(home, onDisk);
  if (!ground.ok) return ground;
  const { pins, study } = ground.value;
  const studyId = onDisk.policy.study.id;
  const point =
    fork === null ? ok(null) : await forkPointOf(home, studyId, { ...pins, ...study }, fork);
  if (!point.ok) return point;
  await rememberStudyFile(home, studyId, onDisk.file);
  const counted = await countRun(home, studyId, seed);
  if (!counted.ok) return counted;
  const run = { ...counted.value, agent: null, forkedFrom: point.value };
  return openCounted(home, ground.value, run, LOCAL_RESEARCHER);
};

/**
 * Opens a run that somebody asked for, in his name. It is counted only now that the split of its data is committed.
 * `lost-race` and `not-now` when another runner was faster.
 */
export const openRequestedRun = async (
  home: Home,
  onDisk: StudyOnDisk,
  requested: RequestedRun,
  actor: Actor,
  open: OpenOnDisk,
): Promise<Result<OpenedRun, Refusal>> => {
  const ground = await layGround(home, onDisk, open);
  if (!ground.ok) return ground;
  const { runId, seed } = requested;
  const counted = await sendCount(home, onDisk.policy.study.id, { runId, seed }, HARNESS);
  const run = { ...requested, forkedFrom: null };
  return counted.ok ? openCounted(home, ground.value, run, actor) : counted;
};

/** Opens a study as it lies on disk now. */
export type OpenOnDisk = (
  home: Home,
  folder: string,
  policy: HarnessPolicy,
) => Promise<Result<OpenedStudy, Refusal>>;

/** What a run of a study would stand on. */
interface Ground {
  readonly pins: Pin;
  readonly study: OpenedStudy;
  /** The pre-loop gate's rules on it. */
  readonly checks: readonly GateCheck[];
}

const areAllPassed = (checks: readonly GateCheck[]): boolean =>
  checks.every(({ passed }) => passed);

/** Pins the study's source and data. No sandbox, no run: that is found out before anything is written. */
const layGround = async (
  home: Home,
  { folder, file, policy }: StudyOnDisk,
  open: OpenOnDisk = openStudy,
): Promise<Result<Ground, Refusal>> => {
  const weak = await tooWeak(home, policy);
  if (weak !== null) return weak;
  const pin = await home.sourceTree.pinStudy({
    folder,
    program: policy.program.path,
    also: [basename(file)],
  });
  if (!pin.ok) return pin;
  const study = await open(home, folder, policy);
  if (!study.ok) return study;
  const checks = preLoopChecks(ok(study.value.vault), policy);
  // What the gate refuses opens no rows: its split may still be set anew.
  if (areAllPassed(checks)) {
    const fixed = await fixSplit(home, study.value);
    if (!fixed.ok) return fixed;
  }
  return ok({ pins: pin.value, study: study.value, checks });
};

const GOVERNANCE = {
  builtIn: 'the search agent is part of the harness and is shown its AgentView only',
  outside: 'the agent proposes over HTTP with a token of its own, and is shown its AgentView only',
} as const;

const openCounted = async (
  home: Home,
  { pins, study, checks: ruled }: Ground,
  {
    runId,
    number,
    seed,
    agent,
    forkedFrom,
  }: Omit<RequestedRun, 'refused'> & Pick<RunOpened['data'], 'forkedFrom'>,
  actor: Actor,
): Promise<Result<OpenedRun, Refusal>> => {
  const { policy } = study;
  const environment = await home.environment();
  const oneTable = areAllPassed(ruled) ? await oneTableCheck(home, runId, study) : ok([]);
  if (!oneTable.ok) return oneTable;
  const checks = [...ruled, ...oneTable.value];
  // Where the gate is breached nothing leaves the vault.
  const cohorts = areAllPassed(checks) ? await releaseCohorts(home, runId, study) : null;
  const data: RunOpened['data'] = {
    runId,
    studyId: policy.study.id,
    number,
    pins: {
      ...pins,
      policyDigest: policyDigest(policy, sha256Text),
      dataDigest: study.dataDigest,
      environmentDigest: sha256Text(canonicalize(environment) ?? ''),
      splitCommitment: study.splitCommitment,
    },
    policy,
    environment,
    keys: { runner: publicHalf(home.keys.runner), worker: publicHalf(home.keys.worker) },
    seed,
    governance: {
      governed: true,
      reason: agent === null ? GOVERNANCE.builtIn : GOVERNANCE.outside,
    },
    cohorts,
    forkedFrom,
  };
  const sent = await home.runs.send(
    runId,
    { type: 'OpenRun', id: deriveId('open', runId), data: { opened: data, checks } },
    actor,
  );
  return sent.ok ? ok({ runId, study }) : sent;
};

/** From the first run on that gets past the gate the rows of these data are split so, whichever study asks. */
const fixSplit = (home: Home, { dataDigest, splitCommitment, policy }: OpenedStudy) =>
  home.data.send(
    dataDigest,
    {
      type: 'FixSplit',
      id: deriveId('fix-split', dataDigest),
      data: {
        ...{ dataDigest, commitment: splitCommitment },
        ...{ rowId: policy.data.rowId, split: policy.data.split },
      },
    },
    HARNESS,
  );

const publicHalf = ({ keyId, publicKey }: Home['keys']['runner']) => ({ keyId, publicKey });

/** SHA-256 of a text in UTF-8, lower-case hex. */
export const sha256Text = (text: string): string => sha256(new TextEncoder().encode(text));

/**
 * The study's next run. One that was counted but never opened (the process ended in between) is taken up again,
 * so that no number is lost.
 */
const countRun = async (
  home: Home,
  studyId: string,
  givenSeed: number | null,
): Promise<Result<CountedRun, Refusal>> => {
  const { state } = await home.studies.load(studyId);
  const last = state.runs.last();
  if (last !== undefined && (await isLeftOver(home, state, last)))
    if (givenSeed === null || givenSeed === last.seed) return ok(last);
  const number = state.lastNumber + 1;
  const runId = `${studyId}-${number}`;
  const seed = givenSeed ?? number;
  const sent = await sendCount(home, studyId, { runId, seed }, LOCAL_RESEARCHER);
  return sent.ok ? ok({ runId, number, seed, look: null, spent: null }) : sent;
};

const sendCount = (
  home: Home,
  studyId: string,
  run: { readonly runId: string; readonly seed: number },
  actor: Actor,
) =>
  home.studies.send(
    studyId,
    { type: 'CountRun', id: deriveId('count', run.runId), data: run },
    actor,
  );

/** Whether a command line counted the run and ended before it was opened. */
const isLeftOver = async (
  home: Home,
  { requests }: StudyState,
  { runId }: CountedRun,
): Promise<boolean> => !requests.has(runId) && (await home.runs.load(runId)).head === null;

const releaseCohorts = async (
  home: Home,
  runId: string,
  { vault }: OpenedStudy,
): Promise<CohortRelease> => {
  const release = vault.release();
  const kept = await home.sourceTree.writeArtefacts({
    ref: `runs/${runId}/cohorts`,
    files: { 'train.csv': release.table, 'cells.csv': release.cells },
  });
  if (!kept.ok) throw new Error(`the cohort table can't be kept: ${kept.error.message}`);
  const ref = (path: string) => {
    const file = kept.value.files.find((one) => one.path === path);
    if (file === undefined) throw new Error(`${path} was not kept`);
    return file;
  };
  return {
    tree: kept.value.tree,
    table: ref('train.csv'),
    cells: ref('cells.csv'),
    ...release.report,
  };
};
