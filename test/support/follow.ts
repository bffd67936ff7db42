import {
  openHome,
  openRun,
  driveRun,
  openStudy,
  pinnedBy,
  type Home,
  type HomeOptions,
} from '#apps/runner';
import type { Agent } from '#libs/agents';
import type { Clock, Refusal, Result } from '#libs/kernel';
import type { RunState } from '#libs/run';
import { readStudy } from '#libs/studies';
import { good } from './results.ts';

/** Always the same moment, so that two runs differ in nothing that derives from time. */
export const FROZEN: Clock = { now: () => '2026-11-23T08:00:00.000Z' };

export const openTestHome = async (options: HomeOptions): Promise<Home> =>
  good(await openHome({ clock: FROZEN, ...options }));

/** Opens the study's first run, or goes on with it where it was left, and follows it to its end. */
export const follow = async (
  home: Home,
  studyFolder: string,
  agent: Agent,
): Promise<Result<RunState, Refusal>> => {
  const onDisk = good(await readStudy(studyFolder));
  const runId = `${onDisk.policy.study.id}-1`;
  const { opened } = (await home.runs.load(runId)).state;
  if (opened === null) {
    const begun = await openRun(home, { study: onDisk, seed: 1 });
    return begun.ok ? driveRun(home, { runId, study: begun.value.study, agent }) : begun;
  }
  const study = await openStudy(home, onDisk.folder, opened.policy, pinnedBy(opened));
  return study.ok ? driveRun(home, { runId, study: study.value, agent }) : study;
};
