import type { Split } from '#libs/harness';
import type { CellCounts, ProtectedCounts } from '#libs/evaluator';

/** Counts of one split: everybody by cell and outcome, and the same for each protected attribute's groups. */
export interface SplitCounts {
  readonly people: number;
  readonly positive: number;
  readonly cells: CellCounts;
  readonly protected: readonly ProtectedCounts[];
}

/** All that the vault keeps of the data: grouped counts, no rows. For the harness only. */
export type VaultCounts = Readonly<Record<Split, SplitCounts>>;
