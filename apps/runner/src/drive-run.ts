import type { Agent } from '#libs/agents';
import { TrainingLeft, type TrainingProgress } from '#libs/jobs';
import { ok, refused, type Actor, type Refusal, type Result } from '#libs/kernel';
import {
  nextStep,
  type RunCommand,
  type RunEvent,
  type RunOpened,
  type RunState,
  type Step,
} from '#libs/run';
import { inRunTrace, spanOfEvent } from '#libs/telemetry';
import { HARNESS, SEARCH_AGENT } from './actors.ts';
import type { EffectContext } from './effects/context.ts';
import { perform } from './effects/perform.ts';
import type { Home } from './home.ts';
import type { OpenedStudy } from './opening/open-study.ts';

export interface Drive {
  readonly runId: string;
  readonly study: OpenedStudy;
  /** Null where the proposals come from outside: the driving rests while the run waits for one. */
  readonly agent: Agent | null;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /**
   * Stops the driving between two steps, and the waiting for a training elsewhere; the run goes on where it stands when
   * it is driven again.
   */
  readonly signal?: AbortSignal;
}

export const waitsForAgent = ({ kind }: Step): boolean =>
  kind === 'ask-hypothesis' || kind === 'ask-mutation';

/** Stands where no step asks the agent. */
const NOBODY: Agent = {
  proposeHypothesis: () => Promise.reject(new Error('this run is driven without an agent')),
  proposeMutation: () => Promise.reject(new Error('this run is driven without an agent')),
};

/** What the agent said stands in the log under its own name; everything else is the harness's. */
const AGENTS_OWN: readonly RunCommand['type'][] = [
  'ProposeHypothesis',
  'ProposeMutation',
  'ProposeSecondaryMetric',
  'RefuseProposal',
  'FinishLoop',
];

const actorOf = (command: RunCommand): Actor =>
  AGENTS_OWN.includes(command.type) ? SEARCH_AGENT : HARNESS;

/** What a command meets when somebody else was faster. */
const OVERTAKEN: readonly string[] = ['lost-race', 'not-now', 'not-this-training', 'over'];

/**
 * Follows a run to its end: reads where it stands, asks `nextStep`, performs that one effect, sends the command that
 * records it. Holds no state of its own, so that it can be killed anywhere and called again.
 *
 * @returns the run when it owes nothing more or waits for an agent outside, or `lost-race` when another runner got ahead: this one steps back
 */
export const driveRun = async (
  home: Home,
  {
    runId,
    study,
    agent,
    onProgress = () => undefined,
    signal = new AbortController().signal,
  }: Drive,
): Promise<Result<RunState, Refusal>> => {
  for (;;) {
    const { state, head } = await home.runs.load(runId);
    if (state.opened === null || head === null)
      return refused({
        code: 'run-unknown',
        message: `found no run ${runId}; list them with: holdfast runs`,
      });
    const strange = otherKeys(home, runId, state.opened.keys);
    if (strange !== null) return refused(strange);
    const step = nextStep(state);
    if (step.kind === 'rest' || (agent === null && waitsForAgent(step))) return ok(state);
    if (signal.aborted)
      return refused({
        code: 'interrupted',
        message: `stopped between two steps; go on with: holdfast run --resume ${runId}`,
      });
    const context: EffectContext = {
      ...{ home, study, runId, state, opened: state.opened, head, onProgress, signal },
      agent: agent ?? NOBODY,
    };
    const command = await inRunTrace(runId, head.id, { name: step.kind }, () =>
      perform(context, step).catch((error: unknown) => {
        if (!(error instanceof TrainingLeft)) throw error;
        return null;
      }),
    );
    // Where the run stands now says what is owed instead.
    if (command === null) continue;
    const sent = await home.runs.send(runId, command, actorOf(command), head);
    if (sent.ok) {
      for (const { id, type, metadata } of sent.value)
        spanOfEvent(runId, { id, type, causationId: metadata.causationId });
      continue;
    }
    const since = await typesFrom(home, runId, head.revision + 1);
    // What is refused though nobody came in between would be refused for ever.
    const isOvertaken = since.length > 0 && OVERTAKEN.includes(sent.error.code);
    if (!isOvertaken && sent.error.code !== 'lost-race')
      throw new Error(`${command.type} on ${runId}: ${sent.error.message}`);
    if (isOvertaken && since.every((type) => OTHERS.includes(type))) continue;
    return refused({
      code: 'lost-race',
      message: `another runner drives ${runId}; this one steps back (${sent.error.message})`,
    });
  }
};

/** Whether the driving was only left, to another runner or for later: nothing is wrong with the run. */
export const isSteppedBack = ({ code }: Refusal): boolean =>
  code === 'lost-race' || code === 'interrupted';

/** What stands in a run's stream without another runner: a human's end, an answer to the agent. */
const OTHERS: readonly RunEvent['type'][] = ['LoopEnded', 'RunHalted', 'CohortsServed'];

const typesFrom = async (
  home: Home,
  runId: string,
  from: number,
): Promise<readonly RunEvent['type'][]> => {
  const types: RunEvent['type'][] = [];
  for await (const { type } of home.log.readStream<RunEvent>(`run-${runId}`, { from }))
    types.push(type);
  return types;
};

/** A run is signed to its end by the keys that it pinned: signed by others it would be blocked for good. */
const otherKeys = (
  { keys, keyFolder }: Home,
  runId: string,
  pinned: RunOpened['data']['keys'],
): Refusal | null => {
  const strange = (['runner', 'worker'] as const).find(
    (name) => keys[name].keyId !== pinned[name].keyId,
  );
  return strange === undefined
    ? null
    : {
        code: 'other-keys',
        message: `run ${runId} pinned the ${strange} key ${pinned[strange].keyId}, found ${keys[strange].keyId} in ${keyFolder}; drive it from the home that opened it, or give this one the same keys`,
      };
};
