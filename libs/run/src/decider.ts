import { unreachable, type Decider } from '#libs/kernel';
import { humanTextProblem } from '#libs/mandate';
import type { RunCommand } from './commands.ts';
import { cutOver, judge } from './deciding/judging.ts';
import { observeMetric, recordTraining } from './deciding/measuring.ts';
import { launchBaseline, openRun } from './deciding/opening.ts';
import {
  events,
  halted,
  HALTED_BY_A_HUMAN,
  loopEnded,
  refuse,
  STOPPED_BY_A_HUMAN,
  type Decision,
  type RunRefusalCode,
} from './deciding/outcome.ts';
import {
  finishLoop,
  proposeHypothesis,
  proposeMutation,
  proposeSecondaryMetric,
  refuseProposal,
  requestData,
  SCREENS,
  type Screens,
} from './deciding/proposing.ts';
import type { RunEvent } from './events.ts';
import type { LoopNode } from './loop-graph.ts';
import { evolve, INITIAL, type RunState } from './state.ts';

/** Between the opening and the end: what can halt a run halts it at any of these. */
const LIVE: readonly LoopNode[] = [
  'baseline',
  'training',
  'trained',
  'idle',
  'hypothesised',
  'proposed',
  'observed',
];

/** Which nodes take a command. Everything else is refused with the node that was found. */
const TAKEN_AT: Readonly<Record<RunCommand['type'], readonly LoopNode[]>> = {
  OpenRun: ['new'],
  LaunchBaseline: ['baseline'],
  RecordTraining: ['training'],
  ObserveMetric: ['trained'],
  ProposeHypothesis: ['idle'],
  ProposeMutation: ['hypothesised'],
  RefuseProposal: ['hypothesised'],
  ProposeSecondaryMetric: ['hypothesised'],
  RequestData: LIVE,
  CutOver: ['proposed'],
  Judge: ['observed'],
  FinishLoop: ['idle', 'hypothesised'],
  StopLoop: ['idle', 'hypothesised'],
  HaltRun: LIVE,
  SignRunHead: ['ended', 'closed', 'halted'],
  CloseRun: ['attested'],
};

const OVER: readonly LoopNode[] = ['ended', 'attested', 'closed', 'halted', 'sealed'];

/**
 * What a command does to a run.
 *
 * @param screens - what is made of the agent's texts and files; another than today's is for whoever decides anew what
 * was decided, from events that do not hold them
 */
export const decideRun = (
  state: RunState,
  command: RunCommand,
  screens: Screens = SCREENS,
): Decision => {
  const takenAt = TAKEN_AT[command.type];
  if (!takenAt.includes(state.node))
    return OVER.includes(state.node)
      ? refuse(
          'over',
          `${command.type}: the run is ${state.node}; nothing resumes it (open or fork a new one)`,
        )
      : refuse(
          'not-now',
          `${command.type} is taken at ${takenAt.join(', ')}; the run stands at "${state.node}"`,
        );
  if (command.type === 'OpenRun') return openRun(command);
  const { opened } = state;
  if (opened === null) throw new Error(`a run at "${state.node}" that was never opened`);
  switch (command.type) {
    case 'LaunchBaseline':
      return launchBaseline(state, opened, command.id);
    case 'RecordTraining':
      return recordTraining(state, opened, command);
    case 'ObserveMetric':
      return observeMetric(state, opened, command);
    case 'ProposeHypothesis':
      return proposeHypothesis(state, opened, command, screens);
    case 'ProposeMutation':
      return proposeMutation(state, opened, command, screens);
    case 'RefuseProposal':
      return refuseProposal(state, opened, command.data.reason, screens);
    case 'ProposeSecondaryMetric':
      return proposeSecondaryMetric(state, command, opened, screens);
    case 'RequestData':
      return requestData(command);
    case 'CutOver':
      return cutOver(state, opened, command);
    case 'Judge':
      return judge(state, opened, command);
    case 'FinishLoop':
      return finishLoop(state, opened, command.data.reason, screens);
    case 'StopLoop':
    case 'HaltRun': {
      const { reason } = command.data;
      const problem = humanTextProblem(reason);
      if (problem !== null) return refuse('no-reason', problem);
      return command.type === 'StopLoop'
        ? events(loopEnded(state, 'stopped', STOPPED_BY_A_HUMAN, reason))
        : events(halted('human', HALTED_BY_A_HUMAN, [], null, reason));
    }
    case 'SignRunHead':
      return events({ type: 'RunHeadSigned', data: command.data });
    case 'CloseRun':
      return events({ type: 'RunClosed', data: command.data });
    default:
      return unreachable(command);
  }
};

/** The run: one decider that composes budget, divergence, harness and mandate. */
export const runDecider: Decider<RunState, RunCommand, RunEvent, RunRefusalCode> = {
  initialState: INITIAL,
  decide: (state, command) => decideRun(state, command),
  evolve,
};
