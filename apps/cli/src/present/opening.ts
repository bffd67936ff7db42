import type { BaselineEstablished, RunOpened } from '#libs/run';
import { heading, type Style } from './style.ts';
import { clean, count, fit, metric, percent, short, units, wrap } from './text.ts';

const LABEL = 13;

/** A labelled line; a text that is too long goes on under itself. */
export const labelled = ({ paint, width }: Style, label: string, text: string): readonly string[] =>
  wrap(text, width - LABEL - 2).map(
    (line, index) => `  ${paint.dim((index === 0 ? label : '').padEnd(LABEL))}${line}`,
  );

/** What the run stands on: who asks what, and every pin. */
export const openingLines = (
  style: Style,
  { data }: { readonly data: RunOpened['data'] },
): readonly string[] => {
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
    ...line(
      'budget',
      `${units(total)} units: ${Object.entries(costs)
        .map(([charge, cost]) => `${charge} ${units(cost)}`)
        .join(', ')}`,
    ),
    ...line(
      'monitor',
      policy.charts
        .map(
          ({ kind, reference, allowance, decisionInterval }) =>
            `${kind} (μ₀ ${reference}, k ${allowance}, h ${decisionInterval})`,
        )
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
  { released, suppressed, minimumCell, people }: NonNullable<RunOpened['data']['cohorts']>,
): readonly string[] => {
  const total = released.people + suppressed.people;
  const share = total === 0 ? 0 : suppressed.people / total;
  return [
    ...labelled(
      style,
      'cohorts',
      `${count(released.cells)} cells of ${count(released.people)} people released; ` +
        `${count(suppressed.cells)} cells below ${minimumCell} suppressed, ${count(suppressed.people)} people (${percent(share)})`,
    ),
    ...labelled(
      style,
      'people',
      `train ${count(people.train)}, dev ${count(people.dev)}, check ${count(people.check)}, sealed ${count(people.sealed)}`,
    ),
  ];
};

export const baselineLine = (style: Style, data: BaselineEstablished['data']): readonly string[] =>
  labelled(
    style,
    'baseline',
    `log-loss ${metric(data.metric)} ± ${metric(data.standardError)} ` +
      `(${data.replicates} ${data.replicates === 1 ? 'training' : 'trainings by seed'}, ` +
      `deviation between seeds ${metric(data.seedDeviation)}; not charged)`,
  );
