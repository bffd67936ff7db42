import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HarnessPolicy } from '#libs/harness';
import { fold } from '#libs/kernel';
import { SEALED } from '../../kernel/src/testing/sealed-text.ts';
import {
  follow,
  INITIAL,
  LOOP_GRAPH,
  nextStep,
  runDecider,
  type LoopNode,
  type RunCommand,
  type RunEvent,
  type RunState,
} from './index.ts';
import {
  addressed,
  baselineMeasured,
  crashed,
  cutOver,
  edited,
  established,
  fairness,
  hypothesis,
  iteration,
  judge,
  launchBaseline,
  measured,
  mutation,
  onTrial,
  open,
  past,
  POLICY as TWO_CHARTS,
  remeasured,
  replicateMeasured,
  signedBy,
  timedOut,
  trained,
} from './testing/scenario.ts';

/** With re-measurements, so that any run holds them. */
const POLICY: HarnessPolicy = {
  ...TWO_CHARTS,
  charts: [
    ...TWO_CHARTS.charts,
    { kind: 'stability', allowance: 0.5, decisionInterval: 5, every: 2 },
  ],
};

const NODES = Object.keys(LOOP_GRAPH.nodes) as readonly LoopNode[];
const edgesFrom = (node: LoopNode) => LOOP_GRAPH.edges.filter(({ from }) => from === node);

/** Every type of event once: a type that is added or renamed does not compile until it stands here. */
const EVENT_TYPES: Readonly<Record<RunEvent['type'], true>> = {
  RunOpened: true,
  GatePassed: true,
  RunHalted: true,
  TrainingLaunched: true,
  WorkerEnlisted: true,
  TrainingCompleted: true,
  TrainingFailed: true,
  TrainingTimedOut: true,
  MetricObserved: true,
  BaselineEstablished: true,
  HypothesisProposed: true,
  MutationProposed: true,
  ProposalRefused: true,
  SecondaryMetricProposed: true,
  CohortsServed: true,
  RestorePointTaken: true,
  MutationCutOver: true,
  MutationReverted: true,
  FairnessMeasured: true,
  MutationKept: true,
  RunReverted: true,
  LoopEnded: true,
  RunHeadSigned: true,
  RunClosed: true,
  BudgetCharged: true,
  BudgetExhausted: true,
  DivergenceDetected: true,
};

describe('the loop graph', () => {
  it('reaches every node from the first', () => {
    const reached = new Set<LoopNode>(['new']);
    for (const node of reached) for (const { to } of edgesFrom(node)) reached.add(to);
    expect([...reached].sort()).toEqual([...NODES].sort());
  });

  it('reaches the end from every node', () => {
    const leading = new Set<LoopNode>(['sealed']);
    for (const node of leading)
      for (const { from, to } of LOOP_GRAPH.edges) if (to === node) leading.add(from);
    expect([...leading].sort()).toEqual([...NODES].sort());
  });

  it('names only nodes and events that exist', () => {
    for (const { from, on, to } of LOOP_GRAPH.edges) {
      expect(NODES).toContain(from);
      expect(NODES).toContain(to);
      expect(EVENT_TYPES).toHaveProperty(on);
    }
  });

  it('has one way on for an event at a node', () => {
    const ways = LOOP_GRAPH.edges.map((edge) => [edge.from, edge.on, 'when' in edge && edge.when]);
    expect(new Set(ways.map((way) => way.join(' '))).size).toBe(ways.length);
  });

  it('lets every node that is between the opening and the end be halted, and no other', () => {
    const halting = LOOP_GRAPH.edges.filter(({ to }) => to === 'halted');
    const over: readonly LoopNode[] = ['new', 'ended', 'attested', 'closed', 'halted', 'sealed'];
    expect(new Set(halting.map(({ on }) => on))).toEqual(new Set(['RunHalted']));
    expect(halting.map(({ from }) => from).sort()).toEqual(
      NODES.filter((node) => !over.includes(node)).sort(),
    );
  });

  it('leaves a halt by the signature alone, and the end by nothing', () => {
    expect(edgesFrom('halted')).toEqual([{ from: 'halted', on: 'RunHeadSigned', to: 'sealed' }]);
    expect(edgesFrom('sealed')).toEqual([]);
  });

  it('stays at a node on an event without an edge', () => {
    expect(follow('sealed', 'HypothesisProposed', null)).toBe('sealed');
    expect(follow('trained', 'MetricObserved', null)).toBe('trained');
  });
});

const sign: RunCommand = {
  type: 'SignRunHead',
  id: 'sign',
  data: { revision: 3, hash: 'hash', signature: { keyId: 'runner', value: 'signed' } },
};
const finish: RunCommand = { type: 'FinishLoop', id: 'finish', data: { reason: 'done' } };
const close: RunCommand = { type: 'CloseRun', id: 'close', data: { findings: [] } };
const halt: RunCommand = { type: 'HaltRun', id: 'halt', data: { reason: SEALED } };

/** A way to each node, and the command that a runner sends there once it has performed the effect. */
const AT: Readonly<Record<LoopNode, readonly [readonly RunCommand[], RunCommand | null]>> = {
  new: [[], null],
  baseline: [[open()], launchBaseline('a')],
  training: [[open(), launchBaseline('a')], trained('a')],
  trained: [[open(), launchBaseline('a'), trained('a')], baselineMeasured('a')],
  idle: [established(), hypothesis('1')],
  hypothesised: [[...established(), hypothesis('1')], mutation('1')],
  proposed: [[...established(), hypothesis('1'), mutation('1')], cutOver('1')],
  observed: [[...established(), ...onTrial('1'), trained('1'), measured('1', {})], judge('1')],
  ended: [[...established(), finish], sign],
  attested: [[...established(), finish, sign], close],
  closed: [[...established(), finish, sign, close], sign],
  halted: [[open(), halt], sign],
  sealed: [[open(), halt, sign], null],
};

describe('the next step', () => {
  it.each(NODES)('at %s is the effect that the graph names, and leads on', (node) => {
    const [commands, owed] = AT[node];
    const state = fold(runDecider, past(...commands));
    expect(state.node).toBe(node);
    expect(nextStep(state).kind).toBe(LOOP_GRAPH.nodes[node].effect);
    if (owed === null) {
      expect(nextStep(state)).toEqual({ kind: 'rest' });
      return;
    }
    const decision = runDecider.decide(state, owed);
    if (!decision.ok) throw new Error(decision.error.message);
    expect(decision.value.reduce(runDecider.evolve, state)).not.toEqual(state);
    expect(decision.value.length).toBeGreaterThan(0);
  });

  it('hands over the training that it is about', () => {
    const state = fold(runDecider, past(...established(), ...onTrial('1')));
    expect(nextStep(state)).toMatchObject({
      kind: 'train',
      training: { purpose: 'candidate', tree: 'tree of 1' },
    });
  });
});

/** A command that may or may not belong where it is sent. */
type Sent = (state: RunState, name: string) => RunCommand;

const underWay = ({ training }: RunState, command: RunCommand): RunCommand =>
  training === null
    ? command
    : ({
        ...command,
        data:
          'result' in command.data
            ? {
                ...command.data,
                result: {
                  ...command.data.result,
                  data: { ...command.data.result.data, trainingId: training.trainingId },
                },
              }
            : { ...command.data, trainingId: training.trainingId },
      } as RunCommand);

/** The gain that a candidate's first look showed. */
const firstGain = ({ seeds }: RunState): number =>
  -(seeds[0]?.observation.difference?.value ?? 0) / 0.7;

const anyGain = fc.double({ min: -0.5, max: 0.9, noNaN: true });
const anyGap = fc.option(fc.double({ min: -10, max: 10, noNaN: true }), { nil: null });
const anyFile = fc.constantFrom('hyperparameters.json', 'features.json', 'architecture.json');

/** What a runner sends on its own accord: the owed command, whatever the agent and the machine make of it. */
const owed: fc.Arbitrary<Sent> = fc
  .record({
    gain: anyGain,
    gap: anyGap,
    path: anyFile,
    // Mostly well, now and then as it should not be.
    luck: fc.integer({ min: 0, max: 99 }),
  })
  .map(({ gain, gap, path, luck }): Sent => (state, name) => {
    switch (nextStep(state).kind) {
      case 'launch-baseline':
        return launchBaseline(name);
      case 'train':
        if (state.training?.purpose === 'baseline') return underWay(state, trained(name));
        return underWay(
          state,
          luck < 10
            ? crashed(name)
            : luck < 15
              ? timedOut(name)
              : luck < 40
                ? signedBy(trained(name), 'gpu', { keyId: 'gpu', publicKey: 'key' })
                : trained(name),
        );
      case 'measure':
        switch (state.training?.purpose) {
          case 'candidate':
            return underWay(state, measured(name, { gain, gap }));
          case 'replicate':
            // Mostly as good as the first look promised.
            return underWay(
              state,
              replicateMeasured(name, { gain: luck < 20 ? 0 : firstGain(state) }),
            );
          case 'remeasurement':
            return underWay(state, remeasured(name, 0.7 + gain / 100));
          default:
            return underWay(state, baselineMeasured(name, 0.7 + gain / 1000));
        }
      case 'ask-hypothesis':
        return luck < 3 ? finish : hypothesis(name);
      case 'ask-mutation':
        if (luck < 10)
          return { type: 'RefuseProposal', id: name, data: { reason: 'no such file' } };
        return addressed(
          state,
          mutation(name, [luck < 12 ? edited(path, '{"seed": 1}') : edited(path)]),
        );
      case 'cut-over':
        return addressed(state, cutOver(name));
      case 'judge':
        return addressed(state, judge(name, fairness(luck >= 3)));
      case 'prove-findings':
        return close;
      case 'sign-head':
        return sign;
      case 'rest':
        return state.node === 'new' ? open(POLICY) : sign;
    }
  });

/** Anything at any time. */
const stray: fc.Arbitrary<Sent> = fc.constantFrom<Sent>(
  () => open(POLICY),
  (_, name) => launchBaseline(name),
  (_, name) => trained(name),
  (state, name) => underWay(state, trained(name)),
  (state, name) => underWay(state, crashed(name)),
  (state, name) => underWay(state, measured(name, { gain: 0.1 })),
  (state, name) => underWay(state, measured(name, { gain: NaN })),
  (_, name) => hypothesis(name),
  (_, name) => mutation(name),
  (state, name) => addressed(state, mutation(name)),
  (_, name) => mutation(name, []),
  (_, name) => ({
    type: 'ProposeSecondaryMetric',
    id: name,
    data: { name: 'auc', available: ['auc'] },
  }),
  (_, name) => ({
    type: 'RequestData',
    id: name,
    data: { dimensions: [], breaches: [], cells: 1, people: 20 },
  }),
  (_, name) => cutOver(name),
  (state, name) => addressed(state, cutOver(name)),
  (state, name) => addressed(state, judge(name)),
  (state, name) => addressed(state, judge(name, null)),
  (_, name) => ({ type: 'StopLoop', id: name, data: { reason: SEALED } }),
  () => finish,
  () => halt,
  () => sign,
  () => close,
);

const anyCommands = fc.array(
  fc.oneof({ weight: 25, arbitrary: owed }, { weight: 1, arbitrary: stray }),
  {
    maxLength: 80,
    size: 'max',
  },
);

/** Sends the commands; those that are refused change nothing. */
const follows = (sent: readonly Sent[]) => {
  let state = INITIAL;
  const events: RunEvent[] = [];
  const afterOver: RunEvent[] = [];
  sent.forEach((make, index) => {
    const { node } = state;
    const decision = runDecider.decide(state, make(state, `command ${index}`));
    if (!decision.ok) return;
    if (node === 'halted' || node === 'sealed') afterOver.push(...decision.value);
    for (const event of decision.value) {
      state = runDecider.evolve(state, event);
      events.push(event);
    }
  });
  return { state, events, afterOver };
};

describe('a run of any commands', () => {
  const holds = (check: (run: ReturnType<typeof follows>) => void) => {
    fc.assert(
      fc.property(anyCommands, (sent) => {
        check(follows(sent));
      }),
      { numRuns: 300 },
    );
  };

  it('is long enough to mean something', () => {
    const seen = new Set<string>();
    for (const sent of fc.sample(anyCommands, { numRuns: 300, seed: 1 }))
      for (const { type } of follows(sent).events) seen.add(type);
    expect([...seen].sort()).toEqual(Object.keys(EVENT_TYPES).sort());
  });

  it('never overspends, and spends what was charged', () => {
    holds(({ state, events }) => {
      let remaining = POLICY.budget.total;
      for (const event of events) {
        if (event.type !== 'BudgetCharged') continue;
        remaining -= event.data.cost;
        expect(event.data.remaining).toBe(remaining);
        expect(remaining).toBeGreaterThanOrEqual(0);
      }
      if (state.opened !== null) expect(state.budget.remaining).toBe(remaining);
    });
  });

  it('has no event after its halt or its seal but the signature of its head', () => {
    holds(({ afterOver, events }) => {
      expect(afterOver.filter(({ type }) => type !== 'RunHeadSigned')).toEqual([]);
      const halted = events.findIndex(({ type }) => type === 'RunHalted');
      if (halted >= 0)
        expect(['', 'RunHeadSigned']).toContain(
          events
            .slice(halted + 1)
            .map(({ type }) => type)
            .join(),
        );
    });
  });

  it('folds from its events to the state that it was decided from, through JSON too', () => {
    holds(({ state, events }) => {
      expect(fold(runDecider, events)).toEqual(state);
      expect(fold(runDecider, JSON.parse(JSON.stringify(events)) as RunEvent[])).toEqual(state);
    });
  });

  it('has a line that starts at the baseline, and each of whose states came from the one before', () => {
    holds(({ state, events }) => {
      const proposed = new Map(
        events.flatMap((event) =>
          event.type === 'MutationProposed' ? [[event.data.mutationId, event.data]] : [],
        ),
      );
      state.line.forEach(({ mutationId, tree }, index) => {
        if (index === 0) {
          expect([mutationId, tree]).toEqual([null, 'source tree']);
          return;
        }
        expect(proposed.get(mutationId ?? '')).toMatchObject({
          proposedTree: tree,
          baseTree: state.line.get(index - 1)?.tree,
        });
      });
      for (const length of Object.values(state.stable))
        if (state.line.size > 0) {
          expect(length).toBeGreaterThanOrEqual(1);
          expect(length).toBeLessThanOrEqual(state.line.size);
        }
    });
  });

  it('settles every change that it put on trial before the next, unless it was halted', () => {
    holds(({ state, events }) => {
      let onTrialNow: string | null = null;
      for (const event of events) {
        if (event.type === 'MutationCutOver') {
          expect(onTrialNow).toBeNull();
          onTrialNow = event.data.mutationId;
        }
        if (event.type === 'MutationKept' || event.type === 'MutationReverted') {
          expect(event.data.mutationId).toBe(onTrialNow);
          onTrialNow = null;
        }
        if (event.type === 'RunReverted') {
          expect(event.data.mutationId).toBe(onTrialNow);
          if (onTrialNow !== null) expect(event.data.undone.at(-1)).toBe(onTrialNow);
          onTrialNow = null;
        }
      }
      if (['idle', 'ended', 'attested', 'closed'].includes(state.node))
        expect(onTrialNow).toBeNull();
    });
  });

  it('keeps nothing that was not trained with every seed', () => {
    holds(({ events }) => {
      let seeds: number[] = [];
      for (const event of events) {
        if (event.type === 'MutationCutOver') seeds = [];
        if (event.type === 'TrainingLaunched' && event.data.mutationId !== null)
          seeds.push(event.data.seed);
        if (event.type === 'MutationKept') expect(seeds).toEqual([7, 8]);
      }
    });
  });

  it('measures the incumbent again after every second decision, each time with a seed of its own', () => {
    holds(({ events }) => {
      let decided = 0;
      const launched: number[] = [];
      events.forEach((event, index) => {
        const decides =
          event.type === 'MutationKept' ||
          (event.type === 'MutationReverted' && event.data.reason !== 'post-loop-gate') ||
          (event.type === 'RunReverted' && event.data.mutationId !== null);
        if (decides) decided += 1;
        const next = events[index + 1];
        const again =
          next?.type === 'TrainingLaunched' && next.data.purpose === 'remeasurement' ? next : null;
        expect(again !== null).toBe(decides && decided % 2 === 0);
        if (again !== null) launched.push(again.data.seed);
      });
      expect(launched).toEqual(launched.map((_, index) => 9 + index));
    });
  });

  it('always owes a step that can be said', () => {
    holds(({ state }) => {
      expect(nextStep(state).kind).toBe(LOOP_GRAPH.nodes[state.node].effect);
    });
  });
});

describe('a whole night', () => {
  it('ends by its budget, in a line of what was kept', () => {
    const commands = [
      ...established(),
      ...['1', '2', '3', '4', '5', '6'].flatMap((name) => iteration(name, { gain: 0.015 })),
    ];
    const state = fold(runDecider, past(...commands, hypothesis('7'), mutation('7')));
    expect(state.node).toBe('ended');
    expect(state.line.size).toBe(7);
  });
});
