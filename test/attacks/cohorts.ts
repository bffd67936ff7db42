import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cellLabels } from '#libs/harness';
import { openVault, type Vault } from '#libs/vault';
import { SPLIT_KEY } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import type { Siege } from './siege.ts';

/** Every subset of a list, the empty one too. */
export const subsetsOf = (names: readonly string[]): readonly (readonly string[])[] =>
  names.reduce<readonly (readonly string[])[]>(
    (subsets, name) => [...subsets, ...subsets.map((subset) => [...subset, name])],
    [[]],
  );

/** Sums over the lines of a released table, as anybody can add them up. */
export const aggregateByHand = (table: Uint8Array, names: readonly string[]) => {
  const [header = [], ...lines] = new TextDecoder()
    .decode(table)
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(','));
  const place = (name: string): number => header.indexOf(name);
  for (const name of [...names, 'n', 'positive'])
    if (place(name) === -1) throw new Error(`the table has no column ${name}`);
  return (asked: readonly string[], labels: readonly string[]) => {
    const those = lines.filter((line) => asked.every((name, i) => line[place(name)] === labels[i]));
    const sum = (column: string): number =>
      those.reduce((total, line) => total + Number(line[place(column)]), 0);
    return { people: sum('n'), positive: sum('positive') };
  };
};

/** Two vaults whose rows differ in one person, who is in a train cohort below the minimum in both. */
export const neighbouringVaults = async ({
  root,
  study,
  studyFolder,
}: Siege): Promise<readonly [Vault, Vault]> => {
  const { data } = study.policy;
  const folder = join(root, 'neighbours');
  const path = join(folder, data.path);
  await mkdir(join(path, '..'), { recursive: true });
  const rows = (await readFile(join(studyFolder, data.path), 'utf8')).trimEnd().split('\n');
  const vaultOf = async (lines: readonly string[]): Promise<Vault> => {
    await writeFile(path, `${lines.join('\n')}\n`);
    const request = {
      ...{ studyFolder: folder, data, splitKey: SPLIT_KEY },
      bounds: study.policy.gates.preLoop,
    };
    return good(await openVault(request));
  };
  const withHer = await vaultOf(rows);
  const { people } = withHer.counts.train.cells;
  const hidden = Array.from(people).findIndex((n) => n > 1 && n < data.minimumCell);
  const labels = cellLabels(data.dimensions, hidden).join(',');
  for (const [place, row] of rows.entries()) {
    const [, shift, route, paper, , receipt] = row.split(',');
    if ([shift, route, paper, receipt].join(',') !== labels) continue;
    const withoutHer = await vaultOf(rows.filter((_, other) => other !== place));
    if (withoutHer.counts.train.people === withHer.counts.train.people - 1)
      return [withHer, withoutHer];
  }
  throw new Error('no person of a hidden cohort was found');
};
