import type { DataPolicy } from '#libs/harness';
import type { Fact } from '#libs/kernel';

/**
 * How the rows of these data are split, for every study of them from here on: said when the first run on them passes
 * the pre-loop gate.
 */
export type SplitFixed = Fact<
  'SplitFixed',
  {
    readonly dataDigest: string;
    /** Commitment to the key. */
    readonly commitment: string;
    /** The column that identifies a row; null: its place in the file. */
    readonly rowId: string | null;
    /** Shares of the rows in per cent. */
    readonly split: DataPolicy['split'];
  }
>;

/**
 * The base table of the train rows that a run released, said before it left: two different tables of the same rows could
 * be subtracted from each other, whichever studies released them. Of one run the last counts: it said the ones before
 * and ended without opening, so that they never left.
 */
export type TableFixed = Fact<
  'TableFixed',
  {
    readonly dataDigest: string;
    /** Commitment to the key that split the rows: another one makes other train rows. */
    readonly commitment: string;
    readonly studyId: string;
    readonly runId: string;
    /** SHA-256 of the table. */
    readonly table: string;
  }
>;

/** The sealed rows of these data were opened, by whichever study: stands before they are scored. */
export type LookCounted = Fact<
  'LookCounted',
  {
    readonly dataDigest: string;
    readonly studyId: string;
    readonly runId: string;
    /** From 1, over all studies. */
    readonly look: number;
  }
>;

/** What stands in the stream of a data digest, which all studies of the same data share. */
export type DataEvent = SplitFixed | TableFixed | LookCounted;
