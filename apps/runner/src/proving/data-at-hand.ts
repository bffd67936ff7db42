import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { parsePredictions, sealedContrast } from '#libs/evaluator';
import type { FindingProposed, ReplayRow } from '#libs/findings';
import { cellCount } from '#libs/harness';
import { ok, reasonOf, refused, type Refusal, type Result } from '#libs/kernel';
import { cohortDimensions, type RunOpened } from '#libs/run';
import type { SourceTree } from '#libs/source-tree';
import {
  dataDigest,
  openVault,
  SPLIT_KEY_BYTES,
  splitCommitment,
  type VaultCounts,
} from '#libs/vault';
import type { MeasuredRows } from './train-again.ts';

/** What an auditor brings besides a bundle. */
export interface DataAtHand {
  /** The study's rows. */
  readonly file: string;
  /** The key that splits them, which only the operator can give; null: he did not. */
  readonly splitKey: Uint8Array | null;
}

/** A row of a replay by somebody who brought the data; such rows are no part of the log. */
export interface AuditedRow extends Omit<ReplayRow, 'row'> {
  /** data: whether the rows are those of the run. claim: the finding's effect, computed from them anew. */
  readonly row: ReplayRow['row'] | 'data' | 'claim';
}

/** What is known of the rows that a run measured on. */
export interface AuditedData {
  readonly rows: readonly AuditedRow[];
  /** Or why nothing can be measured on them. */
  readonly counts: Result<VaultCounts, Refusal>;
}

const unmeasured = (message: string) => refused({ code: 'rows-absent', message });

export const NO_DATA: AuditedData = { rows: [], counts: unmeasured('a bundle holds no rows') };

/**
 * Refuses a file that is not the data that the run pinned, and a key that is not the one that it is committed to.
 * Nothing is counted yet.
 */
export const checkData = async (
  { file, splitKey }: DataAtHand,
  { pins }: RunOpened['data'],
): Promise<Result<DataAtHand, Refusal>> => {
  const path = await realpath(file).catch(() => null);
  if (path === null)
    return refused({
      code: 'data-missing',
      message: `found no file ${file}, expected the data of the study; name their file with --data`,
    });
  const digest = await dataDigest(dirname(path), basename(path)).catch((error: unknown) =>
    refused({
      code: 'data-unreadable',
      message: `found ${file}, which can not be read (${reasonOf(error)}); expected the data of the study`,
    }),
  );
  if (!digest.ok) return digest;
  if (digest.value !== pins.dataDigest)
    return refused({
      code: 'data-differs',
      message: `found ${file} with SHA-256 ${digest.value}, expected ${pins.dataDigest}, which the run pinned; name the very file that it was run on`,
    });
  if (splitKey === null) return ok({ file: path, splitKey });
  const committed =
    splitKey.length === SPLIT_KEY_BYTES
      ? `a key whose commitment is ${splitCommitment(splitKey)}`
      : `${splitKey.length} bytes`;
  if (splitKey.length === SPLIT_KEY_BYTES && splitCommitment(splitKey) === pins.splitCommitment)
    return ok({ file: path, splitKey });
  return refused({
    code: 'split-key-differs',
    message: `found ${committed}, expected the split key of ${SPLIT_KEY_BYTES} bytes that the run is committed to by ${pins.splitCommitment}; ask the operator for that one`,
  });
};

/**
 * Splits and counts data that {@link checkData} let through. Where the base table does not come out of them, that is a row
 * and no refusal: it speaks against the run and not against the auditor.
 */
export const auditData = async (
  { file, splitKey }: DataAtHand,
  { pins, policy, cohorts }: RunOpened['data'],
  sourceTree: Pick<SourceTree, 'readFile'>,
): Promise<Result<AuditedData, Refusal>> => {
  const expected = `SHA-256 ${pins.dataDigest}`;
  if (splitKey === null)
    return ok({
      rows: [{ row: 'data', outcome: 'same', found: expected, expected }],
      counts: unmeasured("the split key, the operator's secret, was not given"),
    });
  const table = cohorts === null ? null : await sourceTree.readFile(cohorts.table.oid);
  if (table?.ok === false) return table;
  const vault = await openVault({
    ...{ studyFolder: dirname(file), file, data: policy.data, splitKey },
    ...{ bounds: policy.gates.preLoop, expectedDigest: pins.dataDigest },
    ...(cohorts !== null &&
      table !== null && { released: { coarsened: cohorts.coarsened, table: table.value } }),
  });
  const tableExpected =
    cohorts === null ? expected : `${expected}, whose train rows make the released cohort table`;
  if (vault.ok)
    return ok({
      rows: [{ row: 'data', outcome: 'same', found: tableExpected, expected: tableExpected }],
      counts: ok(vault.value.counts),
    });
  if (vault.error.code !== 'release-differs') return vault;
  return ok({
    rows: [
      { row: 'data', outcome: 'differs', found: vault.error.message, expected: tableExpected },
    ],
    counts: unmeasured('the released cohort table does not come out of the data'),
  });
};

export const measuredOn = (counts: AuditedData['counts']): Result<MeasuredRows, Refusal> =>
  counts.ok ? ok({ dev: counts.value.dev.cells, check: counts.value.check.cells }) : counts;

/** A claim's numbers this close (absolute) come from the same rows, summed in another order. */
const TOLERANCE = 1e-9;

/**
 * The finding's effect on the sealed rows, from the recorded predictions. It is no further look: the same predictions are
 * scored on the same rows, and nothing new is learnt of them.
 */
export const claimRow = async (
  { claim, predictions: scored }: FindingProposed['data'],
  opened: RunOpened['data'],
  counts: AuditedData['counts'],
  sourceTree: Pick<SourceTree, 'readFile'>,
): Promise<Result<AuditedRow, Refusal>> => {
  const said = ({
    estimate,
    standardError,
    n,
  }: Pick<typeof claim, 'estimate' | 'standardError' | 'n'>) =>
    `${claim.statistic} ${estimate}, standard error ${standardError}, n ${n}`;
  const expected = said(claim);
  const attested = (why: string) =>
    ok({
      ...({ row: 'claim', outcome: 'attested', expected } as const),
      found: `not recomputed (${why}): the operator's word`,
    });
  if (!counts.ok) return attested(counts.error.message);
  const [compared, claimed] = scored;
  if (compared === undefined || claimed === undefined)
    return attested('the finding does not name the predictions of both programs');
  const cells = cellCount(cohortDimensions(opened));
  const read = async (oid: string): Promise<Result<Float64Array, Refusal>> => {
    const content = await sourceTree.readFile(oid);
    return content.ok ? parsePredictions(content.value, cells) : content;
  };
  const [from, to] = [await read(compared.oid), await read(claimed.oid)];
  if (!from.ok) return from;
  if (!to.ok) return to;
  const { minimumCell } = opened.policy.data;
  const again = sealedContrast(from.value, to.value, counts.value.sealed.cells, minimumCell);
  if (again === null)
    return ok({
      ...{ row: 'claim', outcome: 'differs', expected },
      found: `no cohort of the sealed rows has ${minimumCell} people`,
    });
  const off = Math.max(
    Math.abs(again.estimate - claim.estimate),
    Math.abs(again.standardError - claim.standardError),
    Math.abs(again.n - claim.n),
  );
  return ok({
    ...{ row: 'claim', expected, found: said(again) },
    outcome: off === 0 ? 'same' : off <= TOLERANCE ? 'within-tolerance' : 'differs',
  });
};
