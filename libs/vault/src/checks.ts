import type { DataPolicy, DimensionPolicy, GateCheck, HarnessPolicy, Split } from '#libs/harness';
import { scoredCells, type CellCounts } from '#libs/evaluator';
import { SPLITS } from '#libs/harness';
import type { Refusal, Result } from '#libs/kernel';
import { classOfColumn, PII_CLASSES } from '#libs/pii';
import { cellCount } from './cells.ts';
import type { VaultCounts } from './counts.ts';
import { RELEASE_COLUMNS, suppression } from './release.ts';
import type { ColumnScreen } from './screen.ts';

/** The most cells that a study's dimensions may span: a program predicts for every one. */
export const MAXIMUM_CELLS = 20_000;
/** In a cell of two, each learns the other's outcome from the count. */
export const LEAST_MINIMUM_CELL = 3;

const check = (rule: string, passed: boolean, found: string, expected: string): GateCheck => ({
  rule,
  passed,
  found,
  expected,
});

const none = (rule: string, offenders: readonly string[], expected: string): GateCheck =>
  check(rule, offenders.length === 0, offenders.join(', ') || 'none', expected);

const number = (value: number): string => value.toLocaleString('en-US');

/** The rules on the data that the policy alone decides, before a row is read. */
export const checkDataPolicy = (data: DataPolicy): readonly GateCheck[] => {
  const { dimensions } = data;
  const declared = [...dimensions, ...data.protected];
  const identifiers = new Set(data.identifiers);
  if (data.rowId !== null) identifiers.add(data.rowId);
  const shielded = new Set(data.protected.map(({ column }) => column));
  const over = (columns: ReadonlySet<string>, among: readonly DimensionPolicy[]) =>
    among.filter(({ column }) => columns.has(column)).map(describeDimension);

  const names = declared.map(({ name }) => name);
  const taken = (RELEASE_COLUMNS as readonly string[]).filter((name) => names.includes(name));
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const misshapen = declared.filter(isMisshapen).map(describeDimension);
  const shares = SPLITS.map((split) => data.split[split]);
  const cells = cellCount(dimensions);
  return [
    none('dimension-identifier', over(identifiers, declared), 'no dimension over an identifier'),
    none(
      'dimension-protected',
      over(shielded, dimensions),
      'no dimension over a protected attribute: those are for evaluation only',
    ),
    none(
      'dimension-outcome',
      over(new Set([data.outcome.column]), declared),
      'no dimension over the column of the outcome',
    ),
    none(
      'dimension-names',
      [...taken, ...repeated],
      `every name once, and none of ${RELEASE_COLUMNS.join(', ')}`,
    ),
    none(
      'dimension-labels',
      misshapen,
      'for each bin or group one label, all different; cuts that ascend; each value in one group',
    ),
    check(
      'cell-count',
      cells >= 1 && cells <= MAXIMUM_CELLS,
      `${number(cells)} cells`,
      `from 1 to ${number(MAXIMUM_CELLS)} cells in the product of the dimensions`,
    ),
    check(
      'minimum-cell',
      Number.isInteger(data.minimumCell) && data.minimumCell >= LEAST_MINIMUM_CELL,
      `${data.minimumCell} people`,
      `a whole number of at least ${LEAST_MINIMUM_CELL} people`,
    ),
    check(
      'split-shares',
      shares.every((share) => share >= 0) && shares.reduce((a, b) => a + b, 0) === 100,
      shares.join(' / '),
      'shares that add up to 100 per cent',
    ),
    ...(data.pii === null ? [] : [checkColumnNames(data)]),
  ];
};

const isAllowed = ({ pii }: DataPolicy, column: string): boolean =>
  pii === null || pii.allow.some((exception) => exception.column === column);

const EXCEPTION = 'an exception with its reason under data.pii.allow';

/**
 * What a column is called says more of it than its values do: names of people look like any other words. An
 * identifier is named by another rule.
 */
const checkColumnNames = (data: DataPolicy): GateCheck => {
  const declared = [...data.dimensions, ...data.protected, data.outcome];
  const personal = declared.flatMap(({ name, column }) => {
    const found = classOfColumn(column) ?? classOfColumn(name);
    const known = data.identifiers.includes(column) || data.rowId === column;
    return found === null || known || isAllowed(data, column)
      ? []
      : [`${JSON.stringify(column)} (${PII_CLASSES[found]})`];
  });
  return none(
    'pii-schema',
    personal,
    `no column of people's identifiers declared but as one; if it is none, ${EXCEPTION}`,
  );
};

/** What the declared columns' values are, told by their class and how many, never by a value. */
const checkColumns = (data: DataPolicy, columns: readonly ColumnScreen[]): readonly GateCheck[] => {
  if (data.pii === null) return [];
  const judged = columns.filter(({ column }) => !isAllowed(data, column));
  const cohorts = judged.filter(({ use }) => use !== 'outcome');
  const named = ({ column }: ColumnScreen) => JSON.stringify(column);
  const personal = judged.flatMap((screen) =>
    screen.personal.map(
      ({ class: of, values }) =>
        `${named(screen)}: ${PII_CLASSES[of]} in ${number(values)} of ${number(screen.values)} different values`,
    ),
  );
  // Nothing can be said of what was not read, and a cohort's column has to be known.
  const unread = [
    ...cohorts
      .filter(({ unread: left }) => left > 0)
      .map(
        (screen) =>
          `${named(screen)}: ${number(screen.unread)} of ${number(screen.values)} different values are too many to read`,
      ),
    ...[...data.dimensions, ...data.protected, data.outcome]
      .filter(({ column }) => !columns.some((screen) => screen.column === column))
      .map(({ column }) => `${JSON.stringify(column)}: not read`),
  ];
  const read = judged.reduce((sum, screen) => sum + screen.read, 0);
  const values = judged.reduce((sum, screen) => sum + screen.values, 0);
  return [
    check(
      'pii-values',
      personal.length + unread.length === 0,
      [...personal, ...unread].join('; ') ||
        `none in ${number(values)} different values of ${judged.length} columns (${number(read)} that could be, read one by one)`,
      `no value that identifies somebody in a declared column; if it is none, ${EXCEPTION}`,
    ),
    none(
      'free-text',
      cohorts.filter(({ freeText }) => freeText).map(named),
      `no free text in a dimension or protected attribute; if it is none, ${EXCEPTION}`,
    ),
    none(
      'unique-key',
      cohorts
        .filter(({ uniqueKey }) => uniqueKey)
        .map(
          (screen) =>
            `${named(screen)}: ${number(screen.values)} different values in ${number(screen.rows)} rows`,
        ),
      `no dimension or protected attribute that tells rows apart; if it does not, ${EXCEPTION}`,
    ),
  ];
};

const describeDimension = ({ name, column }: DimensionPolicy): string =>
  name === column ? name : `${name} (column ${column})`;

const isMisshapen = (dimension: DimensionPolicy): boolean => {
  const { labels } = dimension;
  if (labels.length === 0 || new Set(labels).size !== labels.length) return true;
  if (dimension.kind === 'groups') {
    const values = dimension.values.flat();
    return (
      dimension.values.length !== labels.length ||
      dimension.values.some((group) => group.length === 0) ||
      new Set(values).size !== values.length
    );
  }
  const { cuts } = dimension;
  return (
    cuts.length + 1 !== labels.length ||
    cuts.some((cut, i) => !Number.isFinite(cut) || (i > 0 && cut <= cuts[i - 1]!))
  );
};

/**
 * The pre-loop gate's rules on the data, each with what was found and what was expected. Pure: it takes the
 * outcome of opening the vault, so that a refusal shows as a broken rule among the others.
 *
 * Splits without a share in the policy are not asked for rows; train and dev always are, and predictions have to be
 * scorable on the sealed rows whatever their share: without them a run spends its budget and proves nothing.
 */
export const preLoopChecks = (
  opened: Result<
    { readonly counts: VaultCounts; readonly columns: readonly ColumnScreen[] },
    Refusal
  >,
  policy: Pick<HarnessPolicy, 'data' | 'charts' | 'gates'>,
): readonly GateCheck[] => {
  const checks = checkDataPolicy(policy.data);
  const readable = 'data the vault can read in full, as it was pinned';
  if (opened.ok) {
    return [
      ...checks,
      check('data', true, 'read in full', readable),
      ...checkColumns(policy.data, opened.value.columns),
      ...checkCounts(opened.value.counts, policy),
    ];
  }
  // Refused for one of the rules above: it is named already.
  if (checks.some(({ passed }) => !passed)) return checks;
  return [...checks, check('data', false, opened.error.message, readable)];
};

const checkCounts = (
  counts: VaultCounts,
  { data, charts, gates }: Pick<HarnessPolicy, 'data' | 'charts' | 'gates'>,
): readonly GateCheck[] => {
  const { minimumRows, minimumGroup, maximumSuppression } = gates.preLoop;
  const asked = SPLITS.filter(
    (split) => split === 'train' || split === 'dev' || data.split[split] > 0,
  );
  const each = (of: (split: Split) => string) => asked.map((s) => `${s} ${of(s)}`).join(', ');
  const outcomes = (split: Split) => {
    const { people, positive } = counts[split];
    return { positive, negative: people - positive };
  };
  const groups = counts.dev.protected.flatMap(({ attribute, groups }) =>
    groups.map(({ group, counts: { people } }) => ({
      name: `${attribute} ${group}`,
      people: Array.from(people).reduce((a, b) => a + b, 0),
    })),
  );
  const { postLoop } = gates;
  const bounded = [
    postLoop.disparateImpact,
    postLoop.demographicParity,
    postLoop.equalOpportunity,
    postLoop.equalizedOdds,
  ].some((bound) => bound !== null);
  const suppressed = suppression(counts, data.minimumCell);
  const share = (100 * suppressed.people) / Math.max(1, counts.train.people);
  const scored = (['dev', 'check', 'sealed'] as const)
    .filter((split) => split !== 'check' || data.split.check > 0)
    .map((split) => ({ split, people: scorablePeople(counts[split].cells, data.minimumCell) }));
  return [
    check(
      'split-rows',
      asked.every((split) => counts[split].people >= minimumRows),
      each((split) => number(counts[split].people)),
      `at least ${number(minimumRows)} people in each split`,
    ),
    check(
      'split-outcomes',
      asked.every((split) => outcomes(split).positive > 0 && outcomes(split).negative > 0),
      each((split) => `${number(outcomes(split).positive)} of ${number(counts[split].people)}`),
      'both outcomes in each split',
    ),
    check(
      'suppression',
      counts.train.people > 0 && share <= maximumSuppression,
      `${share.toFixed(1)} % of the train rows (${number(suppressed.people)} people in ${number(suppressed.cells)} cells)`,
      `at most ${maximumSuppression} % in cells of fewer than ${data.minimumCell}`,
    ),
    check(
      'scorable-rows',
      scored.every(({ people }) => people > 0),
      scored.map(({ split, people }) => `${split} ${number(people)}`).join(', '),
      `people in cells of at least ${data.minimumCell} in each, so that predictions and findings can be scored`,
    ),
    ...(charts.some(({ kind }) => kind === 'gap') ? [checkGapChart(counts, data)] : []),
    check(
      'protected-groups',
      groups.every(({ people }) => people >= minimumGroup) && (groups.length > 0 || !bounded),
      groups.map(({ name, people }) => `${name} ${number(people)}`).join(', ') ||
        'no protected attribute',
      `at least ${number(minimumGroup)} dev people in each protected group${bounded ? ', since the policy bounds their fairness' : ''}`,
    ),
  ];
};

/** People in the cells that are large enough to be scored. */
const scorablePeople = (counts: CellCounts, minimumCell: number): number =>
  scoredCells(counts, minimumCell).reduce((sum, cell) => sum + counts.people[cell]!, 0);

/** A pinned gap chart that could never take a value would watch nothing and look as if it did. */
const checkGapChart = (
  { dev, check: held }: VaultCounts,
  { minimumCell }: DataPolicy,
): GateCheck => {
  const inDev = new Set(scoredCells(dev.cells, minimumCell));
  const both = scoredCells(held.cells, minimumCell).filter((cell) => inDev.has(cell));
  return check(
    'gap-chart',
    both.length > 0,
    `${number(both.length)} cells of at least ${minimumCell} in dev and in check`,
    'at least one, so that the gap chart of the policy can be measured; else set charts.gap to null',
  );
};
