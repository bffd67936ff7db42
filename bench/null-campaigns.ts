/**
 * Prints how often simulated runs of 125 mutations keep anything by mistake, how often they keep what the study wants
 * caught, and what the charts in units of noise see: docs/reference/statistics.md. The same numbers each time.
 *
 *     npm run campaigns [-- CAMPAIGNS]
 */
import normal from '@stdlib/stats-base-dists-normal-quantile';
import {
  chartFires,
  excessOfLevel,
  falseKeeps,
  power,
  PROPOSERS,
  type Setting,
  type Share,
} from './campaigns.ts';

const [campaigns = '200'] = process.argv.slice(2);
const many = Number(campaigns);

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const shown = ({ share, lower, upper }: Share): string =>
  `${percent(share).padStart(7)}  (${percent(lower)} to ${percent(upper)})`;
const settingText = ({ rows, seedNoise, replicates }: Setting): string =>
  `${String(rows).padStart(6)}  ${(seedNoise === 0 ? 'none' : String(seedNoise)).padEnd(5)}  ${String(replicates).padStart(10)}`;

console.log(
  `A  campaigns with any false keep, of ${many} with 125 mutations each (95 % interval)\n`,
);
console.log('  rows  seeds  replicates  agent      campaigns                  further trainings');
for (const proposer of Object.keys(PROPOSERS) as (keyof typeof PROPOSERS)[])
  for (const rows of [2000, 5000])
    for (const seedNoise of [0, 0.03, 0.1]) {
      const setting = { rows, seedNoise, replicates: 3 };
      const found = falseKeeps(setting, proposer, many);
      console.log(
        `${settingText(setting)}  ${proposer.padEnd(9)}  ${shown(found).padEnd(26)} ${found.replicates.toFixed(1)}`,
      );
    }

console.log('\nB  the same, were the agent told the rounded score of what is discarded too\n');
for (const rows of [2000, 5000]) {
  const setting = { rows, seedNoise: 0, replicates: 3 };
  console.log(
    `${settingText(setting)}  climbing   ${shown(falseKeeps(setting, 'climbing', many, true))}`,
  );
}

console.log(`\nC  mutations with a true gain of 2 % that are kept, of ${many}\n`);
console.log('  rows  seeds  replicates  gain       kept');
for (const gain of ['clean', 'stirring'] as const)
  for (const [seedNoise, replicates] of [
    [0, 3],
    [0.03, 3],
    [0.03, 5],
    [0.1, 5],
    [0.1, 10],
  ] as const)
    for (const rows of [1000, 5000, 20_000]) {
      const setting = { rows, seedNoise, replicates };
      console.log(
        `${settingText(setting)}  ${gain.padEnd(9)}  ${shown(power(setting, gain, many))}`,
      );
    }

const LEVEL = 0.004;
const RATIOS = [0, 0.1, 1, 10, 100] as const;
console.log(
  `\nD  chance of a false keep at level ${LEVEL}, as a multiple of it, by the true variance`,
);
console.log('   between seeds as a multiple of that of the rows\n');
console.log(`seeds  threshold    ${RATIOS.map((ratio) => String(ratio).padStart(6)).join('')}`);
for (const replicates of [3, 5])
  for (const [name, quantile] of [
    ['normal', normal(1 - LEVEL, 0, 1)],
    ['this rule', null],
  ] as const)
    console.log(
      `${String(replicates).padStart(5)}  ${name.padEnd(12)} ${RATIOS.map((ratio) =>
        excessOfLevel(ratio, replicates, LEVEL, quantile).toFixed(2).padStart(6),
      ).join('')}`,
    );

const SHIFTS = [0, 1, 2, 3, 5] as const;
console.log(
  '\nE  stability chart (k 0.5, h 5) that fires within 20 re-measurements, by the shift of all',
);
console.log('   of them in standard deviations\n');
console.log(`replicates${SHIFTS.map((shift) => String(shift).padStart(9)).join('')}`);
for (const replicates of [2, 3, 5, 10, 20])
  console.log(
    `${String(replicates).padStart(10)}${SHIFTS.map((shift) =>
      percent(chartFires(replicates, shift, 2000).share).padStart(9),
    ).join('')}`,
  );
