import type { Costs } from '#libs/harness';
import { counted } from '#libs/kernel';
import type { BaselineEstablished, RunOpened } from '#libs/run';
import { iterationHeader } from './iteration.ts';
import { chartsOf, totalOf, type Handlers, type Page } from './page.ts';
import { heading, type Style } from './style.ts';
import { clean, count, fit, metric, percent, short, units, wrap } from './text.ts';

const LABEL = 13;

/** A labelled line; a text that is too long goes on under itself. */
export const labelled = ({ paint, width }: Style, label: string, text: string): readonly string[] =>
  wrap(text, width - LABEL - 2).map(
    (line, index) => `  ${paint.dim((index === 0 ? label : '').padEnd(LABEL))}${line}`,
  );

/** The opening, the gate to the loop, and the baseline that everything is compared with. */
export const opening = (page: Page): Handlers => {
  const { style, now, print } = page;
  return {
    RunOpened: ({ data }) => {
      now.opened = data;
      now.left = totalOf(page);
      print(...openingLines(style, data));
    },
    GatePassed: ({ data }) => {
      if (data.gate === 'pre-loop')
        print(
          ...labelled(style, 'gate', `pre-loop: ${counted(data.checks.length, 'check')} passed`),
        );
    },
    BaselineEstablished: ({ data }) => {
      now.baseline = data.metric;
      now.line = data.metric;
      print(...baselineLines(style, data), '', iterationHeader(style, chartsOf(page)));
    },
  };
};

/** What an iteration costs: its hypothesis and one edit. */
const costsOf = ({ hypothesis, hyperparameter, feature, architecture, metric: measure }: Costs) =>
  `hypothesis ${units(hypothesis)} + hyperparameter ${units(hyperparameter)}, ` +
  `feature ${units(feature)}, architecture ${units(architecture)} or metric ${units(measure)}`;

/** What the run stands on: who asks what, and every pin. */
const openingLines = (style: Style, data: RunOpened['data']): readonly string[] => {
  const { paint } = style;
  const { policy, pins, environment } = data;
  const line = (label: string, text: string): readonly string[] => labelled(style, label, text);
  const { costs, total } = policy.budget;
  return [
    '',
    `${paint.bold.cyan('HOLDFAST')}  ${heading(style, fit(clean(policy.study.title), style.width - 10))}`,
    ...wrap(clean(policy.study.question), style.width - 10).map((text) => `          ${text}`),
    '',
    ...line(
      'run',
      `${data.runId}, number ${data.number} of study ${clean(data.studyId)}, seed ${data.seed}`,
    ),
    ...line(
      'source',
      `commit ${short(pins.commit)}, tree ${short(pins.tree)} (${clean(pins.path)}/)`,
    ),
    ...(data.forkedFrom === null
      ? []
      : line(
          'forked from',
          `run ${clean(data.forkedFrom.runId)}, ${data.forkedFrom.mutationId === null ? 'its source' : `after mutation ${short(data.forkedFrom.mutationId)}`}: tree ${short(data.forkedFrom.tree)}`,
        )),
    ...line('harness', `sha256 ${short(pins.policyDigest)} (the policy; no agent can change it)`),
    ...line('data', `sha256 ${short(pins.dataDigest)} (${clean(policy.data.path)})`),
    ...line(
      'environment',
      `sha256 ${short(pins.environmentDigest)} (${environment.runtime.name} ${environment.runtime.version}, ` +
        `${environment.platform} ${environment.architecture}, holdfast ${environment.holdfast})`,
    ),
    ...line('split key', `commitment ${short(pins.splitCommitment)}`),
    ...(data.cohorts === null ? [] : cohortLines(style, data.cohorts)),
    ...(policy.data.planted.length === 0
      ? []
      : line('planted', `${policy.data.planted.join(', ')}: put into the data on purpose`)),
    ...line('budget', `${units(total)} units; an iteration: ${costsOf(costs)}`),
    ...line(
      'monitor',
      policy.charts
        .map((chart) => {
          const { kind, allowance, decisionInterval } = chart;
          const reference = kind === 'stability' ? `every ${chart.every}` : `μ₀ ${chart.reference}`;
          return `${kind} (${reference}, k ${allowance}, h ${decisionInterval})`;
        })
        .join(', ') || 'no chart',
    ),
    ...(data.governance.governed
      ? line('agent', `governed: ${clean(data.governance.reason)}`)
      : line('agent', `UNGOVERNED: ${clean(data.governance.reason)}`).map((text) =>
          paint.yellow(text),
        )),
  ];
};

const cohortLines = (
  style: Style,
  cohorts: NonNullable<RunOpened['data']['cohorts']>,
): readonly string[] => {
  const { released, people, dimensions, coarsened } = cohorts;
  return [
    ...labelled(
      style,
      'cohorts',
      `${count(released.cells)} cells of ${count(released.people)} people released; ` +
        suppressedText(cohorts),
    ),
    ...(coarsened === 0
      ? []
      : labelled(
          style,
          'coarsened',
          `by ${counted(coarsened, 'step')}: ${dimensions.map(({ name, labels }) => `${name} (${labels.length})`).join(' × ')}`,
        )),
    ...labelled(
      style,
      'people',
      people === null
        ? 'withheld likewise'
        : `train ${count(people.train)}, dev ${count(people.dev)}, check ${count(people.check)}, sealed ${count(people.sealed)}`,
    ),
  ];
};

/** How much is suppressed, or that it would say too much. */
const suppressedText = ({
  released,
  suppressed,
  minimumCell,
  audit,
}: NonNullable<RunOpened['data']['cohorts']>): string => {
  if (suppressed === null)
    return 'how many are suppressed is withheld: it would tell of a hidden cell';
  const total = released.people + suppressed.people;
  const share = total === 0 ? 0 : suppressed.people / total;
  const complementary = audit?.complementary ?? null;
  const which = audit === null || complementary === 0 ? ` below ${minimumCell}` : '';
  const why =
    complementary === null || complementary === 0
      ? ''
      : `, ${count(complementary)} of them so that no other follows`;
  return `${count(suppressed.cells)} cells${which} suppressed${why}, ${count(suppressed.people)} people (${percent(share)})`;
};

const baselineLines = (style: Style, data: BaselineEstablished['data']): readonly string[] =>
  labelled(
    style,
    'baseline',
    `log-loss ${metric(data.metric)} ± ${metric(data.standardError)} ` +
      `(${data.replicates} ${data.replicates === 1 ? 'training' : 'trainings by seed'}, ` +
      `deviation between seeds ${metric(data.seedDeviation)}; not charged)`,
  );
