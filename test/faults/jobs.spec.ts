import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TrainingResult } from '#libs/run';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import {
  killingRedis,
  killingWorkers,
  runAll,
  trainingFleet,
  type TrainingFleet,
} from '../support/training-fleet.ts';

const PATIENCE = 120_000;
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

describe.skipIf(!hasRedis)('trainings on real workers', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const opened = async (
    how: Parameters<typeof startRedis>[0] = {},
    more: Parameters<typeof trainingFleet>[1] = {},
  ): Promise<{ readonly redis: TestRedis; readonly fleet: TrainingFleet }> => {
    const redis = await startRedis(how);
    ends.push(redis.remove);
    const fleet = await trainingFleet(redis, more);
    ends.push(fleet.remove);
    return { redis, fleet };
  };

  it(
    'kill -9 of workers at random moments: each training is run again or failed once',
    async () => {
      const { fleet } = await opened();
      const work = runAll(fleet, range(40), 60);
      const { value, kills } = await killingWorkers(fleet, 2, 500, work);
      expect(kills).toBeGreaterThan(1);
      expect(value.wrong).toEqual([]);
      expect(value.completed + value.abandoned).toBe(40);
      expect(value.completed).toBeGreaterThan(30);
      // Asked again, nobody has another answer, and nobody runs anything.
      expect(await runAll(fleet, range(40), 60)).toMatchObject({
        completed: value.completed,
        abandoned: value.abandoned,
        wrong: [],
      });
    },
    PATIENCE,
  );

  it.each([
    ['that keeps what it was told', true],
    ['that forgets everything', false],
  ])(
    'kill -9 of a Redis %s: no training is lost',
    async (_, appendOnly) => {
      const { redis, fleet } = await opened({ appendOnly });
      await fleet.start({ concurrency: 2 });
      const work = runAll(fleet, range(20), 100);
      const { value, kills } = await killingRedis(redis, 600, 3, work);
      expect(kills).toBeGreaterThan(1);
      expect(value).toEqual({ completed: 20, abandoned: 0, wrong: [] });
    },
    PATIENCE,
  );

  it(
    'each training delivered twice: both workers finish, one result is taken',
    async () => {
      const { fleet } = await opened();
      const first = await fleet.start({ concurrency: 4 });
      const taken = new Map<number, TrainingResult>();
      const asked = Promise.all(
        range(4).map(async (nth) => taken.set(nth, await fleet.queue.run(fleet.job(nth, 900)))),
      );
      await vi.waitFor(
        async () => {
          const [announced] = await fleet.queue.fleetAnnouncements();
          expect(announced?.underWay).toHaveLength(4);
        },
        { timeout: 20_000 },
      );
      first.process.kill('SIGSTOP');
      const second = await fleet.start({ concurrency: 4 });
      await asked;
      first.process.kill('SIGCONT');
      // The first one learns that its trainings are another's, or tries to hand them in.
      await vi.waitFor(
        () => {
          expect(first.notices.length).toBeGreaterThan(0);
        },
        { timeout: 20_000 },
      );
      await sleep(1500);
      for (const nth of range(4)) {
        const result = taken.get(nth);
        expect(result?.data.signature.keyId).toBe(second.keyId);
        expect(await fleet.queue.run(fleet.job(nth, 900))).toEqual(result);
        const artefacts = await fleet.sourceTree.readRef(`runs/r-1/trainings/training-${nth}`);
        expect(artefacts).toBe(result?.data.artefacts);
      }
      expect(await fleet.sourceTree.listRefs('superseded')).toEqual([]);
      // It is none the worse for it.
      await second.kill();
      expect(await runAll(fleet, [7], 10)).toMatchObject({ completed: 1 });
    },
    PATIENCE,
  );

  it(
    'a worker whose clock jumps does its work, long trainings too',
    async () => {
      const { redis, fleet } = await opened();
      await fleet.start({ concurrency: 2, jumpingClock: true });
      expect(await runAll(fleet, range(6), 50)).toEqual({ completed: 6, abandoned: 0, wrong: [] });
      // Longer than its lock: it has to be renewed meanwhile.
      expect(await runAll(fleet, [6, 7], 3000)).toEqual({ completed: 2, abandoned: 0, wrong: [] });
      const queue = new Queue(`trainings-${fleet.job(0).runtime.sha256}`, {
        connection: { ...redis.connection },
        prefix: 'holdfast',
      });
      expect(await queue.getJob('training-6')).toMatchObject({ stalledCounter: 0 });
      await queue.close();
    },
    PATIENCE,
  );

  it(
    'a program that writes more than it may has failed, and nothing of it is carried',
    async () => {
      const { fleet } = await opened();
      const worker = await fleet.start();
      const result = await fleet.queue.run({ ...fleet.job(1), entry: 'flood.js' });
      expect(result).toMatchObject({
        type: 'TrainingFailed',
        data: { failure: 'too-much-output', signature: { keyId: worker.keyId } },
      });
      const files = await fleet.sourceTree.readTree(result.data.artefacts);
      expect(files).toMatchObject({ ok: true, value: [{ path: 'log.txt' }] });
      expect(result.data.isolation).toMatchObject({
        runtime_sha256: fleet.job(1).runtime.sha256,
        network: 'none',
      });
    },
    PATIENCE,
  );

  it(
    'a worker that is told to go hands its training to another one',
    async () => {
      const { fleet } = await opened();
      const first = await fleet.start();
      const asked = fleet.queue.run(fleet.job(1, 1500));
      await vi.waitFor(
        async () => {
          expect((await fleet.queue.fleetAnnouncements())[0]?.underWay).toHaveLength(1);
        },
        { timeout: 20_000 },
      );
      first.process.kill('SIGTERM');
      await fleet.start();
      expect(await fleet.wrong(1, await asked)).toBeNull();
      await vi.waitFor(() => {
        expect(first.process.exitCode).toBe(0);
      });
    },
    PATIENCE,
  );
});
