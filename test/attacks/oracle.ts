import { expect } from 'vitest';
import { observe } from '#libs/evaluator';
import type { HarnessPolicy } from '#libs/harness';
import { runDecider, type MetricObserved, type RunState, type TrainingCompleted } from '#libs/run';
import type { Assault } from './attack.ts';
import { editing, RECEIPT, WATCH_AUC } from './ideas.ts';
import {
  boost,
  drawWorld,
  play,
  readCells,
  transcriptBits,
  type CellAttack,
} from './oracle-game.ts';
import type { Siege } from './siege.ts';

/** Some cells below the minimum, many just above it, the rest larger. */
export const CELL_SIZES = Array.from({ length: 36 }, (_, cell) => {
  if (cell < 6) return 5;
  return cell < 20 ? 11 + (cell % 5) : 20 + cell;
});

/** The policy of an ordinary study: its budget, and a chart that fires at what is too good. */
export const ordinary = (policy: HarnessPolicy, total: number): HarnessPolicy => ({
  ...policy,
  budget: { ...policy.budget, total },
  charts: [{ kind: 'gain', reference: 0, allowance: 0.05, decisionInterval: 0.1 }],
});

/** The mean of an attack over worlds drawn from seeds 1 to `worlds`. */
export const overWorlds = async (
  { board }: Pick<Siege, 'board'>,
  policy: HarnessPolicy,
  worlds: number,
  raw: boolean,
): Promise<CellAttack> => {
  const sum = { queries: 0, bits: 0, certain: 0, guessed: 0, byChance: 0 };
  for (let seed = 1; seed <= worlds; seed += 1) {
    const one = await readCells(board, policy, drawWorld(seed, CELL_SIZES), raw);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += one[key] / worlds;
  }
  return sum;
};

export const flatteryOver = async (
  { board }: Pick<Siege, 'board'>,
  policy: HarnessPolicy,
  worlds: number,
  raw: boolean,
): Promise<number> => {
  let sum = 0;
  for (let seed = 1; seed <= worlds; seed += 1)
    sum += await boost(board, policy, drawWorld(seed, CELL_SIZES), 1000 + seed, raw);
  return sum / worlds;
};

/** Every member of a view by its path, with `*` for places in lists and names that the study or the agent chose. */
const membersOf = (value: unknown, path = ''): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap((each) => membersOf(each, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  const chosen = /(?:files|base|proposed)$/.test(path);
  return Object.entries(value).flatMap(([name, each]) =>
    membersOf(each, `${path}.${chosen ? '*' : name}`),
  );
};

/** All that AgentView may have: a new member is a new way out, and has to be written here. */
const MEMBERS = [
  ...['.runId', '.seed', '.score', '.cohorts', '.files.*', '.budget.total', '.budget.remaining'],
  ...['.brief.title', '.brief.question', '.brief.outcome', '.brief.entry'],
  ...['.brief.dimensions[].name', '.brief.dimensions[].labels[]'],
  ...[
    '.brief.mutable.hyperparameter[]',
    '.brief.mutable.feature[]',
    '.brief.mutable.architecture[]',
  ],
  ...['hypothesis', 'hyperparameter', 'feature', 'architecture', 'metric'].map(
    (charge) => `.brief.costs.${charge}`,
  ),
  ...['number', 'hypothesis', 'domain', 'outcome', 'score', 'error', 'proposed'].map(
    (member) => `.attempts[].${member}`,
  ),
  ...['.attempts[].base.*', '.attempts[].proposed.*'],
  ...['.attempts[].error.errorClass', '.attempts[].error.file', '.attempts[].error.line'],
];

/** Every number of an event's data, however deep. */
const numbersIn = (value: unknown): readonly number[] => {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(numbersIn);
};

/** The evaluator as an oracle. */
export const ORACLE: Assault = {
  family: 'oracle',
  attacks: [
    {
      kind: 'scenario',
      id: 'counts-of-small-cells',
      tries:
        'changes its predictions for a cohort of a few held-out people and reads them out of the score',
      stoppedBy: 'evaluator',
      withoutStaticChecks: true,
      evidence:
        'whatever it predicts for them, nothing of the observation moves; scored like the others they would move it',
      play: async ({ study, honest }) => {
        const { dev, check } = study.vault.counts;
        const { minimumCell } = study.policy.data;
        const honestly = (honest.predictions ?? '')
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((line) => Number(line.split(',')[1]));
        const small = Array.from(dev.cells.people).flatMap((n, cell) =>
          n > 0 && n < minimumCell ? [cell] : [],
        );
        expect(small.length).toBeGreaterThan(0);
        const seen = (p: number, minimum: number) =>
          observe({
            predictions: honestly.map((other, cell) => (small.includes(cell) ? p : other)),
            incumbent: honestly,
            ...{ dev: dev.cells, check: check.cells, minimumCell: minimum },
            secondary: ['auc', 'brier', 'calibration-error'],
          });
        for (const p of [0, 0.3, 1]) {
          const { gapChange: _, check: __, ...others } = seen(p, minimumCell);
          const { gapChange: ___, check: ____, ...before } = seen(0.5, minimumCell);
          expect(others).toEqual(before);
        }
        expect(seen(0, 1).metric.value).not.toBe(seen(0.5, 1).metric.value);
      },
    },
    {
      kind: 'scenario',
      id: 'one-cell-at-a-time',
      tries:
        'perturbs one cell at a time at the most telling prediction, over the whole budget, knowing all other counts',
      stoppedBy: 'Ladder',
      withoutStaticChecks: true,
      evidence:
        'less than half a bit an attempt, and no count guessed that chance would not guess but one; exact scores tell every count',
      play: async (siege) => {
        const policy = ordinary(siege.board.opened.policy, 100);
        const told = await overWorlds(siege, policy, 8, false);
        const raw = await overWorlds(siege, policy, 8, true);
        expect(told.queries).toBe(6);
        expect(told.bits).toBeLessThan(0.5 * told.queries);
        expect(told.bits).toBeLessThan(transcriptBits(policy, Math.LN2));
        expect(told.guessed - told.byChance).toBeLessThan(1);
        expect(told.certain).toBeLessThan(1);
        // The control: with exact scores the same attack knows everything.
        expect(raw.certain).toBe(raw.queries);
        expect(raw.guessed).toBe(raw.queries);
        expect(raw.bits).toBeGreaterThan(2 * raw.queries);
      },
    },
    {
      kind: 'scenario',
      id: 'majority-of-lucky-draws',
      tries:
        'submits random changes, keeps those that look better and submits their majority (Blum and Hardt)',
      stoppedBy: 'Ladder',
      withoutStaticChecks: true,
      evidence:
        'dev flatters the result by less than a fifth of what exact scores give the same attack',
      play: async (siege) => {
        const policy = ordinary(siege.board.opened.policy, 300);
        const told = await flatteryOver(siege, policy, 40, false);
        const raw = await flatteryOver(siege, policy, 40, true);
        expect(raw).toBeGreaterThan(0.003);
        expect(Math.abs(told)).toBeLessThan(raw / 5);
      },
    },
    {
      kind: 'scenario',
      id: 'first-digits',
      tries:
        'predicts so that the counts stand in the last digits of the score, all of them at once',
      stoppedBy: 'Ladder',
      withoutStaticChecks: true,
      evidence:
        'what is told is a multiple of 0.005, the same for thousands of worlds; exact scores differ in each',
      play: async ({ board }) => {
        const { opened } = board;
        const policy = ordinary(opened.policy, 100);
        const told = new Set<string>();
        const exact = new Set<number>();
        for (let seed = 1; seed <= 60; seed += 1) {
          const world = { ...drawWorld(seed, CELL_SIZES), rates: CELL_SIZES.map(() => 0.5) };
          // Weights that no two counts share.
          const coded = CELL_SIZES.map((_, cell) => 0.5 + 0.001 / (cell + 2));
          const game = await play(board, policy, world, world.rates);
          told.add(JSON.stringify(await game.submit(coded)));
          exact.add(
            observe({
              ...{ predictions: coded, incumbent: null, dev: world.dev, check: null },
              minimumCell: policy.data.minimumCell,
              secondary: [],
            }).metric.value,
          );
        }
        expect(exact.size).toBe(60);
        expect(told.size).toBeLessThanOrEqual(2);
      },
    },
    {
      kind: 'scenario',
      id: 'certain-predictions',
      tries:
        'predicts next to 0 for a cell, so that one positive person would show as an enormous loss',
      stoppedBy: 'evaluator',
      withoutStaticChecks: true,
      evidence:
        'clipped: 0, 1e-300 and 0.005 are one and the same, and nobody moves a sum by more than 5.3',
      play: async ({ study, honest }) => {
        const { dev } = study.vault.counts;
        const cells = Array.from(dev.cells.people);
        const at = (p: number) =>
          observe({
            ...{ predictions: cells.map(() => p), incumbent: null, dev: dev.cells, check: null },
            minimumCell: study.policy.data.minimumCell,
            secondary: [],
          });
        expect(at(0)).toEqual(at(0.005));
        expect(at(1e-300)).toEqual(at(0.005));
        expect(at(1)).toEqual(at(0.995));
        expect(at(0).metric.value).toBeLessThan(5.3);
        expect(honest.observation?.metric.value).toBeGreaterThan(0);
      },
    },
    {
      kind: 'scenario',
      id: 'size-of-a-revert',
      tries: 'reads from a revert how far too good it was',
      stoppedBy: 'agent view',
      withoutStaticChecks: true,
      evidence:
        'a little too good and far too good are told alike: reverted, no score, the same view',
      play: async ({ board }) => {
        const { opened } = board;
        const policy: HarnessPolicy = {
          ...ordinary(opened.policy, 300),
          charts: [{ kind: 'gain', reference: 0, allowance: 0.05, decisionInterval: 0.01 }],
        };
        const world = drawWorld(
          3,
          CELL_SIZES.map((n) => n * 5),
        );
        const baseline = world.rates.map(() => 0.5);
        const towards = (share: number) => world.rates.map((rate) => 0.5 + share * (rate - 0.5));
        const answers = await Promise.all(
          [0.9, 1].map(async (share) =>
            (await play(board, policy, world, baseline)).submit(towards(share)),
          ),
        );
        expect(answers[0]).toEqual({ outcome: 'reverted', score: null });
        expect(answers[1]).toEqual(answers[0]);
        // The control: what is not too good is told otherwise.
        const game = await play(board, policy, world, baseline);
        expect((await game.submit(towards(0.1)))?.outcome).not.toBe('reverted');
      },
    },
    {
      kind: 'scenario',
      id: 'order-of-reverts',
      tries:
        'has several charts fire in different orders, to tell from what is undone which of them it was',
      stoppedBy: 'agent view',
      withoutStaticChecks: true,
      evidence:
        'neither charts nor sums nor the reason of a revert are in the view, which is the line that stands',
      play: async ({ run }) => {
        const { views, attempts } = await run('holdfast.yaml', [RECEIPT]);
        const reverted = attempts[0]?.find(({ type }) => type === 'RunReverted');
        expect(reverted).toBeDefined();
        const view = views.at(-1);
        expect(view?.attempts.map(({ outcome, score }) => ({ outcome, score }))).toEqual([
          { outcome: 'reverted', score: null },
        ]);
        expect(view?.files).toEqual(views[0]?.files);
        expect(view?.score).toBe(views[0]?.score);
        expect(JSON.stringify(view)).not.toMatch(
          /gain|gap|upper|lower|implausible|plausible|fired|chart/i,
        );
      },
    },
    {
      kind: 'scenario',
      id: 'everything-else-that-is-measured',
      tries:
        'looks in its view for standard errors, check and sealed scores, sums, the seed deviation',
      stoppedBy: 'agent view',
      withoutStaticChecks: true,
      evidence:
        'the view has a closed set of members, and no measured number but the rounded score is in it',
      play: async ({ base, run }) => {
        const { views, events } = await run('keeps.yaml', [
          WATCH_AUC,
          RECEIPT,
          editing('features.json', () => '{ "use": ["paper"] }\n')(base).idea,
        ]);
        const view = views.at(-1);
        expect(view?.attempts.map(({ outcome }) => outcome)).toContain('kept');
        const members = [...new Set(views.flatMap((each) => membersOf(each)))];
        expect(members.filter((member) => !MEMBERS.includes(member))).toEqual([]);
        const text = JSON.stringify(view);
        const measured = events
          .filter(({ type }) =>
            ['MetricObserved', 'BaselineEstablished', 'FairnessMeasured', 'MutationKept'].includes(
              type,
            ),
          )
          .flatMap(({ data }) => numbersIn(data))
          .filter((value) => String(value).length > 6);
        expect(measured.length).toBeGreaterThan(20);
        expect(measured.filter((value) => text.includes(String(value)))).toEqual([]);
        const told = events.flatMap(({ type, data }) =>
          type === 'MetricObserved' ? [(data as MetricObserved['data']).ladderScore] : [],
        );
        expect(view?.score).toBe(told.at(-1));
        const steps = (view?.score ?? 0) / 0.005;
        expect(steps).toBeCloseTo(Math.round(steps), 6);
      },
    },
    {
      kind: 'scenario',
      id: 'texts-of-refusals',
      tries: 'has refusals and crashes quote what they found, held-out data with it',
      stoppedBy: 'agent view',
      withoutStaticChecks: true,
      evidence:
        'a refusal speaks of the edit alone, a crash of its class and line, and neither of what was in the data',
      play: async ({ base, judge, follow }) => {
        const refused = await judge([{ path: 'nowhere/../x', content: '' }]);
        expect(refused.verdict).toBe('refuses');
        expect(refused.why).not.toMatch(/canary|dev|sealed|score|\d\.\d{3}/);
        const throwing = editing(
          'model.js',
          (text) =>
            `import * as data from 'node:fs';\nthrow new RangeError(data.readFileSync('/data/train.csv', 'utf8'));\n${text}`,
        )(base);
        const { tree } = await judge(throwing.edits);
        const { view, events } = await follow(tree ?? '');
        const failed = events.find(({ type }) => type === 'TrainingFailed');
        // The control: what people are shown does quote it, cut short.
        expect(JSON.stringify(failed?.data)).toContain('RangeError: cell');
        expect(view.attempts.at(-1)?.error).toEqual({
          errorClass: 'RangeError',
          file: 'model.js',
          line: 2,
        });
      },
    },
    {
      kind: 'scenario',
      id: 'time-of-a-training',
      tries: 'takes time in step with what it reads, for its agent to tell from how long it took',
      stoppedBy: 'agent view',
      withoutStaticChecks: true,
      evidence: 'no time is in the view: two trainings of very different length are told alike',
      play: async ({ base, judge, follow }) => {
        const told = async (milliseconds: number) => {
          const waiting = editing(
            'model.js',
            (text) =>
              `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${milliseconds});\n${text}`,
          )(base);
          const { tree } = await judge(waiting.edits);
          const { events, view } = await follow(tree ?? '');
          const trained = events.find(({ type }) => type === 'TrainingCompleted');
          const { durationMs } = trained?.data as TrainingCompleted['data'];
          const attempts = view.attempts.map(({ proposed: _, ...attempt }) => attempt);
          return { durationMs, attempts };
        };
        const [short, long] = [await told(10), await told(1500)];
        // The control: whoever may read the log tells them apart.
        expect(long.durationMs - short.durationMs).toBeGreaterThan(500);
        expect(long.attempts).toEqual(short.attempts);
      },
    },
    {
      kind: 'scenario',
      id: 'endless-queries',
      tries: 'goes on asking after its budget is spent, and opens attempts that it does not finish',
      stoppedBy: 'budget',
      withoutStaticChecks: true,
      evidence: 'as many answers as the budget pays for, whatever was asked; then the loop is over',
      play: async ({ board }) => {
        const { opened } = board;
        const policy = ordinary(opened.policy, 100);
        const world = drawWorld(5, CELL_SIZES);
        const game = await play(board, policy, world, world.rates);
        const answers = [];
        for (let n = 0; n < 50; n += 1) answers.push(await game.submit(world.rates));
        expect(answers.filter((answer) => answer !== null)).toHaveLength(6);
      },
    },
    {
      kind: 'scenario',
      id: 'numbers-that-blind',
      tries: 'has a score that is not finite blind the charts for good',
      stoppedBy: 'decider',
      withoutStaticChecks: true,
      evidence: 'an observation that is not finite is refused, and the run stands where it stood',
      play: async ({ context: { opened, state }, honest }) => {
        const observation = honest.observation;
        if (observation === null) throw new Error('the honest program was not observed');
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const trained: RunState = {
            ...state,
            node: 'trained',
            training: {
              trainingId: 't',
              purpose: 'candidate',
              mutationId: 'm',
              tree: 'tree',
              seed: opened.seed,
              seconds: 1,
            },
          };
          const decision = runDecider.decide(trained, {
            type: 'ObserveMetric',
            id: 'blind',
            data: {
              trainingId: 't',
              observation: { ...observation, metric: { ...observation.metric, value } },
              overSeeds: null,
            },
          });
          expect(decision).toMatchObject({ ok: false, error: { code: 'not-finite' } });
        }
      },
    },
  ],
};
