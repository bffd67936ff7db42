import type { Breach, DataPolicy, IntersectionPolicy } from '#libs/harness';
import { ok, refused, type Result } from '#libs/kernel';
import { checkDataPolicy } from './checks.ts';
import type { VaultCounts } from './counts.ts';
import { loadCounts } from './load.ts';
import { refuse, type VaultRefusal } from './refusals.ts';
import { baseCells, release, type Release } from './release.ts';
import { aggregate, checkDataRequest, type CohortAnswer, type DataRequest } from './requests.ts';
import { copyPrivately, openSource } from './source.ts';
import { splitter } from './split.ts';

export interface Vault {
  /** SHA-256 (lower-case hex) of the data file, of exactly the bytes that were counted. */
  readonly digest: string;
  /** For the evaluator and the gates; never for a program or an agent. */
  readonly counts: VaultCounts;
  /** The base cohort table, once per run: the only thing that leaves. */
  readonly release: () => Release;
  /** Any later request for data, answered from the base cohort table, or the rules that it breaks. */
  readonly answer: (request: DataRequest) => Result<CohortAnswer, readonly Breach[]>;
}

export interface OpenVault {
  readonly studyFolder: string;
  readonly data: DataPolicy;
  /** Of the protected attributes: their groups are counted too. */
  readonly intersections?: readonly IntersectionPolicy[];
  /** 32 bytes, of {@link newSplitKey}. */
  readonly splitKey: Uint8Array;
  /** SHA-256 (lower-case hex) that the file must have; none: whatever it has is found in the vault's `digest`. */
  readonly expectedDigest?: string;
}

/**
 * Reads a study's data into grouped counts and forgets the rows. What is held afterwards is, for each split,
 * people and positive outcomes by cell, and by cell and protected group.
 *
 * It refuses data that differ from the pinned digest, lie outside of the study's folder, lack a column, repeat a
 * row id, or hold a value that the policy doesn't cover; nothing is dropped silently. Refusals name no person's
 * values: a value is said only where at least `minimumCell` rows share it.
 *
 * @example
 * const opened = await openVault({ studyFolder, data: policy.data, splitKey, expectedDigest });
 * if (opened.ok) await writeFile('cohorts.csv', opened.value.release().table);
 */
export const openVault = async (request: OpenVault): Promise<Result<Vault, VaultRefusal>> => {
  const { studyFolder, data, intersections = [], splitKey, expectedDigest } = request;
  const broken = checkDataPolicy(data, intersections).filter(({ passed }) => !passed);
  if (broken.length > 0) {
    const rules = broken.map(
      ({ rule, found, expected }) => `${rule}: found ${found}, expected ${expected}`,
    );
    return refuse('data-policy', rules.join('; '));
  }
  const splitOf = splitter(splitKey, data.split);

  const source = await openSource(studyFolder, data.path);
  if (!source.ok) return source;
  await using file = source.value;
  await using copy = await copyPrivately(file);
  if (expectedDigest !== undefined && copy.sha256 !== expectedDigest) {
    return refuse(
      'digest-differs',
      `found ${data.path} with SHA-256 ${copy.sha256}; expected ${expectedDigest}: restore the pinned file, or register the study anew for other data`,
    );
  }
  const loaded = await loadCounts(copy.path, data, intersections, splitOf);
  if (!loaded.ok) return loaded;
  const counts = loaded.value;
  const base = baseCells(counts, data.minimumCell);
  // The agent is shown it whenever it is asked: made once, it is the same bytes anyway.
  const released = release(data, counts);
  return ok({
    digest: copy.sha256,
    counts,
    release: () => released,
    answer: (asked: DataRequest) => {
      const breaches = checkDataRequest(data, asked);
      return breaches.length > 0 ? refused(breaches) : ok(aggregate(data, base, asked.dimensions));
    },
  });
};
