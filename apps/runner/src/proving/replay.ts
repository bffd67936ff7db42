import type { FindingReplayed } from '#libs/findings';
import type { TrainingProgress } from '#libs/jobs';
import { deriveId, ok, refused, type Actor, type Refusal, type Result } from '#libs/kernel';
import { replayAttestation } from '#libs/provenance';
import type { RunEvent, RunOpened } from '#libs/run';
import { sign } from '#libs/signatures';
import { readStudy } from '#libs/studies';
import { recallStudyFile, type Home } from '../home.ts';
import { openStudy, pinnedBy } from '../opening/open-study.ts';
import { recordedTraining, trainAgain, type MeasuredRows, type Replay } from './train-again.ts';
import { proposedHashOf } from './verify.ts';

export interface RecordedReplay extends Replay {
  /** Why the replay could not be recorded; null where it was. */
  readonly notRecorded: string | null;
}

/**
 * Materialises the finding's pinned tree, trains it for the recorded steps with the recorded seed, and compares the
 * predictions; where the study's rows are at hand, the metric too. What came of it is recorded, signed by the runner.
 */
export const replayFinding = async (
  home: Home,
  findingId: string,
  actor: Actor,
  onProgress: (progress: TrainingProgress) => void,
): Promise<Result<RecordedReplay, Refusal>> => {
  const { state } = await home.findings.load(findingId);
  if (state.proposed === null)
    return refused({
      code: 'finding-unknown',
      message: `found no finding ${findingId}; list them with: holdfast findings`,
    });
  const { chain } = state.proposed;
  const recorded = await recordedTraining(
    home.log.readStream<RunEvent>(`run-${chain.runId}`),
    chain.mutations.at(-1) ?? null,
  );
  if (recorded === null)
    return refused({
      code: 'training-absent',
      message: `run ${chain.runId} holds no completed training for ${findingId}; verify it with: holdfast verify ${findingId}`,
    });
  const { sourceTree, queue, environment } = home;
  const replayed = await trainAgain(
    {
      ...{ sourceTree, queue, environment, onProgress },
      measuredRows: (opened) => measuredRows(home, opened),
    },
    findingId,
    recorded,
  );
  if (!replayed.ok) return replayed;
  return ok({
    ...replayed.value,
    notRecorded: await record(home, recorded.opened, replayed.value, actor),
  });
};

/** Others may append to the finding meanwhile: so often it is tried on the newer head. */
const PATIENCE = 5;

/** Records a replay, unless another runner's key is pinned: its signature would turn the finding's chain against it. */
const record = async (
  home: Home,
  { keys }: RunOpened['data'],
  replay: Replay,
  actor: Actor,
): Promise<string | null> => {
  const { findingId } = replay;
  const { runner } = home.keys;
  if (keys.runner.keyId !== runner.keyId)
    return `this runner signs with key ${runner.keyId}, expected the runner key that the run pinned, ${keys.runner.keyId}; replay it with that runner to record it`;
  const proposed = await proposedHashOf(home, findingId);
  const data: FindingReplayed['data'] = {
    ...replay,
    signature: sign(runner, 'replay', replayAttestation(replay, proposed)),
  };
  for (let attempt = 1; ; attempt += 1) {
    const { head } = await home.findings.load(findingId);
    if (head === null) throw new Error(`finding ${findingId} has no events`);
    const command = { type: 'RecordReplay', id: deriveId('replay', head.id), data } as const;
    const sent = await home.findings.send(findingId, command, actor, head);
    if (sent.ok) return null;
    if (sent.error.code !== 'lost-race' || attempt === PATIENCE) return sent.error.message;
  }
};

/** The rows that the run measured on, where the study lies on this machine. */
const measuredRows = async (
  home: Home,
  opened: RunOpened['data'],
): Promise<Result<MeasuredRows, Refusal>> => {
  const absent = (message: string) => refused({ code: 'rows-absent', message });
  const file = await recallStudyFile(home, opened.studyId);
  if (!file.ok) return absent("the study's rows are not at hand");
  const onDisk = await readStudy(file.value);
  if (!onDisk.ok) return absent("the study's file is not at hand");
  const study = await openStudy(home, onDisk.value.folder, opened.policy, pinnedBy(opened));
  if (!study.ok) return study;
  const { dev, check } = study.value.vault.counts;
  return ok({ dev: dev.cells, check: check.cells });
};
