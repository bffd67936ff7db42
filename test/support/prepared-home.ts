import { afterAll, beforeAll } from 'vitest';
import type { Home } from '#apps/runner';
import type { Changes } from './fixture-study.ts';
import { openTestHome } from './follow.ts';
import { prepare, type Prepared } from './prepared.ts';

const PATIENCE = 60_000;

/** Makes a study and opens a home with its keys, for all tests of a file, and takes both away after them. */
export const inPreparedHome = (
  take: (made: { readonly prepared: Prepared; readonly home: Home }) => void,
  changes: Changes = {},
): void => {
  let remove = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const prepared = await prepare(changes);
    const home = await openTestHome({ folder: await prepared.home() });
    remove = async () => {
      await home.close();
      await prepared.remove();
    };
    take({ prepared, home });
  }, PATIENCE);
  afterAll(() => remove());
};
