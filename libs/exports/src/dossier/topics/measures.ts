import type { FairnessMeasure } from '#libs/harness';
import { eventsOf, type EventOf } from '../../evidence.ts';
import type { RunEvent } from '#libs/run';
import type { Chain } from '../chain.ts';
import { count, counted, decimal, percent, withError } from '../numbers.ts';
import {
  code,
  codes,
  gap,
  note,
  say,
  statement,
  table,
  words,
  type DraftBlock,
} from '../report.ts';
import { NO_FAIRNESS } from './gaps.ts';

/** What was measured, and of how much uncertainty. */
export const metrics = ({
  opened,
  evidence: { run },
  links,
  proposed,
}: Chain): readonly DraftBlock[] => {
  const { objective, replicates } = opened.data.policy;
  const baseline = eventsOf(run, 'BaselineEstablished').at(0);
  const last = links.at(-1)?.attempt?.observed ?? null;
  const auc = last?.data.observation.auc ?? null;
  return [
    statement(
      say`The metric that decides is the ${objective.metric} per person (binomial, natural logarithm).`,
      opened,
    ),
    note(
      say`The evaluator, a process apart from the program, computes it from predictions for rows that the program is not given.`,
    ),
    ...(baseline === undefined
      ? [
          gap(
            'The unchanged program',
            'The log holds no baseline: no measurement of the program that the run started from.',
          ),
        ]
      : [
          statement(
            say`The program that the run started from had a log-loss of ${withError(baseline.data.metric, baseline.data.standardError)} (standard error) on the dev rows${baseline.data.replicates === 1 ? '' : ` in the first of ${counted(baseline.data.replicates, 'training')} with different seeds; between seeds it varied by a standard deviation of ${decimal(baseline.data.seedDeviation)}`}.`,
            baseline,
          ),
        ]),
    ...(last === null
      ? []
      : [
          statement(
            say`The claimed program had a log-loss of ${withError(last.data.observation.metric.value, last.data.observation.metric.standardError)} on ${counted(last.data.observation.metric.n, 'person', 'people')} of the dev rows${auc === null ? '' : `, and an area under the ROC curve of ${withError(auc.value, auc.standardError, 3)} (1 is perfect, 0.5 is chance)`}. The dev rows chose the program, so these numbers flatter it; those of the sealed rows do not.`,
            last,
          ),
        ]),
    statement(
      say`The predictions that were scored on the sealed rows: ${codes(proposed.data.predictions.map(({ sha256 }) => sha256))} (SHA-256).`,
      proposed,
    ),
    statement(
      replicates === 1
        ? say`The unchanged program was trained with one seed: how much the metric varies between seeds is not known.`
        : say`Uncertainty is a standard error over people (paired, for a difference) and over ${counted(replicates, 'seed')}.`,
      opened,
    ),
  ];
};

const MEASURES: Readonly<Record<FairnessMeasure['measure'], string>> = {
  'demographic-parity': 'difference of favourable rates',
  'disparate-impact': 'ratio of favourable rates',
  'equal-opportunity': 'difference of true positive rates',
  'equalized-odds': 'greatest difference of true or false positive rates',
};

type Measured = EventOf<RunEvent, 'FairnessMeasured'>;

/** The report on the claimed program: that of its last kept change. */
const reportOf = ({ links, evidence: { run } }: Chain): Measured | null => {
  const last = links.at(-1)?.attempt?.proposed.data.mutationId;
  return (
    eventsOf(run, 'FairnessMeasured')
      .filter(({ data }) => data.mutationId === last && data.report.measures.length > 0)
      .at(-1) ?? null
  );
};

/** How decisions at the threshold fall on protected groups. */
export const fairness = (chain: Chain): readonly DraftBlock[] => {
  const measured = reportOf(chain);
  if (measured === null) return [NO_FAIRNESS];
  const { report } = measured.data;
  return [
    statement(
      say`At the threshold ${String(report.threshold)} a prediction is decided as ${words(report.label)} or not; ${words(report.label)} is the favourable decision. Bounds were compared with ${report.decide === 'interval' ? 'the unfavourable end of the interval, so that a bound is shown to hold and not merely hit by chance' : 'the estimate alone'}.`,
      measured,
    ),
    table(
      `Fairness on the dev rows, with ${percent(report.level, 0)} intervals over all pairs of groups`,
      ['Attribute', 'Measure', '#Value', 'Interval', 'Bound', 'Held'],
      report.measures.map((measure) => ({ cells: measureCells(measure), basis: [measured] })),
    ),
    note(
      say`A ratio of 1 and a difference of 0 mean that the groups fare alike. Of several groups the worst pair counts. That a bound holds says nothing of whether the bound is the right one.`,
    ),
  ];
};

const measureCells = ({
  attribute,
  measure,
  value,
  interval,
  reason,
  bound,
  passed,
}: FairnessMeasure) => [
  say`${code(attribute)}`,
  say`${MEASURES[measure]}`,
  value === null ? ['not measurable'] : say`${decimal(value)}`,
  interval === null
    ? say`${reason ?? 'not recorded'}`
    : say`${decimal(interval.lower)} to ${decimal(interval.upper)}${interval.pair[0] === interval.pair[1] ? '' : ` (${interval.pair.join(' against ')})`}`,
  say`${bound ?? 'none: shown only'}`,
  say`${bound === null ? 'no bound' : passed ? 'yes' : 'no'}`,
];

/** The counts that the measures follow from. */
export const groups = (chain: Chain): readonly DraftBlock[] => {
  const measured = reportOf(chain);
  if (measured === null) return [NO_FAIRNESS];
  return [
    table(
      'Decisions by group on the dev rows',
      [
        'Attribute',
        'Group',
        '#People',
        '#Decided favourably',
        '#Deserving',
        '#Deserving and decided favourably',
      ],
      measured.data.report.groups.map((group) => ({
        cells: [
          say`${code(group.attribute)}`,
          [words(group.group)],
          say`${count(group.people)}`,
          say`${count(group.favoured)}${group.people === 0 ? '' : ` (${percent(group.favoured / group.people)})`}`,
          say`${count(group.deserving)}`,
          say`${count(group.deservingFavoured)}${group.deserving === 0 ? '' : ` (${percent(group.deservingFavoured / group.deserving)})`}`,
        ],
        basis: [measured],
      })),
    ),
    note(
      say`"Deserving" are people whose true outcome is the favourable one. Accuracy for a group follows from these counts; the counts are the operator's word, since the rows are not in the log.`,
    ),
  ];
};

/** Whether combinations of protected attributes were measured. */
export const intersections = (chain: Chain): readonly DraftBlock[] => {
  const { opened } = chain;
  const { intersections: all } = opened.data.policy.gates.postLoop;
  return all.length === 0
    ? [
        gap(
          'Combinations of protected attributes',
          'The policy of the study names no combination of protected attributes.',
        ),
      ]
    : [
        statement(
          say`The policy has combinations of protected attributes measured as groups of their own: ${all.map(({ of }) => of.join(' with ')).join('; ')}.`,
          opened,
        ),
      ];
};

/** At which probability a prediction is decided. */
export const threshold = ({ opened }: Chain): readonly DraftBlock[] => {
  const { data, gates } = opened.data.policy;
  const { threshold: least, favourable } = gates.postLoop;
  return [
    statement(
      say`For measuring fairness, a predicted probability of at least ${String(least)} is decided as ${words(data.outcome.labels.positive)}; ${words(data.outcome.labels[favourable])} is the favourable decision. The metric itself uses no threshold.`,
      opened,
    ),
  ];
};
