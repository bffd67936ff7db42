import { isSha256, ok, refused, type Refusal, type Result } from '#libs/kernel';
import { isOid, MODES, pathProblems, type SourceTree } from '#libs/source-tree';
import type { TrainingJob } from '../port.ts';

/** A training with all that it needs, as it travels through Redis: a worker knows no repository. */
export interface JobParcel {
  readonly job: TrainingJob;
  /** The files of `job.tree`. */
  readonly files: readonly {
    readonly path: string;
    readonly mode: string;
    /** Base64. */
    readonly content: string;
  }[];
  /** The blobs of `job.table` and `job.cells`, base64. */
  readonly table: string;
  readonly cells: string;
  /** W3C trace context, passed through. */
  readonly traceparent: string | null;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const blob = async (sourceTree: SourceTree, oid: string): Promise<string> => {
  const content = await sourceTree.readFile(oid);
  if (!content.ok) throw new Error(`an artefact of the run is gone: ${content.error.message}`);
  return base64(content.value);
};

/**
 * Packs a training. @throws where the repository does not hold what the job names, and where the parcel would be
 * larger than `maxBytes`: both are no matter of waiting
 */
export const packJob = async (
  sourceTree: SourceTree,
  job: TrainingJob,
  traceparent: string | null,
  maxBytes: number,
): Promise<JobParcel> => {
  const files = await sourceTree.readFiles(job.tree);
  if (!files.ok) throw new Error(`the tree ${job.tree} can't be trained: ${files.error.message}`);
  const parcel: JobParcel = {
    job,
    files: files.value.map(({ path, mode, content }) => ({
      path,
      mode,
      content: base64(content),
    })),
    table: await blob(sourceTree, job.table),
    cells: await blob(sourceTree, job.cells),
    traceparent,
  };
  const bytes = Buffer.byteLength(JSON.stringify(parcel));
  if (bytes > maxBytes)
    throw new Error(
      `training ${job.trainingId} makes a job of ${bytes} bytes, at most ${maxBytes} go through the queue; make the program or the cohort table smaller, or raise the queue's limit`,
    );
  return parcel;
};

type Fields = Readonly<Record<string, unknown>>;
type Rule = (value: unknown) => boolean;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text =
  (longest: number): Rule =>
  (value) =>
    typeof value === 'string' && value.length <= longest;
const matching =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const between =
  (least: number, most: number): Rule =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most;
const whole =
  (least: number, most: number): Rule =>
  (value) =>
    Number.isSafeInteger(value) && between(least, most)(value);
const orNull =
  (rule: Rule): Rule =>
  (value) =>
    value === null || rule(value);
const list =
  (longest: number, rule: Rule): Rule =>
  (value) =>
    Array.isArray(value) && value.length <= longest && value.every(rule);
const shape =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value) =>
    isFields(value) &&
    Object.keys(value).every((name) => Object.hasOwn(rules, name)) &&
    Object.entries(rules).every(([name, rule]) => rule(value[name]));

const oid: Rule = (value) => typeof value === 'string' && isOid(value);
const path: Rule = (value) => typeof value === 'string' && pathProblems(value).length === 0;
/** Never a colon, never a number alone: BullMQ gives both a meaning in a job's id. */
const ID = /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
export const isTrainingId = (id: string): boolean => ID.test(id);

const WEEK_SECONDS = 7 * 86_400;

/** What a worker takes at all; whoever can write to Redis can ask it for anything. */
const JOB: Readonly<Record<keyof TrainingJob, Rule>> = {
  trainingId: matching(ID),
  runId: matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
  studyId: matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
  runtime: shape({ name: text(100), version: text(100), sha256: isSha256 }),
  tree: oid,
  entry: path,
  seed: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  steps: orNull(whole(0, Number.MAX_SAFE_INTEGER)),
  limits: shape({
    seconds: between(0.001, WEEK_SECONDS),
    memoryMb: between(1, 1 << 21),
    outputMb: between(0.001, 1 << 12),
    processes: whole(1, 1 << 16),
  }),
  demanded: list(100, text(100)),
  table: oid,
  cells: oid,
  cellCount: whole(0, 10_000_000),
  outcome: text(1000),
  dimensions: list(100, shape({ name: text(1000), labels: list(10_000, text(1000)) })),
};

const PARCEL: Readonly<Record<keyof JobParcel, Rule>> = {
  job: isFields,
  files: list(
    10_000,
    shape({
      path,
      mode: (value) => value === MODES.file || value === MODES.executable,
      content: text(1 << 28),
    }),
  ),
  table: text(1 << 28),
  cells: text(1 << 28),
  traceparent: orNull(text(100)),
};

const firstWrong = (value: Fields, rules: Readonly<Record<string, Rule>>): string | null =>
  Object.keys(rules).find((name) => rules[name]?.(value[name]) !== true) ??
  Object.keys(value).find((name) => !Object.hasOwn(rules, name)) ??
  null;

/** A parcel as it came out of Redis. */
export const parseJobParcel = (data: unknown): Result<JobParcel, Refusal<'bad-job'>> => {
  const refuse = (found: string) =>
    refused({ code: 'bad-job' as const, message: `found ${found}, expected a training's job` });
  if (!isFields(data)) return refuse('no object');
  const wrong = firstWrong(data, PARCEL);
  if (wrong !== null) return refuse(`a job whose ${wrong.slice(0, 50)} is none`);
  const wrongInJob = firstWrong(data['job'] as Fields, JOB);
  if (wrongInJob !== null) return refuse(`a job whose job.${wrongInJob.slice(0, 50)} is none`);
  return ok(data as unknown as JobParcel);
};
