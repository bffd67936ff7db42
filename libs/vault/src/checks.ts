import type {
  DataPolicy,
  DimensionPolicy,
  GateCheck,
  HarnessPolicy,
  IntersectionPolicy,
  Split,
} from '#libs/harness';
import { scoredCells, type CellCounts } from '#libs/evaluator';
import {
  boundsFairness,
  cellCount,
  coarsened,
  combinationCount,
  favourableLabel,
  intersectionName,
  misstep,
  MOST_CELLS,
  SPLITS,
} from '#libs/harness';
import type { Refusal, Result } from '#libs/kernel';
import { classOfColumn, PII_CLASSES } from '#libs/pii';
import type { VaultCounts } from './counts.ts';
import { share, type DisclosureControl } from './disclosure/control.ts';
import { RELEASE_COLUMNS, sumColumn } from './release.ts';
import type { ColumnScreen } from './screen.ts';

/** The most counters of protected groups, each of a group in a cell: they are held for every split. */
const MAXIMUM_GROUP_CELLS = 2_000_000;
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
export const checkDataPolicy = (
  data: DataPolicy,
  intersections: readonly IntersectionPolicy[] = [],
): readonly GateCheck[] => {
  const { dimensions } = data;
  const declared = [...dimensions, ...data.protected];
  const identifiers = new Set(data.identifiers);
  if (data.rowId !== null) identifiers.add(data.rowId);
  const shielded = new Set(data.protected.map(({ column }) => column));
  const over = (columns: ReadonlySet<string>, among: readonly DimensionPolicy[]) =>
    among.filter(({ column }) => columns.has(column)).map(describeDimension);

  const names = [
    ...declared.map(({ name }) => name),
    ...data.magnitudes.map(({ name }) => sumColumn(name)),
  ];
  const taken = (RELEASE_COLUMNS as readonly string[]).filter((name) => names.includes(name));
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const misshapen = declared.filter(isMisshapen).map(describeDimension);
  const shares = SPLITS.map((split) => data.split[split]);
  const cells = cellCount(dimensions);
  const adrift = intersections.filter((each) => !isSound(each, data.protected));
  const groups =
    data.protected.reduce((sum, { labels }) => sum + labels.length, 0) +
    intersections.reduce(
      (sum, each) => sum + (each.groups?.length ?? combinationCount(data.protected, each.of)),
      0,
    );
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
      cells >= 1 && cells <= MOST_CELLS,
      `${number(cells)} cells`,
      `from 1 to ${number(MOST_CELLS)} cells in the product of the dimensions`,
    ),
    none(
      'intersections',
      adrift.map(intersectionName),
      'two or more protected attributes in each, and each combination of their groups in one group',
    ),
    check(
      'protected-count',
      groups * cells <= MAXIMUM_GROUP_CELLS,
      `${number(groups)} protected groups and intersections in ${number(cells)} cells`,
      `at most ${number(MAXIMUM_GROUP_CELLS)} for their product`,
    ),
    check(
      'minimum-cell',
      Number.isInteger(data.minimumCell) && data.minimumCell >= LEAST_MINIMUM_CELL,
      `${data.minimumCell} people`,
      `a whole number of at least ${LEAST_MINIMUM_CELL} people`,
    ),
    ...(data.disclosure === null ? [] : checkDisclosurePolicy(data)),
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
  const declared = [...data.dimensions, ...data.protected, data.outcome, ...data.magnitudes];
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

/** The rules on what a policy of version 2 says of disclosure. */
const checkDisclosurePolicy = (data: DataPolicy): readonly GateCheck[] => {
  const missteps = data.coarsen.flatMap(
    (step, i) => misstep(coarsened(data.dimensions, data.coarsen.slice(0, i)), step) ?? [],
  );
  const spoken = new Set([
    ...data.identifiers,
    ...(data.rowId === null ? [] : [data.rowId]),
    data.outcome.column,
    ...data.protected.map(({ column }) => column),
  ]);
  const misshapen = data.magnitudes.filter(
    ({ column, decimals, dominance, priorPercent }) =>
      spoken.has(column) ||
      !isWhole(decimals, 0, 6) ||
      (dominance === null && priorPercent === null) ||
      (dominance !== null &&
        !(isWhole(dominance.largest, 1, 10) && isWhole(dominance.percent, 1, 100))) ||
      (priorPercent !== null && !isWhole(priorPercent, 1, 100)),
  );
  const { minimumOutcome } = data.disclosure ?? { minimumOutcome: 0 };
  return [
    none(
      'coarsening',
      missteps,
      'steps that each merge at least two labels, as the steps before left them, into one that is not taken',
    ),
    none(
      'magnitudes',
      misshapen.map(({ name }) => name),
      'no magnitude over an identifier, the outcome or a protected attribute; each with a dominance rule; whole percentages',
    ),
    check(
      'minimum-outcome',
      isWhole(minimumOutcome, 0, Math.floor(data.minimumCell / 2)),
      `${minimumOutcome} people`,
      'a whole number from 0 to half of the minimum cell',
    ),
  ];
};

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && least <= value && value <= most;

const describeDimension = ({ name, column }: DimensionPolicy): string =>
  name === column ? name : `${name} (column ${column})`;

/** Counts before it makes anything, so that no policy can ask for more than there is room for. */
const isSound = (
  { of, groups }: IntersectionPolicy,
  attributes: readonly DimensionPolicy[],
): boolean => {
  const combined = combinationCount(attributes, of);
  if (of.length < 2 || new Set(of).size !== of.length) return false;
  if (combined < 1 || combined > MAXIMUM_GROUP_CELLS) return false;
  if (groups === null) return true;
  const held = groups.flatMap(({ combinations }) => combinations);
  const lawful = held.every(
    (parts) =>
      parts.length === of.length &&
      parts.every((part, i) =>
        attributes.find(({ name }) => name === of[i])?.labels.includes(part),
      ),
  );
  return (
    lawful &&
    held.length === combined &&
    new Set(held.map((parts) => JSON.stringify(parts))).size === combined &&
    new Set(groups.map(({ label }) => label)).size === groups.length
  );
};

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

interface Opened {
  readonly counts: VaultCounts;
  readonly control: DisclosureControl;
  readonly columns: readonly ColumnScreen[];
}

/**
 * The pre-loop gate's rules on the data, each with what was found and what was expected. Pure: it takes the
 * outcome of opening the vault, so that a refusal shows as a broken rule among the others.
 *
 * Splits without a share in the policy are not asked for rows; train and dev always are, and predictions have to be
 * scorable on the sealed rows whatever their share: without them a run spends its budget and proves nothing.
 *
 * What is found is written into the log. Where the totals of the train rows are withheld, so are those of the other
 * splits, which would lead there with the file's number of rows: only the side of a bound is told, and the audit reckons
 * with it.
 */
export const preLoopChecks = (
  opened: Result<Opened, Refusal>,
  policy: Pick<HarnessPolicy, 'data' | 'charts' | 'gates'>,
): readonly GateCheck[] => {
  const checks = checkDataPolicy(policy.data, policy.gates.postLoop.intersections);
  const readable = 'data the vault can read in full, as it was pinned';
  if (opened.ok) {
    return [
      ...checks,
      check('data', true, 'read in full', readable),
      ...checkColumns(policy.data, opened.value.columns),
      ...checkCounts(opened.value, policy),
    ];
  }
  // Refused for one of the rules above: it is named already.
  if (checks.some(({ passed }) => !passed)) return checks;
  return [...checks, check('data', false, opened.error.message, readable)];
};

const checkCounts = (
  { counts, control }: Opened,
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
      people: sum(people),
    })),
  );
  const bounded = boundsFairness(gates.postLoop);
  const said = (found: string) =>
    control.totals === 'told'
      ? found
      : "withheld: with the file's number of rows they would tell of a hidden cell";
  const told = sideOr(control.totals === 'told');
  // One small group can be reckoned from the others and the total, so that it takes the counts of all with it.
  const toldIfNoneSmall = (all: readonly number[]) =>
    sideOr(control.totals === 'told' && all.every((count) => count >= data.minimumCell));
  const toldOfGroups = toldIfNoneSmall(groups.map(({ people }) => people));
  const toldOfOutcomes = toldIfNoneSmall(outcomesOfGroups(counts));
  const scored = (['dev', 'check', 'sealed'] as const)
    .filter((split) => split !== 'check' || data.split.check > 0)
    .map((split) => ({ split, people: scorablePeople(counts[split].cells, data.minimumCell) }));
  return [
    check(
      'split-rows',
      asked.every((split) => counts[split].people >= minimumRows),
      said(each((split) => number(counts[split].people))),
      `at least ${number(minimumRows)} people in each split`,
    ),
    check(
      'split-outcomes',
      asked.every((split) => outcomes(split).positive > 0 && outcomes(split).negative > 0),
      said(
        each((split) => `${number(outcomes(split).positive)} of ${number(counts[split].people)}`),
      ),
      'both outcomes in each split',
    ),
    checkSuppression(counts, control, data, maximumSuppression),
    ...checkAudit(control, data),
    check(
      'scorable-rows',
      scored.every(({ people }) => people > 0),
      scored.map(({ split, people }) => `${split} ${told(people, 1)}`).join(', '),
      `people in cells of at least ${data.minimumCell} in each, so that predictions and findings can be scored`,
    ),
    ...(charts.some(({ kind }) => kind === 'gap') ? [checkGapChart(counts, data)] : []),
    ...(bounded ? [checkMeasurable(counts, { data, gates }, toldOfOutcomes)] : []),
    check(
      'protected-groups',
      groups.every(({ people }) => people >= minimumGroup) && (groups.length > 0 || !bounded),
      groups
        .map(({ name, people }) => `${name} ${toldOfGroups(people, minimumGroup)}`)
        .join(', ') || 'no protected attribute',
      `at least ${number(minimumGroup)} dev people in each protected group${bounded ? ', since the policy bounds their fairness' : ''}`,
    ),
  ];
};

const sum = (counts: ArrayLike<number>): number => Array.from(counts).reduce((a, b) => a + b, 0);

/** People with each outcome in each protected group and intersection of the dev rows. */
const outcomesOfGroups = ({ dev }: VaultCounts): readonly number[] =>
  dev.protected.flatMap(({ groups }) =>
    groups.flatMap(({ counts }) => {
      const positive = sum(counts.positive);
      return [positive, sum(counts.people) - positive];
    }),
  );

/** How a count is said, given the bound that it is compared with. */
type Told = (count: number, bound: number) => string;

/** The count itself where it may be told, else the side of the bound that it is on, which the gate's outcome tells. */
const sideOr =
  (exactly: boolean): Told =>
  (count, bound) => {
    if (exactly) return number(count);
    return count >= bound ? `at least ${number(bound)}` : `fewer than ${number(bound)}`;
  };

const checkSuppression = (
  { train }: VaultCounts,
  { hidden, totals, coarsened: steps }: DisclosureControl,
  { minimumCell, disclosure, coarsen }: DataPolicy,
  bound: number,
): GateCheck => {
  const found = share(hidden.people, train.people);
  const within = found <= bound;
  const exactly = `${found.toFixed(1)} % of the train rows (${number(hidden.people)} people in ${number(hidden.cells)} cells)`;
  const roughly = `${within ? 'at most' : 'more than'} ${bound} % of the train rows (withheld: how many would tell of a hidden cell)`;
  const after =
    coarsen.length === 0 ? '' : `, after ${steps} of ${coarsen.length} steps of coarsening`;
  return check(
    'suppression',
    train.people > 0 && within,
    `${totals === 'told' ? exactly : roughly}${after}`,
    disclosure === null
      ? `at most ${bound} % in cells of fewer than ${minimumCell}`
      : `at most ${bound} % in cells that are hidden`,
  );
};

const checkAudit = (
  { audit, totals }: DisclosureControl,
  { disclosure }: DataPolicy,
): readonly GateCheck[] => {
  if (disclosure === null) return [];
  const found = {
    none: 'not audited',
    passed: `audited, with the totals of the train rows ${totals}`,
    failed: audit.outcome === 'failed' ? audit.found : '',
  };
  return [
    check(
      'disclosure',
      audit.outcome === 'passed',
      found[audit.outcome],
      'nothing released that tells of a hidden cell more than that it is hidden',
    ),
  ];
};

/**
 * What the post-loop gate will ask of each group, before anything is trained: a group that can't be measured would
 * halt the run at its first keep.
 */
const checkMeasurable = (
  { dev }: VaultCounts,
  { data, gates }: Pick<HarnessPolicy, 'data' | 'gates'>,
  told: Told,
): GateCheck => {
  const { favourable, minimumGroup, equalOpportunity, equalizedOdds } = gates.postLoop;
  const label = favourableLabel({ data, gates });
  const small = dev.protected.flatMap(({ attribute, groups }) =>
    groups.flatMap(({ group, counts }) => {
      const people = sum(counts.people);
      const positive = sum(counts.positive);
      const deserving = favourable === 'positive' ? positive : people - positive;
      const needed = [
        { what: 'people', count: people, asked: true },
        {
          what: `people with "${label}"`,
          count: deserving,
          asked: equalOpportunity !== null || equalizedOdds !== null,
        },
        {
          what: `people without "${label}"`,
          count: people - deserving,
          asked: equalizedOdds !== null,
        },
      ];
      return needed
        .filter(({ asked, count }) => asked && count < minimumGroup)
        .map(({ what, count }) => `${attribute} ${group} ${told(count, minimumGroup)} ${what}`);
    }),
  );
  return none(
    'measurable-groups',
    small,
    `at least ${number(minimumGroup)} dev people of each kind that a bounded fairness measure needs, in each protected group and intersection: merge groups, or take the bound away`,
  );
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
