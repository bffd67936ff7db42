/**
 * People and positive outcomes in each cell of the product of the declared dimensions; the index is the cell's id.
 * All that the evaluator ever sees of the data.
 */
export interface CellCounts {
  readonly people: ArrayLike<number>;
  readonly positive: ArrayLike<number>;
}

/** The same counts of one protected attribute's groups, in the policy's order. */
export interface ProtectedCounts {
  readonly attribute: string;
  readonly groups: readonly { readonly group: string; readonly counts: CellCounts }[];
}

/** Ids of the cells with at least `minimumCell` people (and one at the least), ascending. */
export const scoredCells = (counts: CellCounts, minimumCell: number): readonly number[] => {
  const cells: number[] = [];
  const least = Math.max(1, minimumCell);
  for (let cell = 0; cell < counts.people.length; cell += 1) {
    if (counts.people[cell]! >= least) cells.push(cell);
  }
  return cells;
};

/** Cells that hold somebody, but fewer than `minimumCell` people. */
export const suppressedCells = (counts: CellCounts, minimumCell: number): number => {
  let suppressed = 0;
  for (let cell = 0; cell < counts.people.length; cell += 1) {
    const people = counts.people[cell]!;
    if (people > 0 && people < minimumCell) suppressed += 1;
  }
  return suppressed;
};
