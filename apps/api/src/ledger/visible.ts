import { runOf, studyOf, type Ledger } from '#apps/runner';
import { seesProject, type Principal } from '#libs/access';
import type { FindingEvent, FindingState } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent, RunState } from '#libs/run';
import type { CountedRun, RequestedRun, StudyEvent, StudyState } from '#libs/studies';
import { ProblemFound } from '../problems/problems.ts';

/**
 * What a caller may see. What is of another project is answered as what isn't there at all, to the letter: that it
 * exists is nobody's business.
 */

interface Standing<State, Event extends { readonly type: string; readonly data: unknown }> {
  readonly state: State;
  readonly head: RecordedEvent<Event>;
}

export interface VisibleStudy extends Standing<StudyState, StudyEvent> {
  readonly studyId: string;
}

export interface VisibleRun {
  readonly runId: string;
  readonly study: VisibleStudy;
  /** Null of a run that nobody asked for: a command line counted it. */
  readonly request: RequestedRun | null;
  readonly counted: CountedRun | null;
  /** Null before it opens. */
  readonly run: Standing<RunState, RunEvent> | null;
}

/** Why a run that was asked for can't be opened; null while it can be. */
export const refusedBecause = ({ request }: VisibleRun): string | null => request?.refused ?? null;

/** Streams that are not there are not loaded: made-up ids would fill the memory. */
const isThere = async ({ log }: Ledger, stream: string): Promise<boolean> => {
  for await (const _ of log.readStream(stream, { limit: 1 })) return true;
  return false;
};

const unknownStudy = (studyId: string) =>
  new ProblemFound('study-unknown', `found no study ${studyId}; GET /v1/studies lists them`);

const unknownRun = (runId: string) =>
  new ProblemFound('run-unknown', `found no run ${runId}; GET /v1/runs lists them`);

const unknownFinding = (findingId: string) =>
  new ProblemFound('finding-unknown', `found no finding ${findingId}; GET /v1/findings lists them`);

const study = async (
  ledger: Ledger,
  principal: Principal,
  studyId: string,
): Promise<VisibleStudy | null> => {
  if (!(await isThere(ledger, `study-${studyId}`))) return null;
  const { state, head } = await ledger.studies.load(studyId);
  return head !== null && seesProject(principal, state.project) ? { studyId, state, head } : null;
};

/** Whether a study is there and the caller sees it. */
export const sees = async (
  ledger: Ledger,
  principal: Principal,
  studyId: string,
): Promise<boolean> => (await study(ledger, principal, studyId)) !== null;

export const visibleStudy = async (
  ledger: Ledger,
  principal: Principal,
  studyId: string,
): Promise<VisibleStudy> => {
  const found = await study(ledger, principal, studyId);
  if (found === null) throw unknownStudy(studyId);
  return found;
};

export const visibleRun = async (
  ledger: Ledger,
  principal: Principal,
  runId: string,
): Promise<VisibleRun> => {
  const its = await study(ledger, principal, studyOf(runId));
  if (its === null) throw unknownRun(runId);
  const request = its.state.requests.get(runId) ?? null;
  const counted = its.state.runs.get(runId) ?? null;
  const opened = (await isThere(ledger, `run-${runId}`)) ? await ledger.runs.load(runId) : null;
  const run =
    opened === null || opened.head === null ? null : { state: opened.state, head: opened.head };
  if (request === null && counted === null && run === null) throw unknownRun(runId);
  return { runId, study: its, request, counted, run };
};

/**
 * That a finding is there and may be seen. Nothing of it is loaded: one whose events are damaged must still be given
 * its verdict.
 */
export const assertFindingVisible = async (
  ledger: Ledger,
  principal: Principal,
  findingId: string,
): Promise<void> => {
  if (!/-f\d+$/.test(findingId)) throw unknownFinding(findingId);
  const its = await study(ledger, principal, studyOf(runOf(findingId)));
  if (its === null) throw unknownFinding(findingId);
  for await (const _ of ledger.log.readStored({ stream: `finding-${findingId}` })) return;
  throw unknownFinding(findingId);
};

export const visibleFinding = async (
  ledger: Ledger,
  principal: Principal,
  findingId: string,
): Promise<Standing<FindingState, FindingEvent>> => {
  await assertFindingVisible(ledger, principal, findingId);
  const { state, head } = await ledger.findings.load(findingId);
  if (head === null) throw unknownFinding(findingId);
  return { state, head };
};
