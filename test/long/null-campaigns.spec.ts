import { describe, expect, it } from 'vitest';
import { falseKeeps, power, PROPOSERS } from '../../bench/campaigns.ts';

const CAMPAIGNS = 200;
const BOUND = 0.05;

const everySetting = [2000, 5000].flatMap((rows) =>
  [0, 0.03, 0.1].flatMap((seedNoise) =>
    (Object.keys(PROPOSERS) as (keyof typeof PROPOSERS)[]).map(
      (agent) => [rows, seedNoise, agent] as const,
    ),
  ),
);

describe('200 campaigns of 125 mutations of which none is better', () => {
  it.each(everySetting)(
    'keep anything in at most 5 of 100: %s rows, seeds %s, a %s agent',
    (rows, seedNoise, agent) => {
      const { share } = falseKeeps({ rows, seedNoise, replicates: 3 }, agent, CAMPAIGNS);
      expect(share).toBeLessThanOrEqual(BOUND);
    },
  );

  it('would keep more, were the score of what is discarded told', () => {
    const setting = { rows: 2000, seedNoise: 0, replicates: 3 };
    const told = falseKeeps(setting, 'climbing', CAMPAIGNS, true);
    expect(told.share).toBeGreaterThan(BOUND);
  });
});

describe('a mutation with the gain that the study declares', () => {
  it.each([
    [1000, 0, 3, 'clean'],
    [1000, 0.03, 5, 'clean'],
    [20_000, 0, 3, 'stirring'],
    [20_000, 0.03, 5, 'stirring'],
  ] as const)('is kept in 8 of 10: %s rows, seeds %s, %s replicates, %s', (...of) => {
    const [rows, seedNoise, replicates, gain] = of;
    const { share } = power({ rows, seedNoise, replicates }, gain, CAMPAIGNS);
    expect(share).toBeGreaterThanOrEqual(0.8);
  });
});
