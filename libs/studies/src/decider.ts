import { ok, refused, unreachable, type Decider, type Refusal, type Result } from '#libs/kernel';
import type { RunRefused, StudyEvent, StudyPlaced } from './events.ts';

interface Command<Type extends string, Data> {
  readonly type: Type;
  readonly id: string;
  readonly data: Data;
}

export type RegisterStudy = Command<
  'RegisterStudy',
  { readonly studyId: string; readonly title: string }
>;
export type PlaceStudy = Command<'PlaceStudy', StudyPlaced['data']>;
export type CommitSplit = Command<
  'CommitSplit',
  { readonly dataDigest: string; readonly commitment: string }
>;
/** `agent`: whose proposals the run takes; null for the built-in search agent. */
export type CountRun = Command<
  'CountRun',
  { readonly runId: string; readonly seed: number; readonly agent: string | null }
>;
export type RefuseRun = Command<'RefuseRun', RunRefused['data']>;
export type OpenSealedRows = Command<'OpenSealedRows', { readonly runId: string }>;
export type CountSpend = Command<'CountSpend', { readonly runId: string; readonly spent: number }>;

export type StudyCommand =
  RegisterStudy | PlaceStudy | CommitSplit | CountRun | RefuseRun | OpenSealedRows | CountSpend;

export type StudyRefusalCode =
  /** The stream is no study yet. */
  | 'not-registered'
  /** The stream is another study's. */
  | 'other-study'
  /** The data digest has its key already: a second one would let somebody grind splits. */
  | 'split-committed'
  /** The study has not counted this run. */
  | 'unknown-run'
  /** The run was counted with another seed. */
  | 'other-seed'
  /** The run was counted for another agent. */
  | 'other-agent'
  /** What the run spent was counted, with another number. */
  | 'spend-counted'
  /** What was spent is a whole number of units, 0 or more. */
  | 'invalid-spend';

/** A run as its study counts it. */
export interface CountedRun {
  readonly runId: string;
  /** The study's nth run, from 1. */
  readonly number: number;
  readonly seed: number;
  /** Which look at the sealed rows was its, from 1; null: none yet. */
  readonly look: number | null;
  /** Units that it spent; null: not counted yet. */
  readonly spent: number | null;
  /** Whose proposals it takes; null: the built-in search agent's. */
  readonly agent: string | null;
  /** Why it could not be opened; null while it can be, or was. */
  readonly refused: string | null;
}

/** The project of a study that nobody placed in one. */
export const DEFAULT_PROJECT = 'default';
/** The priority of a study's trainings until somebody ranks it. */
export const DEFAULT_PRIORITY = 5;

export interface StudyState {
  readonly studyId: string | null;
  readonly title: string | null;
  readonly project: string;
  /** Relative to the studies folder; null of a study that only a command line knows the place of. */
  readonly folder: string | null;
  readonly priority: number;
  /** Commitment to the key that splits the rows, by data digest. */
  readonly splits: Readonly<Record<string, string>>;
  /** In the order of their numbers. */
  readonly runs: readonly CountedRun[];
  /** Looks at the sealed rows, of all runs. */
  readonly looks: number;
  readonly totalSpent: number;
}

const INITIAL: StudyState = {
  studyId: null,
  title: null,
  project: DEFAULT_PROJECT,
  folder: null,
  priority: DEFAULT_PRIORITY,
  splits: {},
  runs: [],
  looks: 0,
  totalSpent: 0,
};

type Decision = Result<readonly StudyEvent[], Refusal<StudyRefusalCode>>;

const refuse = (code: StudyRefusalCode, message: string): Decision => refused({ code, message });

/** What has happened already is not said twice. */
const NOTHING: Decision = ok([]);

const runOf = (state: StudyState, runId: string): CountedRun | undefined =>
  state.runs.find((run) => run.runId === runId);

const registerStudy = (state: StudyState, { studyId, title }: RegisterStudy['data']): Decision => {
  if (state.studyId === studyId) return NOTHING;
  if (state.studyId === null) return ok([{ type: 'StudyRegistered', data: { studyId, title } }]);
  return refuse(
    'other-study',
    `this stream is the study ${state.studyId}, not ${studyId}; register ${studyId} on its own`,
  );
};

const placeStudy = (state: StudyState, placed: PlaceStudy['data']): Decision =>
  state.project === placed.project &&
  state.folder === placed.folder &&
  state.priority === placed.priority
    ? NOTHING
    : ok([{ type: 'StudyPlaced', data: placed }]);

const commitSplit = (
  state: StudyState,
  { dataDigest, commitment }: CommitSplit['data'],
): Decision => {
  const committed = state.splits[dataDigest];
  if (committed === commitment) return NOTHING;
  if (committed === undefined)
    return ok([{ type: 'SplitCommitted', data: { dataDigest, commitment } }]);
  return refuse(
    'split-committed',
    `the data ${dataDigest} is split by the key committed as ${committed}, not ${commitment}; use that key: one data digest has one split for ever`,
  );
};

const countRun = (state: StudyState, { runId, seed, agent }: CountRun['data']): Decision => {
  const run = runOf(state, runId);
  if (run === undefined) {
    const counted: StudyEvent = {
      type: 'RunCounted',
      data: { runId, number: state.runs.length + 1, seed },
    };
    return agent === null
      ? ok([counted])
      : ok([counted, { type: 'AgentAssigned', data: { runId, agent } }]);
  }
  if (run.seed !== seed)
    return refuse(
      'other-seed',
      `run ${runId} was counted with seed ${run.seed}, not ${seed}; open a new run for another seed`,
    );
  if (run.agent !== agent)
    return refuse(
      'other-agent',
      `run ${runId} was counted for ${run.agent ?? 'the search agent'}, not ${agent ?? 'the search agent'}; open a new run for another agent`,
    );
  return NOTHING;
};

/** Said once: the first reason stands. */
const refuseRun = (data: RefuseRun['data'], run: CountedRun): Decision =>
  run.refused === null ? ok([{ type: 'RunRefused', data }]) : NOTHING;

/** A run looks once; asking again after a crash is that same look. */
const openSealedRows = (state: StudyState, runId: string, run: CountedRun): Decision =>
  run.look === null
    ? ok([{ type: 'SealedRowsOpened', data: { runId, look: state.looks + 1 } }])
    : NOTHING;

const countSpend = (
  state: StudyState,
  { runId, spent }: CountSpend['data'],
  run: CountedRun,
): Decision => {
  if (!Number.isSafeInteger(spent) || spent < 0)
    return refuse(
      'invalid-spend',
      `run ${runId} is said to have spent ${spent}; give a whole number of units, 0 or more`,
    );
  if (run.spent === spent) return NOTHING;
  if (run.spent === null) {
    const totalSpent = state.totalSpent + spent;
    return ok([{ type: 'SpendCounted', data: { runId, spent, totalSpent } }]);
  }
  return refuse(
    'spend-counted',
    `run ${runId} was counted with ${run.spent} units spent, not ${spent}; a charge is never changed: see its ledger`,
  );
};

const decide = (state: StudyState, command: StudyCommand): Decision => {
  if (command.type === 'RegisterStudy') return registerStudy(state, command.data);
  if (state.studyId === null)
    return refuse('not-registered', `${command.type} came before RegisterStudy; register it first`);
  if (command.type === 'PlaceStudy') return placeStudy(state, command.data);
  if (command.type === 'CommitSplit') return commitSplit(state, command.data);
  if (command.type === 'CountRun') return countRun(state, command.data);

  const { runId } = command.data;
  const run = runOf(state, runId);
  if (run === undefined)
    return refuse(
      'unknown-run',
      `the study ${state.studyId} has counted no run ${runId}; send CountRun for it first`,
    );
  switch (command.type) {
    case 'RefuseRun':
      return refuseRun(command.data, run);
    case 'OpenSealedRows':
      return openSealedRows(state, runId, run);
    case 'CountSpend':
      return countSpend(state, command.data, run);
    default:
      return unreachable(command);
  }
};

const withRun = (
  { runs }: StudyState,
  runId: string,
  change: Partial<CountedRun>,
): readonly CountedRun[] => runs.map((run) => (run.runId === runId ? { ...run, ...change } : run));

const evolve = (state: StudyState, event: StudyEvent): StudyState => {
  switch (event.type) {
    case 'StudyRegistered':
      return { ...state, studyId: event.data.studyId, title: event.data.title };
    case 'StudyPlaced':
      return { ...state, ...event.data };
    case 'SplitCommitted': {
      const { dataDigest, commitment } = event.data;
      return { ...state, splits: { ...state.splits, [dataDigest]: commitment } };
    }
    case 'RunCounted': {
      const run: CountedRun = {
        ...event.data,
        look: null,
        spent: null,
        agent: null,
        refused: null,
      };
      return { ...state, runs: [...state.runs, run] };
    }
    case 'AgentAssigned': {
      const { runId, agent } = event.data;
      return { ...state, runs: withRun(state, runId, { agent }) };
    }
    case 'RunRefused': {
      const { runId, reason } = event.data;
      return { ...state, runs: withRun(state, runId, { refused: reason }) };
    }
    case 'SealedRowsOpened': {
      const { runId, look } = event.data;
      return { ...state, looks: look, runs: withRun(state, runId, { look }) };
    }
    case 'SpendCounted': {
      const { runId, spent, totalSpent } = event.data;
      return { ...state, totalSpent, runs: withRun(state, runId, { spent }) };
    }
  }
};

/**
 * A study counts its runs, what they spent and every look at the sealed rows, and commits one split key for each
 * data digest. A repeated command decides nothing; one that contradicts what stands is refused.
 */
export const studyDecider: Decider<StudyState, StudyCommand, StudyEvent, StudyRefusalCode> = {
  initialState: INITIAL,
  decide,
  evolve,
};
