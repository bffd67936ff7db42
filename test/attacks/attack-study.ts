import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { madeUpParcels } from '../support/fixture-study.ts';
import { git } from '../support/git.ts';

const STUDY = join(import.meta.dirname, 'study');

/** Wherever this text comes out, something that is sealed came out. */
export const CANARY = 'hf-canary';

/** The tests' parcels with some cohorts of a few people, each row with an identifier that gives it away. */
const besiegedParcels = (): string => {
  const [header = '', ...rows] = madeUpParcels().trimEnd().split('\n');
  const few = rows.filter((row, n) => !/^night.*,none,/.test(row) || n % 5 === 0);
  const named = few.map((row, n) => `${CANARY}-row-${n + 1},${row}`);
  return [`parcel,${header}`, ...named, ''].join('\n');
};

/** Other studies of the same program and rows, by file. */
const OTHER_STUDIES: Readonly<Record<string, (yaml: string) => string>> = {
  /** Its chart lets the planted receipt through, and its budget's bound is one that a real gain meets. */
  'keeps.yaml': (yaml) =>
    yaml
      .replace('id: besieged', 'id: besieged-keeps')
      .replace('total: 100000', 'total: 100')
      .replace('allowance: 0.15', 'allowance: 0.95'),
};

/** Writes the attacks' study into `folder` and commits it there, rows and all, as careless people do. */
export const makeBesiegedStudy = async (folder: string): Promise<void> => {
  await cp(STUDY, folder, { recursive: true });
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'data/parcels.csv'), besiegedParcels());
  const yaml = await readFile(join(folder, 'holdfast.yaml'), 'utf8');
  for (const [name, change] of Object.entries(OTHER_STUDIES))
    await writeFile(join(folder, name), change(yaml));
  git(folder, 'init', '-q');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'A study');
};
