import type { RunEvent, TrainingPurpose } from './events.ts';

/** What a runner does next at a node; at `rest` it owes nothing. */
export type EffectKind =
  | 'launch-baseline'
  | 'train'
  | 'measure'
  | 'ask-hypothesis'
  | 'ask-mutation'
  | 'cut-over'
  | 'judge'
  | 'sign-head'
  | 'prove-findings'
  | 'rest';

/**
 * The loop, as data: the decider walks it, the console and the docs draw it. A node says what happens there and
 * which effect the runner owes; an edge, which event leads on. An event without an edge at a node leaves it there.
 */
export const LOOP_GRAPH = {
  nodes: {
    new: { effect: 'rest', doc: 'nothing was opened yet' },
    baseline: { effect: 'launch-baseline', doc: 'the unchanged program is trained, once a seed' },
    training: {
      effect: 'train',
      doc: 'a training runs in the sandbox: of the baseline, a candidate, its replicate with another seed, or the incumbent measured again',
    },
    trained: { effect: 'measure', doc: 'its predictions wait for the evaluator' },
    idle: { effect: 'ask-hypothesis', doc: 'the incumbent stands; the agent is asked for an idea' },
    hypothesised: {
      effect: 'ask-mutation',
      doc: 'a hypothesis is paid; the agent is asked for its edit',
    },
    proposed: { effect: 'cut-over', doc: 'the mutation passed its gate and is paid' },
    observed: {
      effect: 'judge',
      doc: 'the candidate is measured and plausible; one that beats noise is trained with the other seeds first',
    },
    ended: { effect: 'sign-head', doc: 'the loop is over; its head is signed' },
    attested: {
      effect: 'prove-findings',
      doc: 'findings are claimed, scored once on sealed rows, verified',
    },
    closed: { effect: 'sign-head', doc: 'every finding has its verdict' },
    halted: { effect: 'sign-head', doc: 'a wall was hit; nothing resumes this run' },
    sealed: { effect: 'rest', doc: 'the last head is signed; the stream is complete' },
  },
  edges: [
    { from: 'new', on: 'RunOpened', to: 'baseline' },
    { from: 'baseline', on: 'TrainingLaunched', to: 'training' },
    { from: 'training', on: 'TrainingCompleted', to: 'trained' },
    { from: 'trained', on: 'MetricObserved', to: 'baseline', when: 'baseline' },
    { from: 'trained', on: 'MetricObserved', to: 'observed', when: 'candidate' },
    { from: 'trained', on: 'MetricObserved', to: 'observed', when: 'replicate' },
    { from: 'trained', on: 'MetricObserved', to: 'idle', when: 'remeasurement' },
    { from: 'baseline', on: 'BaselineEstablished', to: 'idle' },
    { from: 'idle', on: 'HypothesisProposed', to: 'hypothesised' },
    { from: 'hypothesised', on: 'MutationProposed', to: 'proposed' },
    { from: 'hypothesised', on: 'SecondaryMetricProposed', to: 'idle' },
    { from: 'proposed', on: 'TrainingLaunched', to: 'training' },
    { from: 'training', on: 'MutationReverted', to: 'idle' },
    { from: 'training', on: 'TrainingFailed', to: 'idle', when: 'remeasurement' },
    { from: 'training', on: 'TrainingTimedOut', to: 'idle', when: 'remeasurement' },
    { from: 'observed', on: 'TrainingLaunched', to: 'training' },
    { from: 'idle', on: 'TrainingLaunched', to: 'training' },
    { from: 'observed', on: 'RunReverted', to: 'idle' },
    { from: 'observed', on: 'MutationReverted', to: 'idle' },
    { from: 'observed', on: 'MutationKept', to: 'idle' },
    { from: 'idle', on: 'LoopEnded', to: 'ended' },
    { from: 'hypothesised', on: 'LoopEnded', to: 'ended' },
    { from: 'proposed', on: 'LoopEnded', to: 'ended' },
    { from: 'ended', on: 'RunHeadSigned', to: 'attested' },
    { from: 'attested', on: 'RunClosed', to: 'closed' },
    { from: 'closed', on: 'RunHeadSigned', to: 'sealed' },
    { from: 'halted', on: 'RunHeadSigned', to: 'sealed' },
    { from: 'baseline', on: 'RunHalted', to: 'halted' },
    { from: 'training', on: 'RunHalted', to: 'halted' },
    { from: 'trained', on: 'RunHalted', to: 'halted' },
    { from: 'idle', on: 'RunHalted', to: 'halted' },
    { from: 'hypothesised', on: 'RunHalted', to: 'halted' },
    { from: 'proposed', on: 'RunHalted', to: 'halted' },
    { from: 'observed', on: 'RunHalted', to: 'halted' },
  ],
} as const satisfies {
  nodes: Record<string, { effect: EffectKind; doc: string }>;
  edges: readonly { from: string; on: string; to: string; when?: TrainingPurpose }[];
};

export type LoopNode = keyof typeof LOOP_GRAPH.nodes;

/** Where an event leads from a node; with `when`, only while a training of this purpose is under way. */
export interface LoopEdge {
  readonly from: LoopNode;
  readonly on: RunEvent['type'];
  readonly to: LoopNode;
  readonly when?: TrainingPurpose;
}

const EDGES: readonly LoopEdge[] = LOOP_GRAPH.edges;

/** The node after an event; `purpose` is that of the training under way. */
export const follow = (
  node: LoopNode,
  eventType: string,
  purpose: TrainingPurpose | null,
): LoopNode =>
  EDGES.find(
    ({ from, on, when }) =>
      from === node && on === eventType && (when === undefined || when === purpose),
  )?.to ?? node;
