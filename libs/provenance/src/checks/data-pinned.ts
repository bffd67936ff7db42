import { withTable, type DataPolicy } from '#libs/harness';
import type { ArtefactRef } from '#libs/kernel';
import type { CohortRelease } from '#libs/run';
import type { SplitCommitted, SplitFixed, TableFixed } from '#libs/studies';
import type { Check, Context } from '../check.ts';
import { collectFaults, type Faults } from '../faults.ts';
import { textOf } from '../git-objects.ts';
import { checkRelease } from '../released-table.ts';

const shown = ({ train, dev, check, sealed }: SplitFixed['data']['split'], rowId: string | null) =>
  `${train} / ${dev} / ${check} / ${sealed} by ${rowId ?? 'place'}`;

/** The rows and their split were fixed before the run could know what would suit it. */
export const dataPinned: Check = {
  of: 'finding',
  row: 'data-pinned',
  expected:
    "the run's data digest and split commitment are those that its study committed, once for this data and before the run was counted; the split is the one that was fixed for the data, once and before the run was opened; the base table was said before that too, and no other one of the same rows left before, unless the policy allows it; the base table and its figures keep the policy's rules of disclosure",
  start: (context) => {
    const { finding, opened } = context;
    const faults = collectFaults();
    const { studyId, runId } = finding.chain;
    const commitments: SplitCommitted['data'][] = [];
    const fixed: SplitFixed['data'][] = [];
    let tables: readonly Said[] = [];
    let splitAt = Infinity;
    let openedAt = -1;
    let registered = 0;
    let counted: {
      readonly number: number;
      readonly seed: number;
      readonly committed: number;
    } | null = null;

    return {
      study: {
        StudyRegistered: (data) => {
          registered += 1;
          faults.differ('the study', data.studyId, studyId);
        },
        SplitCommitted: (data) => {
          if (commitments.some(({ dataDigest }) => dataDigest === data.dataDigest))
            faults.add(`the split of data ${data.dataDigest} was committed twice`);
          commitments.push(data);
        },
        RunCounted: (data) => {
          if (data.runId !== runId) return;
          if (counted !== null) faults.add(`the run was counted twice`);
          counted = { number: data.number, seed: data.seed, committed: commitments.length };
        },
      },
      data: {
        SplitFixed: (data, { stored }) => {
          if (fixed.length > 0) faults.add('the split of the data was fixed twice');
          else splitAt = stored.position;
          fixed.push(data);
        },
        TableFixed: (data, { stored }) => {
          tables = withTable(tables, { ...data, position: stored.position });
        },
      },
      run: {
        RunOpened: (_, { index, stored }) => {
          if (index === 0) openedAt = stored.position;
        },
      },
      conclude: async () => {
        const { pins, number, seed, cohorts, policy } = opened();
        if (registered !== 1) faults.add(`the study was registered ${String(registered)} times`);
        const at = commitments.findIndex(({ dataDigest }) => dataDigest === pins.dataDigest);
        if (at < 0) faults.add(`the study committed no split of data ${pins.dataDigest}`);
        else
          faults.differ('the split commitment', pins.splitCommitment, commitments[at]?.commitment);
        if (counted === null) faults.add('the study did not count this run');
        else {
          if (at >= counted.committed)
            faults.add('the split was committed after the run was counted');
          faults.differ("the run's number", number, counted.number);
          faults.differ("the run's seed", seed, counted.seed);
        }
        // A key of its own from before one was shared by all studies of the data splits the rows apart.
        for (const { split, rowId } of fixed.filter(
          ({ commitment }) => commitment === pins.splitCommitment,
        ))
          faults.differ(
            'the split fixed for the data',
            shown(split, rowId),
            shown(policy.data.split, policy.data.rowId),
          );
        if (cohorts === null) faults.add('the vault released no cohorts');
        else {
          faults.differ("the cohorts' minimum cell", cohorts.minimumCell, policy.data.minimumCell);
          // In version 1 nothing more was asked of a release.
          if (policy.version > 1) {
            if (fixed.length === 0) faults.add('no split was fixed for the data');
            else if (!(splitAt < openedAt))
              faults.add('the split of the data was fixed after the run was opened');
            const run = { table: cohorts.table.sha256, pins, policy: policy.data, openedAt };
            checkTables(tables, run, faults);
            await checkReleased(context, cohorts, policy.data, faults);
          }
        }
        return faults.outcome(`data ${pins.dataDigest}, split ${pins.splitCommitment}`);
      },
    };
  },
};

/** A table that was said, and where in the order of all events. */
type Said = TableFixed['data'] & { readonly position: number };

/** The table was said before it left, and where the policy wants one table of the same rows none stands before it. */
const checkTables = (
  tables: readonly Said[],
  run: {
    readonly table: string;
    readonly pins: { readonly dataDigest: string; readonly splitCommitment: string };
    readonly policy: DataPolicy;
    readonly openedAt: number;
  },
  faults: Faults,
): void => {
  const { table, pins, policy, openedAt } = run;
  const same = tables.filter(
    ({ dataDigest, commitment }) =>
      dataDigest === pins.dataDigest && commitment === pins.splitCommitment,
  );
  const at = same.findIndex((one) => one.table === table);
  const said = same[at];
  if (said === undefined || !(said.position < openedAt))
    faults.add(`the base table ${table} was not said before it was released`);
  else if (at > 0 && policy.disclosure?.tables === 'one')
    faults.add(`run ${same[0]?.runId ?? ''} released another base table of the same rows before`);
};

const checkReleased = async (
  { inspect }: Context,
  cohorts: CohortRelease,
  policy: DataPolicy,
  faults: Faults,
): Promise<void> => {
  const textAt = async ({ oid }: ArtefactRef, what: string): Promise<string | null> => {
    const found = await inspect('blob', oid, what);
    const text = found.ok ? textOf(found.content) : null;
    if (text === null) faults.add(found.ok ? `${what} is no text` : found.fault);
    return text;
  };
  const table = await textAt(cohorts.table, 'the base table');
  const cells = await textAt(cohorts.cells, 'the list of cells');
  if (table !== null && cells !== null) checkRelease(cohorts, policy, { table, cells }, faults);
};
