import { ok, type Decider } from '#libs/kernel';
import type { LedgerRead, LedgerReadEvent } from './events.ts';

export interface RecordRead {
  readonly type: 'RecordRead';
  readonly id: string;
  readonly data: LedgerRead['data'];
}

/** How often this reader has read. */
export interface LedgerReadState {
  readonly reads: number;
}

/** A reader's stream: every read is recorded, none is refused. */
export const ledgerReadDecider: Decider<LedgerReadState, RecordRead, LedgerReadEvent, never> = {
  initialState: { reads: 0 },
  decide: (_, { data }) => ok([{ type: 'LedgerRead', data }]),
  evolve: ({ reads }) => ({ reads: reads + 1 }),
};
