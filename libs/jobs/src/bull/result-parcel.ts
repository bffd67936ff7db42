import { createHash } from 'node:crypto';
import { parsePredictions } from '#libs/evaluator';
import { layersOfRecord, missingLayers } from '#libs/harness';
import { ok, refused, type ArtefactRef, type Refusal, type Result } from '#libs/kernel';
import type { TrainingResult } from '#libs/run';
import { trainingAttestation, verify } from '#libs/signatures';
import { objectId, type SourceTree } from '#libs/source-tree';
import type { TrainingJob } from '../port.ts';

/** What a worker signed, with the files that it names, as it travels through Redis. */
interface ResultParcel {
  readonly result: TrainingResult;
  /** Content by name, base64. */
  readonly files: Readonly<Record<string, string>>;
}

const PREDICTIONS = 'predictions.csv';
const LOG = 'log.txt';

/** Packs a result out of the repository that it was written to. @throws where that does not hold what it names */
export const packResult = async (
  sourceTree: SourceTree,
  result: TrainingResult,
): Promise<string> => {
  const files = await sourceTree.readFiles(result.data.artefacts);
  if (!files.ok) throw new Error(`artefacts can't be read: ${files.error.message}`);
  const parcel: ResultParcel = {
    result,
    files: Object.fromEntries(
      files.value.map(({ path, content }) => [path, Buffer.from(content).toString('base64')]),
    ),
  };
  return JSON.stringify(parcel);
};

export interface ResultChecks {
  /** The public key (base64 of the raw 32 bytes) of a worker that the operator admitted; null for any other. */
  readonly trusted: (keyId: string) => Promise<string | null>;
  /** What keeps the result from being an event of the log; empty where nothing does. */
  readonly problems: (result: TrainingResult) => readonly string[];
}

const MEBIBYTE = 1024 * 1024;
/** Printed by the program, and what stands around it. */
const LOG_BYTES = MEBIBYTE;

/** Characters that a result of this job can have at most. */
export const longestResult = ({ limits }: TrainingJob): number =>
  Math.ceil(((limits.outputMb * MEBIBYTE + LOG_BYTES) * 4) / 3) + MEBIBYTE;

type Refused = Result<never, Refusal<'result-refused'>>;
const refuse = (message: string): Refused => refused({ code: 'result-refused', message });

const parsed = (text: string): ResultParcel | null => {
  try {
    const parcel = JSON.parse(text) as Partial<ResultParcel> | null;
    const { result, files } = parcel ?? {};
    if (typeof result?.data !== 'object' || typeof files !== 'object') return null;
    return Object.values(files).every((content) => typeof content === 'string')
      ? { result, files }
      : null;
  } catch {
    return null;
  }
};

const sha1 = (bytes: Uint8Array): Uint8Array => createHash('sha1').update(bytes).digest();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What differs between a file that came and what was signed of it. */
const differs = (
  signed: ArtefactRef,
  path: string,
  content: Uint8Array | undefined,
): string | null => {
  if (content === undefined) return `${path} did not come with it`;
  const found: ArtefactRef = {
    path,
    oid: objectId('blob', content, sha1),
    sha256: sha256(content),
    bytes: content.length,
  };
  const wrong = (['path', 'oid', 'sha256', 'bytes'] as const).find(
    (name) => found[name] !== signed[name],
  );
  return wrong === undefined
    ? null
    : `${wrong} of ${path} is ${found[wrong]}, signed was ${signed[wrong]}`;
};

/**
 * Takes a result that came through Redis: believes nothing of it but what an admitted worker signed, and keeps the
 * artefacts in the repository under the names that it signed. Refused, and nothing of it to be recorded, where
 * anything differs. @throws where the repository can't be written
 */
export const takeResult = async (
  sourceTree: SourceTree,
  job: TrainingJob,
  text: string,
  { trusted, problems }: ResultChecks,
): Promise<Result<TrainingResult, Refusal<'result-refused'>>> => {
  const parcel = parsed(text);
  if (parcel === null) return refuse('found no result in what the worker left');
  const { result } = parcel;
  const wrong = problems(result);
  if (wrong.length > 0) return refuse(`the result is no event: ${wrong.slice(0, 5).join('; ')}`);
  const { data } = result;
  if (data.trainingId !== job.trainingId)
    return refuse(`the result is of training ${data.trainingId}, expected ${job.trainingId}`);
  const { keyId } = data.signature;
  const publicKey = await trusted(keyId);
  if (publicKey === null)
    return refuse(
      `the result is signed by ${keyId}, which no operator admitted; admit that worker, then retry`,
    );
  if (!verify(publicKey, 'training', trainingAttestation(data), data.signature))
    return refuse(`the signature by ${keyId} does not hold`);
  if ('note' in data && data.note !== null)
    return refuse('the result has a note of a human on it, which no worker writes');
  const missing = missingLayers(job.demanded, layersOfRecord(data.isolation));
  if (missing.length > 0)
    return refuse(
      `the program ran without ${missing.join(', ')}, which the study demands; dismiss that worker or mend its host, then retry`,
    );

  const names = Object.keys(parcel.files);
  const stranger = names.find((name) => name !== PREDICTIONS && name !== LOG);
  if (stranger !== undefined)
    return refuse(`found the file ${stranger.slice(0, 100)}, expected ${PREDICTIONS} and ${LOG}`);
  const files = Object.fromEntries(
    Object.entries(parcel.files).map(([name, content]) => [
      name,
      new Uint8Array(Buffer.from(content, 'base64')),
    ]),
  );
  const predictions = files[PREDICTIONS];
  const differences = [
    differs(data.log, LOG, files[LOG]),
    result.type === 'TrainingCompleted'
      ? differs(result.data.predictions, PREDICTIONS, predictions)
      : null,
  ].filter((difference) => difference !== null);
  if (differences.length > 0) return refuse(differences.join('; '));
  const most = job.limits.outputMb * MEBIBYTE;
  if (predictions !== undefined && predictions.length > most)
    return refuse(`found ${predictions.length} bytes of predictions, expected at most ${most}`);
  if (result.type === 'TrainingCompleted' && predictions !== undefined) {
    const read = parsePredictions(predictions, job.cellCount);
    if (!read.ok) return refuse(`the predictions can't be read: ${read.error.message}`);
  }

  const kept = await sourceTree.writeArtefacts({
    ref: `runs/${job.runId}/trainings/${job.trainingId}`,
    files,
  });
  if (!kept.ok) throw new Error(`artefacts can't be kept: ${kept.error.message}`);
  // The names inside are checked already; what can still differ is the tree alone, and an orphan object is harmless.
  if (kept.value.tree !== data.artefacts)
    return refuse(`the artefacts are the tree ${kept.value.tree}, signed was ${data.artefacts}`);
  return ok(result);
};
