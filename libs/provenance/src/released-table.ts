import { cellCount, coarsened, type DataPolicy } from '#libs/harness';
import type { CohortRelease } from '#libs/run';
import type { Faults } from './faults.ts';

/**
 * Holds what left the vault to the policy by which it did: the dimensions are the policy's after its own steps, the
 * table has the people and cells that the log says, and no cell that a rule hides. Whether the rows are those of the
 * data is the operator's word; so are the dominance rules, which need the largest numbers.
 */
export const checkRelease = (
  release: CohortRelease,
  policy: DataPolicy,
  files: { readonly table: string; readonly cells: string },
  faults: Faults,
): void => {
  const { dimensions, released, suppressed, people, audit } = release;
  const steps = policy.coarsen.slice(0, release.coarsened);
  if (steps.length < release.coarsened) faults.add('more coarsening steps than the policy has');
  faults.differ(
    'the dimensions after coarsening',
    JSON.stringify(dimensions.map(({ name, labels }) => ({ name, labels }))),
    JSON.stringify(coarsened(policy.dimensions, steps)),
  );

  if (audit === null) faults.add('the release was not audited');
  else {
    const told = audit.totals === 'told';
    if (told !== (suppressed !== null) || told !== (people !== null))
      faults.add(`the totals are ${audit.totals}, but the log says otherwise`);
  }
  if (suppressed !== null && people !== null)
    faults.differ('the train rows', released.people + suppressed.people, people.train);

  checkCells(release, files.cells, faults);
  checkTable(release, policy, files.table, faults);
};

/** Every cell once, in order, by its labels. */
const checkCells = ({ dimensions }: CohortRelease, text: string, faults: Faults): void => {
  const lines = linesOf(text);
  faults.differ('the header of the cells', lines[0], headerOf(dimensions, []));
  faults.differ('the number of cells', lines.length - 1, cellCount(dimensions));
  const wrong = lines.slice(1).filter((line, cell) => afterLabels(line, dimensions, cell) !== '');
  if (wrong.length > 0) faults.add(`${String(wrong.length)} cells don't have their labels`);
};

const checkTable = (
  { dimensions, released }: CohortRelease,
  { minimumCell, magnitudes, disclosure }: DataPolicy,
  text: string,
  faults: Faults,
): void => {
  const lines = linesOf(text);
  const sums = magnitudes.map(({ name }) => `sum_${name}`);
  faults.differ(
    'the header of the base table',
    lines[0],
    headerOf(dimensions, ['n', 'positive', ...sums]),
  );
  const product = cellCount(dimensions);
  const found = { cells: 0, people: 0 };
  let last = -1;
  for (const line of lines.slice(1)) {
    const cell = Number(/^\d{1,9}(?=,)/.exec(line)?.[0] ?? NaN);
    const numbers = /^\d{1,15}(?:,\d{1,15}(?:\.\d{1,6})?)*$/.exec(
      afterLabels(line, dimensions, cell) ?? '',
    )?.[0];
    const [n, positive, ...rest] = (numbers ?? '').split(',').map(Number);
    if (
      !(cell > last && cell < product) ||
      n === undefined ||
      positive === undefined ||
      rest.length !== sums.length
    ) {
      faults.add(`the base table's line ${JSON.stringify(line.slice(0, 60))} is no cell of it`);
      return;
    }
    last = cell;
    const least = disclosure?.minimumOutcome ?? 0;
    const lawful =
      n === 0
        ? disclosure?.emptyCells === 'shown' && positive === 0 && rest.every((sum) => sum === 0)
        : n >= minimumCell && positive <= n && Math.min(positive, n - positive) >= least;
    if (!lawful)
      faults.add(`cell ${String(cell)} of the base table, which the policy's rules hide`);
    if (n > 0) found.cells += 1;
    found.people += n;
  }
  faults.differ('the released cells', found.cells, released.cells);
  faults.differ('the released people', found.people, released.people);
};

const linesOf = (text: string): readonly string[] => text.replace(/\n$/, '').split('\n');

const headerOf = (dimensions: CohortRelease['dimensions'], more: readonly string[]): string =>
  ['cell', ...dimensions.map(({ name }) => name), ...more].join(',');

/**
 * What is left of a line after its cell's id and labels, without the comma between; null where those are not the
 * cell's. The labels are known, so that no CSV has to be parsed: each stands there as it is or in quotes.
 */
const afterLabels = (
  line: string,
  dimensions: CohortRelease['dimensions'],
  cell: number,
): string | null => {
  let left = `${line},`;
  const take = (...forms: readonly string[]): boolean => {
    const form = forms.find((one) => left.startsWith(`${one},`));
    if (form !== undefined) left = left.slice(form.length + 1);
    return form !== undefined;
  };
  if (!take(String(cell))) return null;
  let stride = cellCount(dimensions);
  for (const { labels } of dimensions) {
    stride /= labels.length;
    const label = labels[Math.floor(cell / stride) % labels.length];
    if (label === undefined || !take(label, `"${label.replaceAll('"', '""')}"`)) return null;
  }
  return left.replace(/,$/, '');
};
