import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import {
  cellCount,
  coarsened,
  type Breach,
  type DataPolicy,
  type IntersectionPolicy,
} from '#libs/harness';
import { ok, refused, type Result } from '#libs/kernel';
import { openRecognisers, personalTexts, PII_CLASSES } from '#libs/pii';
import { checkDataPolicy } from './checks.ts';
import type { VaultCounts } from './counts.ts';
import { loadCounts } from './load.ts';
import {
  controlDisclosure,
  recallControl,
  type Bounds,
  type Controlled,
  type DisclosureControl,
  type Loaded,
} from './disclosure/control.ts';
import { refuse, type VaultRefusal } from './refusals.ts';
import { release, type Release } from './release.ts';
import { aggregate, checkDataRequest, type CohortAnswer, type DataRequest } from './requests.ts';
import { screenRelease, type ColumnScreen } from './screen.ts';
import { snapshotFile } from './snapshot.ts';
import { copyPrivately, openSource } from './source.ts';
import { splitter } from './split.ts';

export interface Vault {
  /** SHA-256 (lower-case hex) of the data file, of exactly the bytes that were counted. */
  readonly digest: string;
  /** For the evaluator and the gates; never for a program or an agent. By the cells of the control's dimensions. */
  readonly counts: VaultCounts;
  /** What was decided about the release. For the gates; never for a program or an agent. */
  readonly control: DisclosureControl;
  /** What the declared columns look like; empty where the policy does not have them screened. */
  readonly columns: readonly ColumnScreen[];
  /** The base cohort table, once per run: the only thing that leaves. */
  readonly release: () => Release;
  /** Any later request for data, answered from the base cohort table, or the rules that it breaks. */
  readonly answer: (request: DataRequest) => Result<CohortAnswer, readonly Breach[]>;
}

export interface OpenVault {
  readonly studyFolder: string;
  /** Folder of the snapshots; asked for data of format `postgres` only. */
  readonly snapshots?: string;
  readonly data: DataPolicy;
  /** The file itself, where somebody brings it who has no study's folder and no snapshots; then `data.path` is a name only. */
  readonly file?: string;
  /** Of the protected attributes: their groups are counted too. */
  readonly intersections?: readonly IntersectionPolicy[];
  /** 32 bytes, of {@link newSplitKey}. */
  readonly splitKey: Uint8Array;
  /** The bounds of the pre-loop gate: coarsening goes by them, and they tell something of totals that are withheld. */
  readonly bounds: Bounds;
  /** SHA-256 (lower-case hex) that the file must have; none: whatever it has is found in the vault's `digest`. */
  readonly expectedDigest?: string;
  /** What left the vault for the run already; none: it is decided now. */
  readonly released?: EarlierRelease;
  /**
   * Whether a refusal may say values that nothing covers, where many rows share one: only to whoever has the file
   * before him, never where refusals are kept.
   */
  readonly sayValues?: boolean;
}

/** A release as a run recorded it. Whatever is asked later is answered from it, by whichever rules it was made. */
export interface EarlierRelease {
  readonly coarsened: number;
  /** The base table's bytes. */
  readonly table: Uint8Array;
}

/**
 * Reads a study's data into grouped counts and forgets the rows. What is held afterwards is, for each split,
 * people and positive outcomes by cell, and by cell and protected group.
 *
 * It refuses data that differ from the pinned digest, lie outside of the study's folder, lack a column, repeat a
 * row id, or hold a value that the policy doesn't cover; nothing is dropped silently. Refusals repeat no text of the
 * file; with `sayValues` a value that at least `minimumCell` rows share and that identifies nobody.
 *
 * @example
 * const bounds = policy.gates.preLoop;
 * const opened = await openVault({ studyFolder, data: policy.data, splitKey, bounds, expectedDigest });
 * if (opened.ok) await writeFile('cohorts.csv', opened.value.release().table);
 */
export const openVault = async (request: OpenVault): Promise<Result<Vault, VaultRefusal>> => {
  const { data, intersections = [], splitKey, expectedDigest, sayValues = false } = request;
  const broken = checkDataPolicy(data, intersections).filter(({ passed }) => !passed);
  if (broken.length > 0) {
    const rules = broken.map(
      ({ rule, found, expected }) => `${rule}: found ${found}, expected ${expected}`,
    );
    return refuse('data-policy', rules.join('; '));
  }
  const recognisers = await openRecognisers();
  const personal = data.pii === null ? [] : personalTexts(recognisers, data);
  if (personal.length > 0) {
    const texts = personal.map(
      ({ name, what, class: of }) => `${name}, ${what} (${PII_CLASSES[of]})`,
    );
    return refuse(
      'data-policy',
      `pii-labels: found ${texts.join('; ')}, expected names, labels and values of cohorts, which identify nobody`,
    );
  }
  const splitOf = splitter(splitKey, data.split);

  const source = await openData(request);
  if (!source.ok) return source;
  await using file = source.value;
  await using copy = await copyPrivately(file);
  if (expectedDigest !== undefined && copy.sha256 !== expectedDigest) {
    return refuse(
      'digest-differs',
      `found ${data.path} with SHA-256 ${copy.sha256}; expected ${expectedDigest}: restore the pinned file, or register the study anew for other data`,
    );
  }
  const how = { splitOf, intersections, recognisers, sayValues };
  const loaded = await loadCounts(copy.path, data, how);
  if (!loaded.ok) return loaded;
  const controlled =
    request.released === undefined
      ? ok(await controlDisclosure(loaded.value, data, request.bounds))
      : recalled(loaded.value, data, request.released);
  if (!controlled.ok) return controlled;
  const { counts, control } = controlled.value;
  // The agent is shown it whenever it is asked: made once, it is the same bytes anyway.
  const released = screenRelease(data, release(data, controlled.value));
  return ok({
    digest: copy.sha256,
    counts,
    control,
    columns: loaded.value.columns,
    release: () => released,
    answer: (asked: DataRequest) => {
      const breaches = checkDataRequest(data, asked);
      if (breaches.length > 0) return refused(breaches);
      return ok(
        aggregate({ ...data, dimensions: control.dimensions }, control.base, asked.dimensions),
      );
    },
  });
};

/** A line of the base table begins with its cell's id. */
const LINE = /^(\d{1,9}),/;

/** The cells that the earlier table has, with the counts of now: another table of them than then is a refusal. */
const recalled = (
  loaded: Loaded,
  data: DataPolicy,
  { coarsened: steps, table }: EarlierRelease,
): Result<Controlled, VaultRefusal> => {
  const cells = new TextDecoder()
    .decode(table)
    .split('\n')
    .slice(1)
    .flatMap((line) => LINE.exec(line)?.[1] ?? [])
    .map(Number);
  const differs = (found: string) =>
    refuse(
      'release-differs',
      `found ${found}; expected the base table that the run recorded (SHA-256 ${sha256(table)}): resume it where its data and its split key are`,
    );
  const most = cellCount(coarsened(data.dimensions, data.coarsen.slice(0, steps)));
  if (steps > data.coarsen.length || cells.some((cell) => cell >= most))
    return differs('a policy that has no such cells');
  const controlled = recallControl(loaded, data, { coarsened: steps, cells });
  const again = sha256(release(data, controlled).table);
  return again === sha256(table) ? ok(controlled) : differs(`rows that make a table of ${again}`);
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The study's file, or the snapshot of its table that was pinned: a table itself is never read here. */
const openData = async ({
  studyFolder,
  snapshots,
  data,
  file,
  expectedDigest,
}: OpenVault): Promise<Awaited<ReturnType<typeof openSource>>> => {
  if (file !== undefined) return openSource(dirname(file), basename(file));
  if (data.format !== 'postgres') return openSource(studyFolder, data.path);
  const missing = (found: string) =>
    refuse(
      'snapshot-missing',
      `found ${found} of ${data.path}; expected the one that was pinned: put its file back from a copy, or take another for new runs (holdfast snapshot)`,
    );
  if (snapshots === undefined || expectedDigest === undefined) return missing('no snapshot');
  const source = await openSource(snapshots, snapshotFile(expectedDigest));
  return source.ok || source.error.code !== 'missing-data'
    ? source
    : missing(`no snapshot ${expectedDigest.slice(0, 12)}`);
};
