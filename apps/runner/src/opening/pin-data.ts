import type { HarnessPolicy } from '#libs/harness';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { currentSnapshot, dataDigest, takeSnapshot, type Snapshot } from '#libs/vault';
import type { Home } from '../home.ts';

/**
 * SHA-256 of the data that a new run stands on: of the study's file as it is, or of the snapshot of its table. The
 * first run takes that snapshot; later ones use it until somebody takes another, since new data are a new split and
 * rows that were sealed yesterday would be trained on today.
 */
export const pinData = async (
  home: Home,
  folder: string,
  policy: HarnessPolicy,
): Promise<Result<string, Refusal>> => {
  const { study, data } = policy;
  if (data.format !== 'postgres') return dataDigest(folder, data.path);
  const current = await currentSnapshot(home.snapshots, study.id, data);
  if (current !== null) return ok(current);
  const taken = await snapshotStudy(home, policy);
  return taken.ok ? ok(taken.value.sha256) : taken;
};

/** Reads the study's table into a snapshot, which new runs of it stand on from now on. */
export const snapshotStudy = async (
  home: Pick<Home, 'dataUrl' | 'snapshots'>,
  { study, data }: HarnessPolicy,
): Promise<Result<Snapshot, Refusal>> => {
  if (data.format !== 'postgres') {
    return refused({
      code: 'no-table',
      message: `found that study ${study.id} reads the file ${data.path}; expected a table of PostgreSQL (data.table): a file is pinned by its digest as it is`,
    });
  }
  if (home.dataUrl === null) {
    return refused({
      code: 'no-data-connection',
      message: `found no HOLDFAST_DATA_URL; expected the address of the PostgreSQL that holds ${data.path}: set it, or HOLDFAST_DATA_URL_FILE`,
    });
  }
  return takeSnapshot({
    ...{ connectionString: home.dataUrl, studyId: study.id, data, folder: home.snapshots },
  });
};
