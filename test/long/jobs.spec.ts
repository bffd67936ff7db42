import { afterEach, describe, expect, it } from 'vitest';
import { hasRedis, startRedis } from '../support/redis.ts';
import { killingRedis, killingWorkers, runAll, trainingFleet } from '../support/training-fleet.ts';

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

describe.skipIf(!hasRedis)('hundreds of trainings on workers that are killed', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  it('kill -9 of three workers at 200 random moments and more: each is run again or failed once', async () => {
    const redis = await startRedis();
    ends.push(redis.remove);
    const fleet = await trainingFleet(redis);
    ends.push(fleet.remove);
    let kills = 0;
    for (let from = 0; kills < 200; from += 60) {
      const some = range(60).map((at) => from + at);
      const round = await killingWorkers(fleet, 3, 400, runAll(fleet, some, 80));
      kills += round.kills;
      expect(round.value.wrong).toEqual([]);
      expect(round.value.completed + round.value.abandoned).toBe(60);
      expect(await runAll(fleet, some, 80)).toEqual(round.value);
    }
  });

  it.each([true, false])(
    'kill -9 of workers and of Redis at once (kept on disk: %s): no training is lost',
    async (appendOnly) => {
      const redis = await startRedis({ appendOnly });
      ends.push(redis.remove);
      const fleet = await trainingFleet(redis);
      ends.push(fleet.remove);
      const work = runAll(fleet, range(300), 80);
      const [workers] = await Promise.all([
        killingWorkers(fleet, 3, 1500, work),
        killingRedis(redis, 4000, 20, work),
      ]);
      expect(workers.value.wrong).toEqual([]);
      expect(workers.value.completed + workers.value.abandoned).toBe(300);
      expect(workers.value.completed).toBeGreaterThan(270);
    },
  );
});
