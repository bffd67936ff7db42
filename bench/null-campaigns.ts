/**
 * Prints how often simulated runs of 125 mutations keep anything by mistake, how often they keep what the study wants
 * caught, and what the charts in units of noise see: docs/reference/statistics.md.
 *
 *     npm run campaigns [-- CAMPAIGNS]
 */
import { falseKeeps, power, PROPOSERS, type Gain, type Setting, type Share } from './campaigns.ts';

const [campaigns = '200'] = process.argv.slice(2);
const many = Number(campaigns);

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const cell = ({ share, lower, upper }: Share): string =>
  `${percent(share).padStart(7)}  (${percent(lower)} to ${percent(upper)})`.padEnd(28);
const settingText = ({ rows, seedNoise, replicates }: Setting): string =>
  `${String(rows).padStart(6)}  ${(seedNoise === 0 ? 'none' : `± ${seedNoise}`).padEnd(7)} ${String(replicates).padStart(5)}`;

const NOISES = [0, 0.03, 0.1] as const;

console.log(`campaigns with any false keep, of ${many} with 125 mutations each (95 % interval)\n`);
console.log(
  '  rows  seeds   repl.  agent      campaigns                    further trainings each',
);
for (const proposer of Object.keys(PROPOSERS) as (keyof typeof PROPOSERS)[])
  for (const rows of [2000, 5000])
    for (const seedNoise of NOISES) {
      const setting = { rows, seedNoise, replicates: 3 };
      const found = falseKeeps(setting, proposer, many);
      console.log(
        `${settingText(setting)}  ${proposer.padEnd(9)} ${cell(found)} ${found.replicates.toFixed(1)}`,
      );
    }

console.log(`\nchance that a mutation with a true gain of 2 % is kept, of ${many}\n`);
console.log('  rows  seeds   repl.  gain       kept');
for (const gain of ['clean', 'stirring'] as readonly Gain[])
  for (const [replicates, noises] of [
    [3, NOISES],
    [5, [0.03, 0.1]],
  ] as const)
    for (const seedNoise of noises)
      for (const rows of [1000, 5000, 20_000]) {
        const setting = { rows, seedNoise, replicates };
        console.log(
          `${settingText(setting)}  ${gain.padEnd(9)} ${cell(power(setting, gain, many)).trimEnd()}`,
        );
      }
