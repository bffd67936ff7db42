import type { Fact } from '#libs/kernel';

/** Somebody who answers to nobody here read the ledger; stands before the answer is given. By whom, the envelope says. */
export type LedgerRead = Fact<
  'LedgerRead',
  {
    /** Which of the operations that read: its id in the API's document. */
    readonly operation: string;
    /** What was asked for: the names in the path, the filter, the format. */
    readonly asked: Readonly<Record<string, string | number | boolean | null>>;
  }
>;

export type LedgerReadEvent = LedgerRead;
