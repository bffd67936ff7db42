import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HarnessPolicy } from '#libs/harness';
import { deriveId, ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { RunOpened } from '#libs/run';
import { openSecretFile } from '#libs/signatures';
import {
  newSplitKey,
  openVault,
  SPLIT_KEY_BYTES,
  splitCommitment,
  type EarlierRelease,
  type Vault,
} from '#libs/vault';
import { HARNESS, LOCAL_RESEARCHER } from '../actors.ts';
import type { Home } from '../home.ts';
import { pinData } from './pin-data.ts';

/** A study whose rows are in the vault. */
export interface OpenedStudy {
  readonly folder: string;
  readonly policy: HarnessPolicy;
  readonly vault: Vault;
  readonly dataDigest: string;
  readonly splitCommitment: string;
}

/**
 * Registers the study, commits to the key that splits its rows (one for each data digest, before any run uses it)
 * and opens the vault.
 *
 * @param pinned - what an earlier run pinned, when one is resumed: other data is refused, and the base table is the one
 * that left the vault then
 */
export const openStudy = async (
  home: Home,
  folder: string,
  policy: HarnessPolicy,
  pinned: Pinned | null = null,
): Promise<Result<OpenedStudy, Refusal>> => {
  const studyId = policy.study.id;
  const digest = pinned === null ? await pinData(home, folder, policy) : ok(pinned.dataDigest);
  if (!digest.ok) return digest;
  const dataDigest = digest.value;
  const key = await splitKey(home, studyId, dataDigest);
  if (!key.ok) return key;
  const released = await releasedBy(home, pinned);
  if (!released.ok) return released;
  const vault = await openVault({
    studyFolder: folder,
    snapshots: home.snapshots,
    data: policy.data,
    intersections: policy.gates.postLoop.intersections,
    splitKey: key.value,
    bounds: policy.gates.preLoop,
    expectedDigest: dataDigest,
    ...(released.value !== null && { released: released.value }),
  });
  if (!vault.ok) return vault;

  const commitment = splitCommitment(key.value);
  const registered = await home.studies.send(
    studyId,
    {
      type: 'RegisterStudy',
      id: deriveId('register', studyId),
      data: { studyId, title: policy.study.title },
    },
    LOCAL_RESEARCHER,
  );
  if (!registered.ok) return registered;
  const committed = await home.studies.send(
    studyId,
    {
      type: 'CommitSplit',
      id: deriveId('commit-split', studyId, dataDigest),
      data: { dataDigest, commitment },
    },
    HARNESS,
  );
  if (!committed.ok) return committed;
  return ok({ folder, policy, vault: vault.value, dataDigest, splitCommitment: commitment });
};

/** What a run that is resumed stands on already. */
export interface Pinned {
  readonly dataDigest: string;
  /** Null: nothing left the vault for it. */
  readonly cohorts: RunOpened['data']['cohorts'];
}

export const pinnedBy = ({ pins, cohorts }: RunOpened['data']): Pinned => ({
  dataDigest: pins.dataDigest,
  cohorts,
});

const releasedBy = async (
  { sourceTree }: Home,
  pinned: Pinned | null,
): Promise<Result<EarlierRelease | null, Refusal>> => {
  const cohorts = pinned?.cohorts ?? null;
  if (cohorts === null) return ok(null);
  const table = await sourceTree.readFile(cohorts.table.oid);
  return table.ok ? ok({ coarsened: cohorts.coarsened, table: table.value }) : table;
};

/**
 * The key that splits the rows of these data, one for all studies of them: made once, before its commitment, and never
 * made anew after it. A study that had a key of its own before keys were shared keeps to that.
 */
const splitKey = async (
  home: Home,
  studyId: string,
  dataDigest: string,
): Promise<Result<Uint8Array, Refusal>> => {
  const name = `split-${dataDigest}.key`;
  const committed =
    (await home.studies.load(studyId)).state.splits.get(dataDigest) ??
    (await home.data.load(dataDigest)).state.split?.commitment ??
    null;
  const own = `split-${studyId}-${dataDigest}.key`;
  if (committed === null) {
    const kept = await openSecretFile(home.keyFolder, own, null);
    if (!kept.ok) return kept;
    const key =
      kept.value === null ? await openSecretFile(home.keyFolder, name, newSplitKey) : kept;
    if (!key.ok) return key;
    if (key.value?.length === SPLIT_KEY_BYTES) return ok(key.value);
    return lost(home, dataDigest, name, `${key.value?.length ?? 0} bytes`);
  }
  const found = await keysOf(home, dataDigest);
  if (!found.ok) return found;
  const key = found.value.find(
    (one) => one.length === SPLIT_KEY_BYTES && splitCommitment(one) === committed,
  );
  if (key !== undefined) return ok(key);
  return lost(home, dataDigest, name, found.value.length === 0 ? 'no split key' : 'no such key');
};

/** Every key that is kept for these data: the shared one, and those of studies from before it was. */
const keysOf = async (
  { keyFolder }: Home,
  dataDigest: string,
): Promise<Result<readonly Uint8Array[], Refusal>> => {
  const names = (await readdir(keyFolder)).filter(
    (name) => name.startsWith('split-') && name.endsWith(`${dataDigest}.key`),
  );
  const keys: Uint8Array[] = [];
  for (const name of names.sort()) {
    const key = await openSecretFile(keyFolder, name, null);
    if (!key.ok) return key;
    if (key.value !== null) keys.push(key.value);
  }
  return ok(keys);
};

const lost = ({ keyFolder }: Home, dataDigest: string, name: string, found: string) =>
  refused({
    code: 'split-key-lost',
    message: `found ${found} for data ${dataDigest.slice(0, 12)} at ${join(keyFolder, name)}, expected the key of ${SPLIT_KEY_BYTES} bytes that its studies are committed to; put the file back from a copy (a new key would be a new split of the same rows, which is refused)`,
  });
