import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { madeUpParcels } from '../support/fixture-study.ts';
import { git } from '../support/git.ts';

const STUDY = join(import.meta.dirname, 'study');

/** Wherever this text comes out, something that is sealed came out. */
export const CANARY = 'hf-canary';

/** The tests' parcels, each with an identifier that gives a leaked row away. */
export const besiegedParcels = (): string =>
  madeUpParcels()
    .trimEnd()
    .split('\n')
    .map((line, row) => (row === 0 ? `parcel,${line}` : `${CANARY}-row-${row},${line}`))
    .join('\n')
    .concat('\n');

/** Writes the attacks' study into `folder` and commits it there, rows and all, as careless people do. */
export const makeBesiegedStudy = async (folder: string): Promise<void> => {
  await cp(STUDY, folder, { recursive: true });
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'data/parcels.csv'), besiegedParcels());
  git(folder, 'init', '-q');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'A study');
};
