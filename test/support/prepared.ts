import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStudy } from '#libs/studies';
import { dataDigest } from '#libs/vault';
import { makeStudy, type Changes } from './fixture-study.ts';
import { openTestHome } from './follow.ts';
import { good } from './results.ts';

/** A study and a home with keys and nothing else: runs on copies of it are comparable to the byte. */
export interface Prepared {
  readonly root: string;
  readonly study: string;
  /** A copy of the home as it was prepared. */
  readonly home: () => Promise<string>;
  readonly remove: () => Promise<void>;
}

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'holdfast-test-'));

/** One and the same split each time, so that what the study shows is known. */
export const SPLIT_KEY = new Uint8Array(32).fill(7);

/** Gives a home the key that splits the rows of this study; its path. */
export const writeSplitKey = async (home: string, studyFile: string): Promise<string> => {
  const { folder, policy } = good(await readStudy(studyFile));
  const digest = good(await dataDigest(folder, policy.data.path));
  const keys = join(home, 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const key = join(keys, `split-${policy.study.id}-${digest}.key`);
  await writeFile(key, SPLIT_KEY, { mode: 0o600 });
  return key;
};

export const prepare = async (changes: Changes = {}): Promise<Prepared> => {
  const root = await temporaryFolder();
  const study = await makeStudy(join(root, 'study'), changes);
  const model = join(root, 'model');
  await (await openTestHome({ folder: model })).close();
  await writeSplitKey(model, study);
  let homes = 0;
  return {
    root,
    study,
    home: async () => {
      homes += 1;
      const home = join(root, `home-${homes}`);
      await cp(join(model, 'keys'), join(home, 'keys'), { recursive: true });
      return home;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
};
