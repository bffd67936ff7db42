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
export type DataEvent = SplitFixed | LookCounted;
