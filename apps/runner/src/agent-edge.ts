import type { AgentView, Hypothesis, MutationProposal } from '#libs/agents';
import { ok, refused, type RecordedEvent, type Refusal, type Result } from '#libs/kernel';
import {
  nextStep,
  type RunCommand,
  type RunEvent,
  type RunOpened,
  type RunState,
  type Step,
} from '#libs/run';
import { agentView } from './effects/agent-view.ts';
import { mutationCommand } from './effects/ask.ts';
import type { Ledger } from './ledger.ts';
import { studyOf } from './proving/names.ts';
import type { OutsideRequest, Requested, Standing } from './streams.ts';

/**
 * The edge of an agent outside: all that it can do to a run, which is to propose, and all that it can see of one,
 * which is its AgentView. A run is an agent's own when its study assigned it to that agent.
 */

export type AgentRefusalCode =
  /** No such run, or not this agent's: which of the two, it is not told. */
  | 'run-unknown'
  /** The run does not wait for this now. */
  | 'not-now';

type Outcome = Result<Requested<RunEvent>, Refusal>;

/** What an agent may know of its own run. */
export const viewOfRun = async (
  home: Ledger,
  agent: string,
  runId: string,
): Promise<Result<AgentView, Refusal<AgentRefusalCode>>> => {
  const run = await ownRun(home, agent, runId);
  if (!run.ok) return run;
  if (run.value.state.line.size > 0) return ok(await agentView({ home, runId, ...run.value }));
  return refused({
    code: 'not-now',
    message:
      'the run has no baseline, so there is nothing to look at; try again when it is trained',
  });
};

export const proposeHypothesis = (
  home: Ledger,
  runId: string,
  request: OutsideRequest,
  hypothesis: Hypothesis,
): Promise<Outcome> =>
  propose(home, runId, request, 'ask-hypothesis', async () => ({
    type: 'ProposeHypothesis',
    id: request.commandId,
    data: hypothesis,
  }));

export const proposeMutation = (
  home: Ledger,
  runId: string,
  request: OutsideRequest,
  proposal: MutationProposal,
): Promise<Outcome> =>
  propose(home, runId, request, 'ask-mutation', (standing) =>
    mutationCommand({ home, runId, ...standing }, proposal, () => request.commandId),
  );

/**
 * The agent proposes the line that stands as a finding: its loop ends, and the harness scores the line once on the
 * sealed rows, verifies the chain and gives the verdict.
 */
export const proposeFinding = (
  home: Ledger,
  runId: string,
  request: OutsideRequest,
  reason: string,
): Promise<Outcome> =>
  propose(home, runId, request, 'ask-hypothesis', async () => ({
    type: 'FinishLoop',
    id: request.commandId,
    data: { reason },
  }));

interface OwnRun {
  readonly state: RunState;
  readonly opened: RunOpened['data'];
  readonly head: RecordedEvent<RunEvent>;
}

const ownRun = async (
  home: Ledger,
  agent: string,
  runId: string,
): Promise<Result<OwnRun, Refusal<AgentRefusalCode>>> => {
  const { state: study } = await home.studies.load(studyOf(runId));
  const own = study.requests.get(runId)?.agent === agent;
  const standing = own ? opened(await home.runs.load(runId)) : null;
  return standing === null
    ? refused({
        code: 'run-unknown',
        message: `found no open run ${runId} of this agent; ask the researcher which run it was given`,
      })
    : ok(standing);
};

const opened = ({ state, head }: Standing<RunState, RunEvent>): OwnRun | null =>
  state.opened === null || head === null ? null : { state, opened: state.opened, head };

const propose = async (
  home: Ledger,
  runId: string,
  request: OutsideRequest,
  expected: Extract<Step['kind'], 'ask-hypothesis' | 'ask-mutation'>,
  commandOf: (run: OwnRun) => Promise<RunCommand>,
): Promise<Outcome> => {
  const own = await ownRun(home, request.actor.id, runId);
  if (!own.ok) return own;
  return home.runs.request(runId, request, async (standing) => {
    const run = opened(standing);
    const { kind } = nextStep(standing.state);
    return run !== null && kind === expected
      ? ok(await commandOf(run))
      : refused({
          code: 'not-now',
          message: `the run waits for ${WAITS_FOR[kind]}, not for ${WAITS_FOR[expected]}; look at its view and try again`,
        });
  });
};

/** What a step waits for, in words that tell an agent nothing that its view does not. */
const WAITS_FOR: Readonly<Record<Step['kind'], string>> = {
  'launch-baseline': 'the harness',
  train: 'the harness',
  measure: 'the harness',
  'ask-hypothesis': 'a hypothesis',
  'ask-mutation': 'the mutation of its hypothesis',
  'cut-over': 'the harness',
  judge: 'the harness',
  'sign-head': 'the harness: the loop is over',
  'prove-findings': 'the harness: the loop is over',
  rest: 'nothing more: it is over',
};
