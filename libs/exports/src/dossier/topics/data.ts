import type { DimensionPolicy } from '#libs/harness';
import { eventsOf } from '../../evidence.ts';
import type { Chain } from '../chain.ts';
import { count, counted, listed, moment, percent } from '../numbers.ts';
import {
  code,
  codes,
  gap,
  MOST_ROWS,
  note,
  say,
  statement,
  table,
  words,
  type DraftBlock,
  type Text,
} from '../report.ts';

/** Which data, how they were split, and what left the vault. */
export const dataSets = ({ opened, evidence }: Chain): readonly DraftBlock[] => {
  const { pins, policy, cohorts } = opened.data;
  const { data } = policy;
  const fixed = eventsOf(evidence.data, 'SplitFixed').at(0);
  const committed = eventsOf(evidence.study, 'SplitCommitted').find(
    (event) => event.data.dataDigest === pins.dataDigest,
  );
  const told = eventsOf(evidence.run, 'MetricObserved').filter(
    ({ data: { ladderScore } }) => ladderScore !== null,
  );
  return [
    statement(
      say`The data are the file ${code(data.path)} (${data.format}), pinned by the digest ${code(pins.dataDigest)}. The rows themselves stay in the vault; they are not in the log.`,
      opened,
    ),
    statement(
      say`The rows were split by a keyed hash: ${count(data.split.train)} % to train on, ${count(data.split.dev)} % (dev) to measure each attempt, ${count(data.split.check)} % (check) to watch for learning the dev rows, ${count(data.split.sealed)} % (sealed) to score the findings once.`,
      opened,
      fixed,
    ),
    committed === undefined
      ? gap(
          'Commitment to the key of the split',
          "The study's events hold no commitment to the key that the rows were split by.",
        )
      : statement(
          say`The key of the split was committed on ${moment(committed.metadata.time)}; the run pins the commitment, so that nobody can choose a split by its results.`,
          opened,
          committed,
        ),
    ...(cohorts === null
      ? [gap('Released cohorts', 'The log holds no release of cohorts for this run.')]
      : releaseOf(opened, cohorts)),
    ...(told.length === 0
      ? []
      : [
          statement(
            say`The agent was told a score of the dev rows, rounded, after ${counted(told.length, 'measurement')}.`,
            ...told,
          ),
        ]),
    statement(
      data.identifiers.length === 0
        ? say`The study declared no column as an identifier.`
        : say`Columns that identify people and never leave the vault: ${codes(data.identifiers)}.`,
      opened,
    ),
    ...(data.planted.length === 0
      ? []
      : [
          statement(
            say`Planted in the data on purpose, and called so wherever it shows: ${listed(data.planted)}.`,
            opened,
          ),
        ]),
    gap(
      'Origin of the data',
      'The log pins the data by digest. It does not hold where they come from, how they were obtained and selected, how they were labelled and cleaned, or on what legal ground they are used; the provider has to say it.',
    ),
  ];
};

type Opened = Chain['opened'];

const releaseOf = (
  opened: Opened,
  cohorts: NonNullable<Opened['data']['cohorts']>,
): readonly DraftBlock[] => [
  statement(
    say`The program and the agent were given one table of grouped counts of the train rows: ${counted(cohorts.released.cells, 'cohort')} of ${counted(cohorts.released.people, 'person', 'people')}, none of fewer than ${count(cohorts.minimumCell)}.`,
    opened,
  ),
  ...(cohorts.suppressed === null
    ? [
        gap(
          'How much was suppressed',
          'The number of cohorts and people that were held back is itself withheld: it would tell of a hidden cohort.',
        ),
      ]
    : [
        statement(
          say`Held back by the rules against disclosure: ${counted(cohorts.suppressed.cells, 'cohort')} of ${counted(cohorts.suppressed.people, 'person', 'people')}.`,
          opened,
        ),
      ]),
  ...(cohorts.people === null
    ? [
        gap(
          'People in each split',
          'The numbers of people in the splits are withheld: they would tell of a hidden cohort.',
        ),
      ]
    : [
        table(
          'People in each split',
          ['Split', '#People'],
          (['train', 'dev', 'check', 'sealed'] as const).map((split) => ({
            cells: [say`${split}`, say`${count(cohorts.people?.[split] ?? 0)}`],
            basis: [opened],
          })),
        ),
      ]),
  ...(cohorts.audit === null
    ? [
        gap(
          'Audit of what was released',
          'The log holds no audit of the released table: the run was opened under rules that had the minimum cell only.',
        ),
      ]
    : [
        statement(
          say`Before the table left, an intruder was simulated on all that was released (${counted(cohorts.audit.kinds, 'kind')} of hidden cohorts); he worked out none.`,
          opened,
        ),
      ]),
];

const sourceOf = (dimension: DimensionPolicy): Text =>
  dimension.kind === 'bins'
    ? say`column ${code(dimension.column)}, cut at ${dimension.cuts.join(', ')}`
    : say`column ${code(dimension.column)}, by its values`;

/** What the program knows of people, what it predicts, and what it is kept from. */
export const variables = ({ opened }: Chain): readonly DraftBlock[] => {
  const { data } = opened.data.policy;
  const { outcome } = data;
  const positive =
    'atLeast' in outcome.positive
      ? say`at least ${String(outcome.positive.atLeast)}`
      : say`${words(outcome.positive.equals)}`;
  return [
    statement(
      say`The outcome ${words(outcome.name)} is positive (${words(outcome.labels.positive)}) where the column ${code(outcome.column)} is ${positive}, else negative (${words(outcome.labels.negative)}).`,
      opened,
    ),
    dimensionsTable(
      'What the program is given of people: the group that they belong to in each of these',
      'Dimension',
      data.dimensions,
      opened,
    ),
    data.protected.length === 0
      ? gap(
          'Protected attributes',
          'The study declares no protected attribute: nothing was measured by group.',
        )
      : dimensionsTable(
          'Protected attributes: for evaluation only, the program is not given them',
          'Attribute',
          data.protected,
          opened,
        ),
  ];
};

const dimensionsTable = (
  caption: string,
  what: string,
  dimensions: readonly DimensionPolicy[],
  opened: Opened,
): DraftBlock =>
  table(
    caption,
    [what, 'Groups', 'Made from'],
    dimensions.map((dimension) => ({
      cells: [
        say`${code(dimension.name)}${opened.data.policy.data.planted.includes(dimension.name) ? ' (planted)' : ''}`,
        [words(dimension.labels.join('; '))],
        sourceOf(dimension),
      ],
      basis: [opened],
    })),
  );

/** What the data had to pass before anything ran. */
export const dataChecks = ({ evidence: { run } }: Chain): readonly DraftBlock[] => {
  const passed = eventsOf(run, 'GatePassed').find(({ data }) => data.gate === 'pre-loop');
  return passed === undefined
    ? [gap('Checks of the data', 'The log holds no pass of the pre-loop gate.')]
    : [
        table(
          'Checks of the data before the loop (pre-loop gate)',
          ['Check', 'Held', 'Found', 'Expected'],
          passed.data.checks.map(({ rule, passed: held, found, expected }) => ({
            cells: [say`${code(rule)}`, say`${held ? 'yes' : 'no'}`, [found], [expected]],
            basis: [passed],
          })),
        ),
      ];
};

/** How personal data were kept out. */
export const privacy = ({ opened }: Chain): readonly DraftBlock[] => {
  const { pii, minimumCell, disclosure } = opened.data.policy.data;
  return [
    statement(
      say`No cohort of fewer than ${counted(minimumCell, 'person', 'people')} leaves the vault${disclosure === null ? '' : `, and ${disclosure.tables === 'one' ? 'the same rows leave it by one table only' : "the study's human answers for what several tables of the same rows tell together"}`}.`,
      opened,
    ),
    pii === null
      ? gap(
          'Screening for identifiers',
          'The policy of the run does not screen columns for what identifies people.',
        )
      : statement(
          pii.allow.length === 0
            ? say`The policy has columns and labels screened for what identifies people, and lets nothing through that is found.`
            : say`The policy has columns and labels screened for what identifies people. It lets through on somebody's word: ${pii.allow.flatMap(({ column, reason }, at) => [at === 0 ? '' : '; ', code(column), ' ', words(reason)])}.`,
          opened,
        ),
    note(
      say`The log holds no rows and no names: only grouped counts, digests, and what agents and people wrote. People appear under opaque ids.`,
    ),
  ];
};

/** Requests for data during the run. */
export const requests = ({ evidence: { run } }: Chain): readonly DraftBlock[] => {
  const served = eventsOf(run, 'CohortsServed');
  return served.length === 0
    ? []
    : [
        table(
          served.length <= MOST_ROWS
            ? 'Later requests for data, answered from the released table alone'
            : `The first ${count(MOST_ROWS)} of ${count(served.length)} later requests for data, answered from the released table alone`,
          ['Dimensions', '#Cohorts', '#People'],
          served.slice(0, MOST_ROWS).map((event) => ({
            cells: [
              say`${event.data.dimensions.join(', ')}`,
              say`${count(event.data.cells)}`,
              say`${count(event.data.people)}`,
            ],
            basis: [event],
          })),
        ),
      ];
};

export const suppression = ({ opened }: Chain): readonly DraftBlock[] => [
  statement(
    say`At most ${percent(opened.data.policy.gates.preLoop.maximumSuppression / 100, 0)} of the train rows may be suppressed, and each split must have at least ${counted(opened.data.policy.gates.preLoop.minimumRows, 'person', 'people')}.`,
    opened,
  ),
];
