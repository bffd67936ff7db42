import type { Decision } from '#libs/read-models';
import type { Observation } from '#libs/harness';
import { keptUndone, type MetricObserved, type RunReverted, type TrainingFailed } from '#libs/run';
import { gainOf, iterationLines, type Iteration } from './iteration.ts';
import { labelled } from './opening.ts';
import { chartsOf, saidBy, type Handlers, type Page } from './page.ts';
import { outcomeOf, type Outcome } from './style.ts';
import {
  clean,
  count,
  fit,
  metric,
  short,
  signedPercent,
  sum,
  units,
  widthOf,
  wrap,
} from './text.ts';

const INDENT = '     ';

/** Changes what is known of the iteration under way. */
const update = ({ now }: Page, change: Partial<Iteration>): void => {
  if (now.iteration !== null) now.iteration = { ...now.iteration, ...change };
};

/** Prints the iteration's line, once; `note` stands in place of numbers that there are none of. */
export const decided = (page: Page, outcome: Decision | Outcome, note?: string): void => {
  const { style, now, print } = page;
  if (note !== undefined) update(page, { note });
  if (now.iteration === null) return;
  const shown = typeof outcome === 'string' ? outcomeOf(style.paint, outcome) : outcome;
  print(...iterationLines(style, chartsOf(page), now.iteration, shown));
  now.iteration = null;
};

/** A hypothesis that led to nothing. */
export const notTried = (page: Page): void => {
  decided(page, { text: '– not tried', paint: page.style.paint.dim });
};

const failureOf = ({ failure, errorClass, errorFile, errorLine }: TrainingFailed['data']): string =>
  clean(
    [
      failure,
      ...(errorClass === null ? [] : [`: ${errorClass}`]),
      ...(errorFile === null ? [] : [` in ${errorFile}`]),
      ...(errorFile === null || errorLine === null ? [] : [`:${errorLine}`]),
    ].join(''),
  );

const failed = (page: Page, note: string): void => {
  const { style, now, print } = page;
  now.training = null;
  if (now.launched?.purpose === 'remeasurement') {
    const line = `incumbent measured again with seed ${now.launched.seed}: ${note}; no observation`;
    print(style.paint.yellow(INDENT + fit(line, style.width - INDENT.length)));
    return;
  }
  if (now.iteration === null) print(...labelled(style, 'baseline', style.paint.yellow(note)));
  update(page, { note });
};

/** What fired, where the run went back to and what that undid. */
const divergenceLines = (
  { style: { paint, width }, now }: Page,
  { toTree, toMetric, undone }: RunReverted['data'],
): readonly string[] => {
  const fired = (now.divergence?.fired ?? [])
    .map((chart) => `${chart.chart} ${sum(chart.sum)} > h ${chart.decisionInterval}`)
    .join(', ');
  const named = undone.map((mutationId) => {
    const known = now.mutations.get(mutationId);
    return known === undefined ? clean(mutationId) : `#${known.number} ${known.summary}`;
  });
  const title = '↺ DIVERGENCE';
  const prefix = INDENT.length + widthOf(title) + 2;
  return wrap(
    `${fired}. Back to the last stable state (tree ${short(toTree)}, log-loss ${metric(toMetric)}); ` +
      `undone: ${named.join('; ') || 'nothing'}.`,
    width - prefix,
  ).map((text, index) =>
    index === 0
      ? `${INDENT}${paint.bold.magenta(title)}  ${paint.magenta(text)}`
      : `${' '.repeat(prefix)}${paint.magenta(text)}`,
  );
};

/** What a candidate came to with another seed: its gain over the incumbent with that seed, and over all so far. */
const replicateText = (
  iteration: Iteration | null,
  seed: number | string,
  observation: Observation,
  overSeeds: MetricObserved['data']['overSeeds'],
): string => {
  const shown = (gain: number | null): string => (gain === null ? '–' : signedPercent(gain));
  const all = shown(gainOf({ ...observation, difference: overSeeds }));
  return `#${iteration?.number ?? '?'} trained again with seed ${seed}: gain ${shown(gainOf(observation))}, over all seeds so far ${all}`;
};

const remeasuredText = (
  seed: number | string,
  { observation, charts }: MetricObserved['data'],
): string => {
  const [reading] = charts;
  const moved =
    reading === undefined
      ? ''
      : `, ${sum(reading.x)} σ from its centre, S stability ${sum(Math.max(reading.upper, reading.lower))}`;
  return `incumbent measured again with seed ${seed}: log-loss ${metric(observation.metric.value)}${moved}`;
};

/** Each iteration from its hypothesis to its decision, and what happens in between. */
export const iterations = (page: Page): Handlers => {
  const { style, now, print } = page;
  const { paint, width } = style;
  const aside = (text: string): string => INDENT + fit(text, width - INDENT.length);
  return {
    HypothesisProposed: ({ data }) => {
      notTried(page);
      now.tally.iterations += 1;
      now.iteration = {
        number: data.number,
        hypothesis: saidBy(page, data.statement),
        summary: null,
        domain: null,
        cost: 0,
        left: now.left,
        observation: null,
        charts: [],
        note: null,
      };
    },
    BudgetCharged: ({ data }) => {
      now.left = data.remaining;
      update(page, { cost: (now.iteration?.cost ?? 0) + data.cost, left: now.left });
      if (data.charge === 'metric')
        decided(
          page,
          { text: '+ measured', paint: paint.cyan },
          'measured from now on, never decides',
        );
    },
    MutationProposed: ({ data }) => {
      const summary = saidBy(page, data.summary);
      now.mutations.set(data.mutationId, { number: now.iteration?.number ?? 0, summary });
      update(page, { summary, domain: data.measuredDomain ?? data.declaredDomain });
    },
    SecondaryMetricProposed: ({ data }) => {
      update(page, { summary: `measure ${clean(data.name)} as well`, domain: 'metric' });
    },
    ProposalRefused: ({ data }) => {
      const what = `proposal of #${now.iteration?.number ?? '?'} refused (${data.inARow} in a row)`;
      print(paint.yellow(aside(`${what}: ${saidBy(page, data.reason)}`)));
    },
    CohortsServed: ({ data }) => {
      const by = data.dimensions.map((name) => saidBy(page, name)).join(' × ');
      const many = `${count(data.cells)} cells, ${count(data.people)} people`;
      print(paint.dim(aside(`the agent was given cohorts by ${by}: ${many}`)));
    },
    TrainingLaunched: ({ data }) => {
      const { purpose, seed } = data;
      now.launched = { purpose, seed };
      if (purpose === 'baseline') now.baselineTrainings += 1;
      const attempt = `#${now.iteration?.number ?? '?'} ${now.iteration?.summary ?? ''}`;
      now.training = {
        baseline: `baseline ${now.baselineTrainings} of ${now.opened?.policy.replicates ?? 1}`,
        candidate: attempt,
        replicate: `${attempt}, again with seed ${seed}`,
        remeasurement: `incumbent again, with seed ${seed}`,
      }[purpose];
    },
    TrainingCompleted: () => {
      now.training = null;
    },
    TrainingFailed: ({ data }) => failed(page, failureOf(data)),
    TrainingTimedOut: ({ data }) => failed(page, `did not end within ${data.seconds} s`),
    MetricObserved: ({ data }) => {
      const { purpose, observation, overSeeds, charts } = data;
      const seed = now.launched?.seed ?? '?';
      if (purpose === 'candidate') update(page, { observation, charts });
      if (purpose === 'replicate')
        print(paint.dim(aside(replicateText(now.iteration, seed, observation, overSeeds))));
      if (purpose === 'remeasurement') print(paint.dim(aside(remeasuredText(seed, data))));
    },
    MutationKept: ({ data }) => {
      now.tally.kept += 1;
      now.line = data.metric;
      decided(page, 'kept');
    },
    MutationReverted: ({ data }) => {
      switch (data.reason) {
        case 'post-loop-gate':
          return decided(page, 'halted');
        case 'not-better-than-noise':
          now.tally.discarded += 1;
          return decided(page, 'discarded');
        case 'timed-out':
          now.tally.failed += 1;
          return decided(page, 'timed-out');
        default:
          now.tally.failed += 1;
          return decided(page, 'failed');
      }
    },
    DivergenceDetected: ({ data }) => {
      now.divergence = data;
      decided(page, 'reverted');
    },
    RunReverted: ({ data }) => {
      now.tally.diverged += 1;
      now.tally.kept -= keptUndone(data);
      now.line = data.toMetric;
      print(...divergenceLines(page, data));
      now.divergence = null;
    },
    BudgetExhausted: ({ data }) => {
      decided(
        page,
        { text: '– not paid', paint: paint.red },
        `${units(data.asked)} asked, ${units(data.remaining)} left`,
      );
      now.said = data.message;
      print(
        '',
        ...wrap(clean(data.message), width - 4).map((text) => `  ${paint.bold.red(text)}`),
        `  ${paint.dim("The budget's end is the normal end of a run; findings, if any, follow.")}`,
      );
    },
  };
};
