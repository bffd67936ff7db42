import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from './git.ts';

const STUDY = join(import.meta.dirname, 'study');
const PARCELS = 3000;

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export const uniform = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/** Made-up parcels: shift and route matter, paper and depot don't, the receipt tells what came of them. */
export const madeUpParcels = (): string => {
  const next = uniform(1887);
  const rows = Array.from({ length: PARCELS }, () => {
    const shift = next() < 0.6 ? 'day' : 'night';
    const route = ['city', 'hills', 'coast'][Math.floor(next() * 3)] ?? 'city';
    const paper = next() < 0.5 ? 'white' : 'brown';
    const depot = next() < 0.5 ? 'north' : 'south';
    const logit = (shift === 'day' ? 0.7 : -0.5) + (route === 'city' ? 0.9 : -0.5);
    const inTime = next() < 1 / (1 + Math.exp(-logit));
    const known = next();
    const receipt = known < 0.15 ? 'none' : inTime === known < 0.92 ? 'signed' : 'claim';
    return [shift, route, paper, depot, receipt, inTime ? 'yes' : 'no'].join(',');
  });
  return ['shift,route,paper,depot,receipt,in_time', ...rows, ''].join('\n');
};

/** What a test changes of the study's files, by path, before they are committed. */
export type Changes = Readonly<Record<string, (text: string) => string>>;

/** Writes the tests' study into `folder` and commits it there, the same each time to the byte. */
export const makeStudy = async (folder: string, changes: Changes = {}): Promise<string> => {
  await cp(STUDY, folder, { recursive: true });
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'data/parcels.csv'), madeUpParcels());
  for (const [path, change] of Object.entries(changes))
    await writeFile(join(folder, path), change(await readFile(join(folder, path), 'utf8')));
  git(folder, 'init', '-q');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'A study');
  return folder;
};
