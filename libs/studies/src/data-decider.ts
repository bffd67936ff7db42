import { OrderedMap } from 'immutable';
import { withTable } from '#libs/harness';
import { ok, refused, type Decider } from '#libs/kernel';
import type { DataEvent, LookCounted, SplitFixed, TableFixed } from './data-events.ts';

interface Command<Type extends string, Data> {
  readonly type: Type;
  readonly id: string;
  readonly data: Data;
}

export type FixSplit = Command<'FixSplit', SplitFixed['data']>;
export type FixTable = Command<
  'FixTable',
  {
    readonly fixed: TableFixed['data'];
    /** Whether the policy lets the same rows leave by several tables. */
    readonly tables: 'one' | 'any';
  }
>;
export type CountLook = Command<'CountLook', Omit<LookCounted['data'], 'look'>>;
export type DataCommand = FixSplit | FixTable | CountLook;

export type DataRefusalCode =
  /** Another split of the same rows: what one study sealed, another would show. */
  | 'split-otherwise'
  /** Another base table of the same rows left the vault before. */
  | 'other-table';

export interface DataState {
  /** Null before a run on these data passed the pre-loop gate. */
  readonly split: SplitFixed['data'] | null;
  /** The base table of every run, in the order in which they were said. */
  readonly tables: readonly TableFixed['data'][];
  /** Looks at the sealed rows of these data by their run, of all studies. */
  readonly looks: OrderedMap<string, LookCounted['data']>;
}

const shares = ({ split, rowId }: SplitFixed['data']): string =>
  `${split.train} / ${split.dev} / ${split.check} / ${split.sealed} by ${rowId === null ? 'the place in the file' : `the column ${rowId}`}`;

/**
 * The rows of one data digest, whichever studies use them: split in one way, and every look at the sealed ones
 * counted. Without it a second study of the same data would open the same rows uncounted, or train on what the first
 * one sealed.
 *
 * A study that committed to a key of its own before this was kept goes on with it; its looks are counted all the same.
 */
export const dataDecider: Decider<DataState, DataCommand, DataEvent, DataRefusalCode> = {
  initialState: { split: null, tables: [], looks: OrderedMap() },
  decide: ({ split, tables, looks }, command) => {
    if (command.type === 'FixSplit') {
      const { data } = command;
      if (split === null) return ok([{ type: 'SplitFixed', data }]);
      if (split.commitment !== data.commitment || shares(split) === shares(data)) return ok([]);
      return refused({
        code: 'split-otherwise',
        message: `the data ${data.dataDigest.slice(0, 12)} is split ${shares(split)}, found ${shares(data)}, expected the same: with other shares rows that a run has learnt from could be sealed ones. Set data.split and data.row_id as they were, or use other data`,
      });
    }
    if (command.type === 'FixTable') {
      const { fixed, tables: wanted } = command.data;
      const same = tables.filter(({ commitment }) => commitment === fixed.commitment);
      const other = same.find(({ table, runId }) => table !== fixed.table && runId !== fixed.runId);
      if (other !== undefined && wanted === 'one')
        return refused({
          code: 'other-table',
          message: `another table than the one of run ${other.runId}, with the same data (another minimum, other dimensions or other rules)`,
        });
      // Said by each run for itself: the one that said the same table first may still replace it.
      return same.some(({ table, runId }) => table === fixed.table && runId === fixed.runId)
        ? ok([])
        : ok([{ type: 'TableFixed', data: fixed }]);
    }
    const { runId } = command.data;
    // A run looks once; asking again after a crash is that same look.
    if (looks.has(runId)) return ok([]);
    return ok([{ type: 'LookCounted', data: { ...command.data, look: looks.size + 1 } }]);
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'SplitFixed':
        return { ...state, split: event.data };
      case 'TableFixed':
        return { ...state, tables: withTable(state.tables, event.data) };
      case 'LookCounted':
        return { ...state, looks: state.looks.set(event.data.runId, event.data) };
    }
  },
};
