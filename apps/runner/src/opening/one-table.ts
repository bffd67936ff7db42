import { sha256 } from '#libs/event-log';
import type { GateCheck } from '#libs/harness';
import type { RunEvent, RunOpened } from '#libs/run';
import type { Home } from '../home.ts';
import type { OpenedStudy } from './open-study.ts';

/**
 * The pre-loop gate's rule on what the study's earlier runs released of the same rows. Two tables of them by different
 * dimensions, or by another minimum, could be subtracted from each other, and no audit of one of them would see it.
 * Other data have another split key, so that their rows in a table are others.
 */
export const oneTableCheck = async (
  { log, studies }: Pick<Home, 'log' | 'studies'>,
  runId: string,
  { policy, vault, dataDigest }: OpenedStudy,
): Promise<readonly GateCheck[]> => {
  if (policy.data.disclosure?.tables !== 'one') return [];
  const table = sha256(vault.release().table);
  const { state } = await studies.load(policy.study.id);
  for (const run of state.runs) {
    if (run.runId === runId) continue;
    const opened = await openingOf(log, run.runId);
    if (opened === null || opened.cohorts === null || opened.pins.dataDigest !== dataDigest)
      continue;
    if (opened.cohorts.table.sha256 !== table)
      return [
        rule(
          false,
          `another table than the one of run ${run.runId}, with the same data (another minimum, other dimensions or other rules)`,
        ),
      ];
  }
  return [rule(true, "the study's only table of these data")];
};

const rule = (passed: boolean, found: string): GateCheck => ({
  rule: 'one-table',
  passed,
  found,
  expected:
    'one base table of the same rows, since a second could be subtracted from the first; register another study, which splits them anew, or set data.disclosure.tables to any',
});

/** A run's first event says what left the vault for it. */
const openingOf = async (log: Home['log'], runId: string): Promise<RunOpened['data'] | null> => {
  for await (const { type, data } of log.readStream<RunEvent>(`run-${runId}`, { limit: 1 }))
    return type === 'RunOpened' ? (data as RunOpened['data']) : null;
  return null;
};
