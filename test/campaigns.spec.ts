import { describe, expect, it } from 'vitest';
import { nullCampaign, power, PROPOSERS, shareOf } from '../bench/campaigns.ts';

/** The whole of it, in 200 campaigns a setting, is `test/long/null-campaigns.spec.ts`. */
const CAMPAIGNS = 20;

describe('20 campaigns of 125 mutations of which none is better', () => {
  it.each([
    [0, 'blind'],
    [0, 'leaping'],
    [0.1, 'climbing'],
  ] as const)('keep next to nothing: seeds %s, a %s agent', (seedNoise, agent) => {
    const setting = { rows: 2000, seedNoise, replicates: 3 };
    const campaigns = Array.from({ length: CAMPAIGNS }, (_, index) =>
      nullCampaign(setting, PROPOSERS[agent], index + 1),
    );
    // At 5 % more than three of 20 are a matter of 1 in 60.
    expect(campaigns.filter(({ kept }) => kept > 0).length).toBeLessThanOrEqual(3);
    if (seedNoise > 0) expect(campaigns.some(({ replicates }) => replicates > 0)).toBe(true);
  });

  it('are the same each time', () => {
    const setting = { rows: 2000, seedNoise: 0.1, replicates: 3 };
    const once = nullCampaign(setting, PROPOSERS.blind, 3);
    expect(nullCampaign(setting, PROPOSERS.blind, 3)).toEqual(once);
  });
});

describe('a mutation with the gain that the study declares', () => {
  it('is mostly kept where there are rows enough', () => {
    const { share } = power({ rows: 5000, seedNoise: 0, replicates: 3 }, 'clean', CAMPAIGNS);
    expect(share).toBeGreaterThanOrEqual(0.8);
  });

  it('is mostly missed where there are not', () => {
    const { share } = power({ rows: 1000, seedNoise: 0, replicates: 3 }, 'stirring', CAMPAIGNS);
    expect(share).toBeLessThanOrEqual(0.2);
  });
});

describe('a share', () => {
  it('has the interval of Wilson (1927)', () => {
    const { lower, upper } = shareOf(10, 100);
    expect([lower, upper]).toEqual([expect.closeTo(0.0552, 4), expect.closeTo(0.1744, 4)]);
  });
});
