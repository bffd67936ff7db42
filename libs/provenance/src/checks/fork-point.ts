import type { ForkPoint, RunOpened } from '#libs/run';
import type { Ancestor, Check } from '../check.ts';
import { collectFaults } from '../faults.ts';
import type { Faults } from '../faults.ts';

/** What has to be the same of a fork and of the run that it comes from. */
const SHARED = ['tree', 'path', 'dataDigest', 'splitCommitment'] as const;

const compare = (
  faults: Faults,
  point: ForkPoint,
  { pins, studyId }: RunOpened['data'],
  { verdict, finding, opened }: Ancestor,
): void => {
  const { findingId, chain } = finding;
  if (verdict !== 'PASS')
    faults.add(`the finding ${findingId} that leads to the fork point is ${verdict}`);
  faults.differ(`the run of ${findingId}`, chain.runId, point.runId);
  faults.differ(`the study of ${findingId}`, chain.studyId, studyId);
  faults.differ(`the tree that ${findingId} leads to`, chain.toTree, point.tree);
  faults.differ(
    `the mutation that ${findingId} ends with`,
    chain.mutations.at(-1) ?? null,
    point.mutationId,
  );
  for (const pin of SHARED)
    faults.differ(`the ${pin} of ${point.runId}`, opened?.pins[pin], pins[pin]);
};

/**
 * A fork starts where an earlier run stood. That state is proved as any other is: by a finding of that run that leads to
 * it from the same source, and which is verified anew here, every row of it. A state that no finding leads to (of a run
 * that was halted, or where nothing could be claimed) proves nothing.
 */
export const forkPoint: Check = {
  of: 'finding',
  row: 'fork-point',
  expected:
    'the run starts from its pinned source, or from a state of an earlier run of its study that a finding of that run leads to, from the same source tree and on the same data, every row of which holds',
  start: ({ finding, opened, ancestor }) => {
    const faults = collectFaults();
    const before: string[] = [];
    let counted = false;
    return {
      study: {
        RunCounted: ({ runId }) => {
          if (runId === finding.chain.runId) counted = true;
          if (!counted) before.push(runId);
        },
      },
      conclude: async () => {
        const run = opened();
        const { forkedFrom: point, pins } = run;
        if (point === null) return faults.outcome('the run starts from its pinned source');
        if (!before.includes(point.runId))
          faults.add(`the study counted no run ${point.runId} before this one`);
        if (point.mutationId === null) {
          faults.differ('the tree of a fork from the source', point.tree, pins.tree);
          faults.differ('the commit of a fork from the source', point.commit, pins.pinCommit);
          return faults.outcome(`the run starts from its pinned source, as ${point.runId} did`);
        }
        const found = await ancestor(point);
        if (found === null) {
          faults.add(`no finding of ${point.runId} leads to ${point.tree}: the chain ends there`);
          return faults.outcome('');
        }
        compare(faults, point, run, found);
        return faults.outcome(
          `the state after ${point.mutationId} of ${point.runId}, by the finding ${found.finding.findingId}`,
        );
      },
    };
  },
};
