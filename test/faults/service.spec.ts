import { expect, it } from 'vitest';
import { hasRedis } from '../support/redis.ts';
import { postgresMissing } from '../support/postgres.ts';
import { surviveFaults } from '../support/service-faults.ts';

const PATIENCE_MS = 300_000;

it.skipIf(!hasRedis || postgresMissing() !== null)(
  'a service whose parts and servers are killed again and again loses nothing and does nothing twice',
  async () => {
    const survived = await surviveFaults({
      ...{ runs: 4, pauseMs: 1_500, downMs: 2_000, seed: 4 },
      patienceMs: PATIENCE_MS - 60_000,
    });
    expect(survived.iterations).toBeGreaterThan(12);
    expect(Object.values(survived.faults).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(
      5,
    );
  },
  PATIENCE_MS,
);
