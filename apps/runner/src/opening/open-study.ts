import { join } from 'node:path';
import type { HarnessPolicy } from '#libs/harness';
import { deriveId, ok, refused, type Refusal, type Result } from '#libs/kernel';
import { openSecretFile } from '#libs/signatures';
import { newSplitKey, openVault, splitCommitment, type Vault } from '#libs/vault';
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
 * @param pinned - what an earlier run pinned, when one is resumed: other data is refused
 */
export const openStudy = async (
  home: Home,
  folder: string,
  policy: HarnessPolicy,
  pinned: { readonly dataDigest: string } | null = null,
): Promise<Result<OpenedStudy, Refusal>> => {
  const studyId = policy.study.id;
  const digest = pinned === null ? await pinData(home, folder, policy) : ok(pinned.dataDigest);
  if (!digest.ok) return digest;
  const dataDigest = digest.value;
  const key = await splitKey(home, studyId, dataDigest);
  if (!key.ok) return key;
  const vault = await openVault({
    studyFolder: folder,
    snapshots: home.snapshots,
    data: policy.data,
    splitKey: key.value,
    expectedDigest: dataDigest,
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

/** Length of a split key in bytes, as the vault makes them. */
const SPLIT_KEY_BYTES = 32;

/** The key that splits the rows of this data: made once, before its commitment; never made anew after it. */
const splitKey = async (
  home: Home,
  studyId: string,
  dataDigest: string,
): Promise<Result<Uint8Array, Refusal>> => {
  const name = `split-${studyId}-${dataDigest}.key`;
  const { state } = await home.studies.load(studyId);
  const committed = state.splits[dataDigest] !== undefined;
  const key = await openSecretFile(home.keyFolder, name, committed ? null : newSplitKey);
  if (!key.ok) return key;
  if (key.value?.length === SPLIT_KEY_BYTES) return ok(key.value);
  return refused({
    code: 'split-key-lost',
    message: `found ${key.value === null ? 'no split key' : `${key.value.length} bytes`} for data ${dataDigest.slice(0, 12)} at ${join(home.keyFolder, name)}, expected the key of ${SPLIT_KEY_BYTES} bytes that study ${studyId} is committed to; put the file back from a copy (a new key would be a new split of the same rows, which is refused)`,
  });
};
