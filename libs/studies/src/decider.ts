import { OrderedMap } from 'immutable';
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
/** `seed`: null for the run's number. `agent`: who alone may propose; null for the built-in search agent. */
export type RequestRun = Command<
  'RequestRun',
  { readonly runId: string; readonly seed: number | null; readonly agent: string | null }
>;
export type CountRun = Command<'CountRun', { readonly runId: string; readonly seed: number }>;
export type RefuseRun = Command<'RefuseRun', RunRefused['data']>;
export type OpenSealedRows = Command<'OpenSealedRows', { readonly runId: string }>;
export type CountSpend = Command<'CountSpend', { readonly runId: string; readonly spent: number }>;

export type StudyCommand =
  | RegisterStudy
  | PlaceStudy
  | CommitSplit
  | RequestRun
  | CountRun
  | RefuseRun
  | OpenSealedRows
  | CountSpend;

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
  /** The run was requested before, with another seed or agent. */
  | 'other-request'
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
}

/** A look at the sealed rows, and how far the study had come when it was counted. */
export interface StudyLook {
  readonly runId: string;
  readonly look: number;
  /** Runs that were counted by then. */
  readonly runs: number;
  /** Units that the runs which had ended by then had spent. */
  readonly spent: number;
}

/** A run that somebody asked for. */
export interface RequestedRun {
  readonly runId: string;
  readonly number: number;
  readonly seed: number;
  /** Who alone may propose in it; null: the built-in search agent. */
  readonly agent: string | null;
  /** Why it could not be opened; null while it can be, or was. */
  readonly refused: string | null;
}

/** The project of a study that nobody placed in one. */
export const DEFAULT_PROJECT = 'default';
/** The priority of a study's trainings until somebody ranks it. */
export const DEFAULT_PRIORITY = 5;

/** What grows with the study is held by id in persistent maps: an event costs the same after however many runs. */
export interface StudyState {
  readonly studyId: string | null;
  readonly title: string | null;
  readonly project: string;
  /** Relative to the studies folder; null of a study that only a command line knows the place of. */
  readonly folder: string | null;
  readonly priority: number;
  /** Commitment to the key that splits the rows, by data digest. */
  readonly splits: OrderedMap<string, string>;
  /** By run, in the order in which they were asked for; counted ones stand in `runs` too. */
  readonly requests: OrderedMap<string, RequestedRun>;
  /** By run, in the order in which they were counted. */
  readonly runs: OrderedMap<string, CountedRun>;
  /** The highest number that a run has. */
  readonly lastNumber: number;
  /** Looks at the sealed rows, of all runs. */
  readonly looks: number;
  /** Each look by its run, with how far the study had come by then. */
  readonly lookedAt: OrderedMap<string, StudyLook>;
  readonly totalSpent: number;
}

const INITIAL: StudyState = {
  studyId: null,
  title: null,
  project: DEFAULT_PROJECT,
  folder: null,
  priority: DEFAULT_PRIORITY,
  splits: OrderedMap(),
  requests: OrderedMap(),
  runs: OrderedMap(),
  lastNumber: 0,
  looks: 0,
  lookedAt: OrderedMap(),
  totalSpent: 0,
};

type Decision = Result<readonly StudyEvent[], Refusal<StudyRefusalCode>>;

const refuse = (code: StudyRefusalCode, message: string): Decision => refused({ code, message });

/** What has happened already is not said twice. */
const NOTHING: Decision = ok([]);

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
  const committed = state.splits.get(dataDigest);
  if (committed === commitment) return NOTHING;
  if (committed === undefined)
    return ok([{ type: 'SplitCommitted', data: { dataDigest, commitment } }]);
  return refuse(
    'split-committed',
    `the data ${dataDigest} is split by the key committed as ${committed}, not ${commitment}; use that key: one data digest has one split for ever`,
  );
};

const requestRun = (
  state: StudyState,
  { runId, seed: given, agent }: RequestRun['data'],
): Decision => {
  const request = state.requests.get(runId);
  const number = request?.number ?? state.lastNumber + 1;
  const seed = given ?? number;
  if (request === undefined && !state.runs.has(runId))
    return ok([{ type: 'RunRequested', data: { runId, number, seed, agent } }]);
  if (request?.seed === seed && request.agent === agent) return NOTHING;
  return refuse(
    'other-request',
    `run ${runId} is there already, with another seed or agent; ask for a run of its own`,
  );
};

const countRun = (state: StudyState, { runId, seed }: CountRun['data']): Decision => {
  const known = state.runs.get(runId) ?? state.requests.get(runId);
  if (known !== undefined && known.seed !== seed)
    return refuse(
      'other-seed',
      `run ${runId} was counted with seed ${known.seed}, not ${seed}; open a new run for another seed`,
    );
  if (state.runs.has(runId)) return NOTHING;
  const number = known?.number ?? state.lastNumber + 1;
  return ok([{ type: 'RunCounted', data: { runId, number, seed } }]);
};

/** Said once: the first reason stands. */
const refuseRun = (state: StudyState, data: RefuseRun['data']): Decision => {
  const request = state.requests.get(data.runId);
  if (request === undefined)
    return refuse(
      'unknown-run',
      `nobody requested a run ${data.runId}; only such a run is refused`,
    );
  if (request.refused !== null) return NOTHING;
  return ok([{ type: 'RunRefused', data }]);
};

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
  if (command.type === 'RequestRun') return requestRun(state, command.data);
  if (command.type === 'CountRun') return countRun(state, command.data);
  if (command.type === 'RefuseRun') return refuseRun(state, command.data);

  const { runId } = command.data;
  const run = state.runs.get(runId);
  if (run === undefined)
    return refuse(
      'unknown-run',
      `the study ${state.studyId} has counted no run ${runId}; send CountRun for it first`,
    );
  switch (command.type) {
    case 'OpenSealedRows':
      return openSealedRows(state, runId, run);
    case 'CountSpend':
      return countSpend(state, command.data, run);
    default:
      return unreachable(command);
  }
};

/** What is known under an id, changed; one that is not known is not made up. */
const changed = <Known>(
  by: OrderedMap<string, Known>,
  id: string,
  change: Partial<Known>,
): OrderedMap<string, Known> => {
  const known = by.get(id);
  return known === undefined ? by : by.set(id, { ...known, ...change });
};

const evolve = (state: StudyState, event: StudyEvent): StudyState => {
  switch (event.type) {
    case 'StudyRegistered':
      return { ...state, studyId: event.data.studyId, title: event.data.title };
    case 'StudyPlaced':
      return { ...state, ...event.data };
    case 'SplitCommitted': {
      const { dataDigest, commitment } = event.data;
      return { ...state, splits: state.splits.set(dataDigest, commitment) };
    }
    case 'RunRequested': {
      const { runId, number } = event.data;
      const requests = state.requests.set(runId, { ...event.data, refused: null });
      return { ...state, requests, lastNumber: number };
    }
    case 'RunCounted': {
      const run: CountedRun = { ...event.data, look: null, spent: null };
      const lastNumber = Math.max(state.lastNumber, run.number);
      return { ...state, runs: state.runs.set(run.runId, run), lastNumber };
    }
    case 'RunRefused': {
      const { runId, reason } = event.data;
      return { ...state, requests: changed(state.requests, runId, { refused: reason }) };
    }
    case 'SealedRowsOpened': {
      const { runId, look } = event.data;
      const at = { runId, look, runs: state.runs.size, spent: state.totalSpent };
      return {
        ...state,
        looks: look,
        lookedAt: state.lookedAt.set(runId, at),
        runs: changed(state.runs, runId, { look }),
      };
    }
    case 'SpendCounted': {
      const { runId, spent, totalSpent } = event.data;
      return { ...state, totalSpent, runs: changed(state.runs, runId, { spent }) };
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
