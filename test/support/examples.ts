import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readStudy } from '#libs/studies';
import { dataDigest } from '#libs/vault';
import { git } from './git.ts';
import { temporaryFolder } from './prepared.ts';
import { good } from './results.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
/** One and the same split each time, so that what a seed shows is known. */
const SPLIT_KEY = new Uint8Array(32).fill(7);

/** The examples, committed in a repository of their own. */
export interface ExamplesCopy {
  readonly root: string;
  /** Path of a study in it, e.g. `pay` or `pay/halt-mid-loop.yaml`. */
  readonly study: (path: string) => string;
  /** A new home that has nothing but the key that splits the rows of this study. */
  readonly home: (study: string) => Promise<string>;
  readonly remove: () => Promise<void>;
}

export const copyExamples = async (): Promise<ExamplesCopy> => {
  const root = await temporaryFolder();
  await cp(EXAMPLES, join(root, 'examples'), {
    recursive: true,
    filter: (path) => !path.includes('.holdfast'),
  });
  git(root, 'init', '-q');
  git(root, 'add', 'examples');
  git(root, 'commit', '-q', '-m', 'The examples');
  let homes = 0;
  const study = (path: string): string => join(root, 'examples', path);
  return {
    root,
    study,
    home: async (path) => {
      homes += 1;
      const home = join(root, `home-${homes}`);
      const { folder, policy } = good(await readStudy(study(path)));
      const digest = good(await dataDigest(folder, policy.data.path));
      await mkdir(join(home, 'keys'), { recursive: true, mode: 0o700 });
      const key = join(home, 'keys', `split-${policy.study.id}-${digest}.key`);
      await writeFile(key, SPLIT_KEY, { mode: 0o600 });
      return home;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
};
