import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openBundle,
  verifyBundle,
  type AuditorTrust,
  type BundleSource,
  type BundleVerdict,
  type OpenedBundle,
} from '#libs/bundle';
import { eventTypes, parseBody } from '#libs/event-log';
import type { FindingEvent, FindingProposed } from '#libs/findings';
import { FOLDER_PREFIX, type TrainingProgress } from '#libs/jobs';
import { ok, refused, type Fact, type NewEvent, type Refusal, type Result } from '#libs/kernel';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import type { RunEvent } from '#libs/run';
import { openSandbox } from '#libs/sandbox';
import { generateKey } from '#libs/signatures';
import { gatherObjects, openSourceTree } from '#libs/source-tree';
import { environmentRecord, queueHere, type HomeOptions } from '../home.ts';
import { BUNDLE_PORTS } from './bundle-files.ts';
import {
  auditData,
  checkData,
  claimRow,
  measuredOn,
  NO_DATA,
  type AuditedRow,
  type DataAtHand,
} from './data-at-hand.ts';
import { recordedTraining, trainAgain, type RecordedTraining, type Replay } from './train-again.ts';

export interface BundleToReplay {
  readonly source: BundleSource;
  readonly trust: AuditorTrust;
  /** Null: the only one that the bundle is about. */
  readonly findingId: string | null;
  /** Null: the bundle is all that there is. */
  readonly data?: DataAtHand | null;
  /** Default: this machine's. */
  readonly sandbox?: HomeOptions['sandbox'];
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Called when the bundle was verified and which finding is meant is known, before anything is trained. */
  readonly beforeTraining?: (findingId: string) => Promise<Result<unknown, Refusal>>;
}

/** What came of it, with what the auditor's data say where he brought them. */
export interface AuditedReplay extends Omit<Replay, 'rows'> {
  readonly rows: readonly AuditedRow[];
}

export interface ReplayedBundle {
  /** SHA-256 of the whole file. */
  readonly sha256: string;
  readonly verdict: BundleVerdict;
  /** Null where the verdict is BLOCK: nothing was trained. */
  readonly replay: AuditedReplay | null;
}

/**
 * Verifies a bundle, then trains one of its findings again out of nothing but the bundle, contained by this machine's
 * sandbox, and compares the predictions. No home, log, repository or configuration is opened; what is laid out is in a
 * temporary folder that is removed at the end. A bundle holds no rows: metric and claim stay the operator's word, unless
 * the auditor brings the data and the key that splits them.
 *
 * @throws SandboxUnavailable where the sandbox itself could not work; what `source.read` throws
 */
export const replayBundle = async ({
  source,
  trust,
  findingId: asked,
  data = null,
  sandbox = openSandbox,
  onProgress = () => undefined,
  beforeTraining = () => Promise.resolve(ok(null)),
}: BundleToReplay): Promise<Result<ReplayedBundle, Refusal>> => {
  const sha256 = await digestOf(source);
  const verified = await verifyBundle(source, trust, BUNDLE_PORTS);
  if (!verified.ok) return verified;
  const verdict = verified.value;
  if (verdict.verdict !== 'PASS') return ok({ sha256, verdict, replay: null });
  const findingId = findingOf(verdict, asked);
  if (!findingId.ok) return findingId;

  const opening = await openBundle(source);
  if (!opening.ok) return opening;
  const bundle = opening.value;
  const recorded = await readRecorded(bundle, findingId.value);
  if (!recorded.ok) return recorded;
  const { opened, launched, completed, proposed } = recorded.value;
  const atHand = data === null ? ok(null) : await checkData(data, opened);
  if (!atHand.ok) return atHand;
  const wanted = await beforeTraining(findingId.value);
  if (!wanted.ok) return wanted;

  // Were this process killed, the next training would remove it.
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  try {
    const dir = join(folder, 'objects.git');
    const gathered = await gatherObjects(
      dir,
      [
        ...[launched.tree, completed.predictions.oid, ...cohortsOf(opened)],
        ...(atHand.value === null ? [] : proposed.predictions.map(({ oid }) => oid)),
      ],
      bundle.readObject,
    );
    if (!gathered.ok) return gathered;
    // What was verified and what was read have to be the same bytes.
    if ((await digestOf(source)) !== sha256)
      return refused({
        code: 'bundle-changed',
        message:
          'the bundle was changed while it was read; replay it again from a file that stands still',
      });
    const sourceTree = await openSourceTree({ dir });
    const audited =
      atHand.value === null ? ok(NO_DATA) : await auditData(atHand.value, opened, sourceTree);
    if (!audited.ok) return audited;
    const { rows, counts } = audited.value;
    // Nobody asks for the worker's signature again: the predictions are compared here.
    const queue = await queueHere({ sourceTree }, generateKey(), sandbox);
    const replay = await trainAgain(
      {
        ...{ sourceTree, onProgress },
        queue: () => Promise.resolve(queue),
        environment: () => environmentRecord(null),
        measuredRows: () => Promise.resolve(measuredOn(counts)),
      },
      findingId.value,
      recorded.value,
    );
    if (!replay.ok) return replay;
    const claim =
      atHand.value === null ? ok(null) : await claimRow(proposed, opened, counts, sourceTree);
    if (!claim.ok) return claim;
    const more = [...rows, ...(claim.value === null ? [] : [claim.value])];
    return ok({
      ...{ sha256, verdict },
      replay: { ...replay.value, rows: [...replay.value.rows, ...more] },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const cohortsOf = ({ cohorts }: RecordedTraining['opened']): readonly string[] =>
  cohorts === null ? [] : [cohorts.table.oid, cohorts.cells.oid];

const READ_BYTES = 1024 * 1024;

const digestOf = async (source: BundleSource): Promise<string> => {
  const hash = createHash('sha256');
  for (let at = 0; at < source.size; at += READ_BYTES)
    hash.update(await source.read(at, READ_BYTES));
  return hash.digest('hex');
};

/** Which finding is meant: the one that was asked for, or the only one of the subject. */
const findingOf = (
  { subject, findings }: BundleVerdict,
  asked: string | null,
): Result<string, Refusal> => {
  const ids = findings.map(({ findingId }) => findingId);
  const meant =
    asked ?? (subject?.kind === 'finding' ? subject.id : ids.length === 1 ? ids[0] : null);
  if (meant !== null && meant !== undefined && ids.includes(meant)) return ok(meant);
  return refused({
    code: 'finding-unknown',
    message:
      ids.length === 0
        ? 'found no finding in the bundle, expected one to replay'
        : `found ${asked === null ? `${ids.length} findings` : `no finding ${asked}`} in the bundle, expected one of ${ids.slice(0, 20).join(', ')}; name it with --finding`,
  });
};

const types = eventTypes(EVENT_TYPES);

/** A stream's events in their newest versions. */
async function* eventsOf<E extends Fact>(
  { events }: OpenedBundle,
  stream: string,
): AsyncGenerator<E> {
  for await (const lot of events(stream))
    for (const { canonical } of lot) {
      const { type, data, metadata } = parseBody(canonical);
      yield { type, data: types.upcast(type, metadata.schemaVersion, data) } as E;
    }
}

/** What keeps an event of a stranger from being used: its signature says who wrote it, not that it is well formed. */
const problemOf = (type: string, data: unknown): string | null => {
  const event = { type, data, metadata: { schemaVersion: schemaVersionOf(type) } } as NewEvent;
  const [first] = types.problems(event, type);
  return first === undefined ? null : `${first.path} ${first.message}`;
};

/** A finding's claim, and the training that stands for it. */
interface RecordedFinding extends RecordedTraining {
  readonly proposed: FindingProposed['data'];
}

const readRecorded = async (
  bundle: OpenedBundle,
  findingId: string,
): Promise<Result<RecordedFinding, Refusal>> => {
  const absent = (message: string) => refused({ code: 'training-absent', message });
  let proposed: FindingProposed['data'] | null = null;
  for await (const event of eventsOf<FindingEvent>(bundle, `finding-${findingId}`)) {
    if (event.type === 'FindingProposed') proposed = event.data;
    break;
  }
  if (proposed === null) return absent(`found no claim of ${findingId} in the bundle`);
  const { runId, mutations } = proposed.chain;
  const recorded = await recordedTraining(
    eventsOf<RunEvent>(bundle, `run-${runId}`),
    mutations.at(-1) ?? null,
  );
  if (recorded === null)
    return absent(`run ${runId} in the bundle holds no completed training for ${findingId}`);
  const { opened, launched, completed, observed } = recorded;
  const problem =
    problemOf('FindingProposed', proposed) ??
    problemOf('RunOpened', opened) ??
    problemOf('TrainingLaunched', launched) ??
    problemOf('TrainingCompleted', completed) ??
    problemOf('MetricObserved', observed);
  return problem === null
    ? ok({ ...recorded, proposed })
    : refused({
        code: 'bundle-unusable',
        message: `found an event that nobody may write: ${problem}; the bundle can't be replayed`,
      });
};
