/** A base table that a run said before it may leave the vault, of rows that this commitment splits. */
export interface SaidTable {
  readonly runId: string;
  readonly commitment: string;
}

/**
 * The tables of the same data once one more is said. A run that ended before it opened released nothing and may come
 * back with another one, its data corrected meanwhile: what it said before counts no longer.
 */
export const withTable = <Said extends SaidTable>(
  tables: readonly Said[],
  said: Said,
): readonly Said[] => [
  ...tables.filter(
    ({ runId, commitment }) => runId !== said.runId || commitment !== said.commitment,
  ),
  said,
];
