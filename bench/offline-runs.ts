/**
 * What runs of a study come to over many seeds, without sandbox, vault, log or git: the study's model, the search
 * agent, the charts, the keep rule and the evaluator called directly. Every seed also splits the rows anew. Quick
 * enough to tune a study by.
 *
 *     npx node --conditions=source bench/offline-runs.ts examples/pay/holdfast.yaml [seeds] [--lines]
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { searchAgent, type AgentView, type AttemptView, type ProgramFiles } from '#libs/agents';
import {
  advance,
  chartInput,
  isKept,
  keepRuling,
  owesSeed,
  ZERO,
  type Sums,
} from '#libs/divergence';
import {
  differenceOverSeeds,
  fairness,
  ladder,
  leastTold,
  observe,
  sealedContrast,
  simultaneousInterval,
} from '#libs/evaluator';
import {
  favourableLabel,
  postLoopGate,
  protectedGroups,
  SPLITS,
  type DimensionPolicy,
  type Split,
} from '#libs/harness';
import { describeProblem, parseStudyFile } from '#libs/studies';

const LADDER_STEP = 0.005;

interface Counts {
  readonly people: number[];
  readonly positive: number[];
}
interface Fitted {
  readonly predictions: readonly number[];
}
type Program = (
  files: ProgramFiles,
  table: readonly Record<string, string | number>[],
  seed: number,
) => readonly number[];

/** Which label of a dimension a value of its column has. */
const labelIndex = (dimension: DimensionPolicy, value: string): number =>
  dimension.kind === 'bins'
    ? dimension.cuts.filter((cut) => Number(value) >= cut).length
    : dimension.values.findIndex((values) => values.includes(value));

const featuresOf = (files: ProgramFiles): readonly string[] =>
  (JSON.parse(files['features.json']!) as { use: string[] }).use;

const loadStudy = async (path: string) => {
  const folder = dirname(resolve(path));
  const read = parseStudyFile(readFileSync(path, 'utf8'), path);
  if (!read.ok) throw new Error(read.error.map(describeProblem).join('\n'));
  const { policy } = read.value;
  const { data, program } = policy;

  const [header = [], ...rows] = readFileSync(resolve(folder, data.path), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  const label = (dimension: DimensionPolicy, row: string[]): number =>
    labelIndex(dimension, row[header.indexOf(dimension.column)]!);
  const isPositive = (row: string[]): boolean => {
    const value = row[header.indexOf(data.outcome.column)]!;
    const { positive } = data.outcome;
    return 'equals' in positive ? value === positive.equals : Number(value) >= positive.atLeast;
  };
  const people = rows.map((row) => ({
    positive: isPositive(row),
    cell: data.dimensions.reduce((index, d) => index * d.labels.length + label(d, row), 0),
    groups: data.protected.map((attribute) => label(attribute, row)),
  }));
  const measuredOver = protectedGroups(data.protected, policy.gates.postLoop.intersections);
  const combination = (of: readonly string[], groups: readonly number[]): number =>
    of.reduce((code, name) => {
      const at = data.protected.findIndex((attribute) => attribute.name === name);
      return code * data.protected[at]!.labels.length + groups[at]!;
    }, 0);
  const cells = data.dimensions
    .reduce<Record<string, string>[]>(
      (all, { name, labels }) =>
        all.flatMap((cell) => labels.map((value) => ({ ...cell, [name]: value }))),
      [{}],
    )
    .map((cell, index) => ({ ...cell, cell: String(index) }));

  const count = (members: typeof people): Counts => {
    const counts = { people: cells.map(() => 0), positive: cells.map(() => 0) };
    for (const { cell, positive } of members) {
      counts.people[cell]! += 1;
      if (positive) counts.positive[cell]! += 1;
    }
    return counts;
  };
  const split = (key: string) => {
    const members: Record<Split, typeof people> = { train: [], dev: [], check: [], sealed: [] };
    people.forEach((person, row) => {
      const digest = createHmac('sha256', key).update(String(row)).digest();
      let place = (digest.readUInt32BE(0) / 2 ** 32) * 100;
      members[SPLITS.find((name) => (place -= data.split[name]) < 0) ?? 'sealed'].push(person);
    });
    return {
      counts: {
        train: count(members.train),
        dev: count(members.dev),
        check: count(members.check),
        sealed: count(members.sealed),
      },
      groups: measuredOver.map(({ attribute, groups: labels, of, codes }) => ({
        attribute,
        groups: labels.map((group, index) => ({
          group,
          counts: count(
            members.dev.filter(({ groups }) => codes[combination(of, groups)] === index),
          ),
        })),
      })),
    };
  };

  const model = pathToFileURL(resolve(folder, program.path, 'model.js')).href;
  const { fit } = (await import(model)) as { fit: (request: object) => Fitted };
  const train: Program = (files, table, seed) => {
    const setting = (name: string) => JSON.parse(files[`${name}.json`]!);
    const hyperparameters = setting('hyperparameters');
    return fit({
      table,
      cells,
      features: setting('features').use,
      hyperparameters,
      architecture: setting('architecture'),
      seed,
      steps: hyperparameters.epochs,
      onStep: () => true,
    }).predictions;
  };
  const baseline: ProgramFiles = Object.fromEntries(
    Object.values(program.mutable)
      .flat()
      .map((file) => [file, readFileSync(resolve(folder, program.path, file), 'utf8')]),
  );
  return { policy, baseline, cells, split, train };
};

type LoadedStudy = Awaited<ReturnType<typeof loadStudy>>;

const SECRET = 'offline';

const simulate = async (loaded: LoadedStudy, seed: number) => {
  const { policy, baseline, cells, train } = loaded;
  const { budget, charts, data, study } = policy;
  const { minimumCell } = data;
  const { counts, groups } = loaded.split(`${SECRET} ${seed}`);
  const table = cells
    .map((cell, i) => ({
      ...cell,
      n: counts.train.people[i]!,
      positive: counts.train.positive[i]!,
    }))
    .filter(({ n }) => n >= minimumCell);
  const released = table.reduce((sum, { n }) => sum + n, 0);
  const everybody = counts.train.people.reduce((sum, n) => sum + n, 0);
  const suppression = 100 * (1 - released / everybody);
  const watch = (predictions: readonly number[], incumbent: readonly number[] | null) =>
    observe({
      ...{ predictions, incumbent, minimumCell, secondary: [] },
      ...{ dev: counts.dev, check: counts.check },
    });

  const run = (files: ProgramFiles, replicate = 0) => train(files, table, seed * 1000 + replicate);
  const bySeed = (files: ProgramFiles) =>
    Array.from({ length: policy.replicates }, (_, replicate) => run(files, replicate));
  const replicates = bySeed(baseline);
  const metrics = replicates.map((predictions) => watch(predictions, null).metric.value);
  const mean = metrics.reduce((sum, m) => sum + m, 0) / metrics.length;
  const seedDeviation = Math.sqrt(
    metrics.reduce((sum, m) => sum + (m - mean) ** 2, 0) / Math.max(1, metrics.length - 1),
  );

  interface State {
    readonly files: ProgramFiles;
    readonly predictions: readonly number[];
    /** Predictions by seed, the first among them. */
    readonly seeds: readonly (readonly number[])[];
    readonly kept: readonly { number: number; from: readonly number[]; to: readonly number[] }[];
  }
  const start: State = {
    files: baseline,
    predictions: replicates[0]!,
    seeds: replicates,
    kept: [],
  };
  let incumbent = start;
  const atStart = () =>
    charts.map((): { sums: Sums; stable: State } => ({ sums: ZERO, stable: incumbent }));
  let monitor = atStart();
  let remaining: number = budget.total;
  let best: number | null = ladder(null, mean, LADDER_STEP);
  const attempts: AttemptView[] = [];
  const lines: string[] = [];
  const totals = { kept: 0, discarded: 0, divergences: 0, leaks: 0, undone: 0 };
  let ended = '';

  const agent = searchAgent(policy.agent);
  while (ended === '') {
    const view: AgentView = {
      runId: 'offline',
      seed,
      brief: {
        title: study.title,
        question: study.question,
        outcome: data.outcome.name,
        dimensions: data.dimensions.map(({ name, labels }) => ({ name, labels })),
        mutable: policy.program.mutable,
        costs: budget.costs,
        entry: policy.program.entry,
      },
      budget: { total: budget.total, remaining },
      files: incumbent.files,
      cohorts: '',
      score: best,
      attempts: [...attempts],
    };
    const hypothesis = await agent.proposeHypothesis(view);
    if (hypothesis.kind === 'finished') {
      ended = 'finished';
      break;
    }
    if (budget.costs.hypothesis > remaining) {
      ended = 'exhausted';
      break;
    }
    remaining -= budget.costs.hypothesis;
    const mutation = await agent.proposeMutation(
      { ...view, budget: { total: budget.total, remaining } },
      hypothesis,
    );
    if (mutation.kind === 'metric') throw new Error('the search agent proposes no metric');
    const cost = budget.costs[mutation.domain];
    if (cost > remaining) {
      ended = 'exhausted';
      break;
    }
    remaining -= cost;
    const edits = Object.fromEntries(mutation.edits.map(({ path, content }) => [path, content]));
    const proposed = { ...incumbent.files, ...edits };
    const predictions = run(proposed);
    const observation = watch(predictions, incumbent.predictions);
    const readings = charts.map((chart, i) => {
      const x = chartInput(chart, observation);
      return x === null ? null : advance(chart, monitor[i]!.sums, x);
    });
    const fired = charts.findIndex((_, i) => readings[i]?.fired);
    const evidenceOf = (all: readonly (readonly number[])[]) => {
      const pairs = all.map((each, i) => ({ predictions: each, incumbent: incumbent.seeds[i]! }));
      return {
        differences: pairs.map((pair) => watch(pair.predictions, pair.incumbent).difference!),
        overSeeds: pairs.map((_, i) =>
          differenceOverSeeds(pairs.slice(0, i + 1), counts.dev, minimumCell)!,
        ),
        seedDeviation,
      };
    };
    // A first look that beats noise is looked at again with the other seeds.
    const seeds = owesSeed(policy, mutation.domain, evidenceOf([predictions]))
      ? bySeed(proposed)
      : [predictions];
    const ruling = keepRuling(policy, mutation.domain, evidenceOf(seeds));
    const number = attempts.length + 1;
    const base = incumbent.files;
    const gain =
      (-100 * observation.difference!.value) /
      (observation.metric.value - observation.difference!.value);
    const line = (decision: string): void => {
      const sums = readings.map((r) => r?.upper.toFixed(3)).join(' ');
      lines.push(
        `  ${String(number).padStart(2)} ${String(remaining).padStart(3)} ${decision.padEnd(9)} gain ${gain.toFixed(2).padStart(6)} % z ${ruling.z.toFixed(1).padStart(5)} S ${sums}  ${mutation.summary}  «${hypothesis.statement}» ${hypothesis.expectedEffect.toFixed(3)}`,
      );
    };
    let outcome: AttemptView['outcome'];
    if (fired >= 0) {
      const target = charts
        .map((_, i) => (readings[i]?.fired ? monitor[i]!.stable : null))
        .filter((state) => state !== null)
        .reduce((a, b) => (a.kept.length <= b.kept.length ? a : b));
      const undone = incumbent.kept.slice(target.kept.length);
      for (const { number: n } of undone) {
        attempts[n - 1] = { ...attempts[n - 1]!, outcome: 'reverted' };
      }
      totals.divergences += 1;
      totals.undone += undone.length;
      if (data.planted.some((name) => featuresOf(proposed).includes(name))) totals.leaks += 1;
      outcome = 'reverted';
      line(`REVERT ${charts[fired]!.kind} -${undone.length}`);
      incumbent = target;
      monitor = atStart();
    } else {
      if (isKept(ruling)) {
        const report = fairness(predictions, groups, {
          policy: policy.gates.postLoop,
          label: favourableLabel(policy),
          leastTold: leastTold(policy.data),
        });
        const gate = postLoopGate(report);
        if (gate.breaches.length > 0) {
          line(`HALT ${gate.breaches.map(({ rule, found }) => `${rule} ${found}`).join()}`);
          ended = 'post-loop halt';
          break;
        }
        totals.kept += 1;
        const step = { number, from: incumbent.predictions, to: predictions };
        incumbent = { files: proposed, predictions, seeds, kept: [...incumbent.kept, step] };
        outcome = 'kept';
        best = ladder(best, observation.metric.value, LADDER_STEP);
        const impact = report.measures.find(({ measure }) => measure === 'disparate-impact');
        line(`kept ${impact?.value?.toFixed(2)}, at least ${impact?.interval?.lower.toFixed(2)}`);
      } else {
        totals.discarded += 1;
        outcome = 'discarded';
        line('discarded');
      }
      monitor = monitor.map(({ sums, stable }, i) => {
        const reading = readings[i];
        if (!reading) return { sums, stable };
        const atZero = reading.upper === 0 && reading.lower === 0;
        return { sums: reading, stable: atZero ? incumbent : stable };
      });
    }
    attempts.push({
      ...{
        number,
        hypothesis: hypothesis.statement,
        domain: mutation.domain,
        base,
        proposed,
        outcome,
      },
      ...{ error: null, score: best },
    });
  }

  const significant = incumbent.kept.filter(({ from, to }) => {
    const contrast = sealedContrast(from, to, counts.sealed, minimumCell);
    return (
      contrast !== null && simultaneousInterval(contrast, 0.95, incumbent.kept.length).lower > 0
    );
  });
  const whole = sealedContrast(
    start.predictions,
    incumbent.predictions,
    counts.sealed,
    minimumCell,
  );
  const features = featuresOf(incumbent.files);
  return {
    ...totals,
    ...{ seed, ended, lines, suppression, features, remaining },
    iterations: attempts.length,
    standing: incumbent.kept.length,
    significant: significant.length,
    sealedGain: 100 * (whole?.relative ?? 0),
    leakStands: data.planted.some((name) => features.includes(name)),
  };
};

const [path = 'examples/pay/holdfast.yaml', seeds = '20'] = process.argv.slice(2);
const loaded = await loadStudy(path);
const results = [];
for (let seed = 1; seed <= Number(seeds); seed++) results.push(await simulate(loaded, seed));

const row = (cells: readonly unknown[]): string =>
  cells
    .map((cell, i) => String(cell).padStart([4, 5, 5, 9, 11, 5, 7, 8, 11, 8, 10, 4][i]!))
    .join(' ');
console.log(
  row([
    'seed',
    'iter',
    'kept',
    'discarded',
    'divergences',
    'leak',
    'undone',
    'standing',
    'significant',
    'sealed %',
    'end',
    'all',
  ]),
);
let all = 0;
for (const r of results) {
  const five =
    r.kept > 0 && r.discarded > 0 && r.leaks > 0 && r.ended === 'exhausted' && r.significant > 0;
  if (five) all += 1;
  console.log(
    row([
      r.seed,
      r.iterations,
      r.kept,
      r.discarded,
      r.divergences,
      r.leaks,
      r.undone,
      r.standing,
      r.significant,
      r.sealedGain.toFixed(1),
      r.ended,
      five ? 'yes' : 'no',
    ]) + (r.leakStands ? '  LEAK STANDS' : ''),
  );
  if (process.argv.includes('--lines')) console.log(r.lines.join('\n'));
}
const suppression = results.map((r) => r.suppression).sort((a, b) => a - b);
console.log(
  `all five: ${all} of ${results.length}; suppressed ${suppression[0]!.toFixed(1)} to ${suppression.at(-1)!.toFixed(1)} % of the train rows`,
);
