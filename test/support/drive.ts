import { join } from 'node:path';
import { startNode, type NodeProcess } from './node-process.ts';

const DRIVER = join(import.meta.dirname, 'driver.ts');

/** Follows the short run of a study in a process of its own; see driver.ts. */
export const drive = (
  home: string,
  study: string,
  kill: { readonly when: 'before' | 'after'; readonly append: number } | null = null,
  clock: 'frozen' | 'own' = 'frozen',
): NodeProcess => {
  const stop = kill === null ? [] : [kill.when, String(kill.append)];
  return startNode(DRIVER, home, study, clock, ...stop);
};
