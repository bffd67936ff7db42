import { NO_EXECUTOR } from '#libs/harness';
import { sign, type SigningKey } from '#libs/signatures';
import type { SourceTree } from '#libs/source-tree';
import type { TrainingResult } from '#libs/run';
import type { TrainingAbandoned, TrainingJob } from './port.ts';

/**
 * What the run records of a training that nobody will run any more: a failure, signed by the runner's own worker key
 * (the one that the run pinned), with a log that says so. It tells nothing of the program.
 *
 * @example
 * const result = await queue.run(job).catch((error: unknown) => {
 *   if (!(error instanceof TrainingAbandoned)) throw error;
 *   return abandonedResult({ sourceTree, key: keys.worker }, job, error);
 * });
 */
export const abandonedResult = async (
  { sourceTree, key }: { readonly sourceTree: SourceTree; readonly key: SigningKey },
  { runId, trainingId }: TrainingJob,
  { reason, message, note }: TrainingAbandoned,
): Promise<TrainingResult> => {
  const kept = await sourceTree.writeArtefacts({
    ref: `runs/${runId}/trainings/${trainingId}`,
    files: { 'log.txt': new TextEncoder().encode(`No worker ran this to an end: ${message}\n`) },
  });
  if (!kept.ok) throw new Error(`artefacts can't be kept: ${kept.error.message}`);
  const [log] = kept.value.files;
  if (log === undefined) throw new Error('the log was not kept');
  const data = {
    trainingId,
    failure: reason,
    detail: message,
    errorClass: null,
    errorFile: null,
    errorLine: null,
    durationMs: 0,
    artefacts: kept.value.tree,
    log,
    isolation: { executor: NO_EXECUTOR, reason },
  };
  return {
    type: 'TrainingFailed',
    data: { ...data, signature: sign(key, 'training', data), note },
  };
};
