import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from './git.ts';
import { temporaryFolder, writeSplitKey } from './prepared.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

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
      await writeSplitKey(home, study(path));
      return home;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
};
