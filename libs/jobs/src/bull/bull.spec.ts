import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TrainingResult } from '#libs/run';
import { generateKey, sign, trainingAttestation, verify } from '#libs/signatures';
import { hasRedis, startRedis, type TestRedis } from '../../../../test/support/redis.ts';
import { SEALED } from '../../../kernel/src/testing/sealed-text.ts';
import {
  abandonedResult,
  TrainingAbandoned,
  TrainingLeft,
  type BullTrainingWorkerOptions,
} from '../index.ts';
import { eventProblems, openBull, type Bull } from '../testing/bull.ts';
import { exampleJob, testJobs, type TestJobs } from '../testing/jobs.ts';

describe.skipIf(!hasRedis)('trainings on Redis', () => {
  let redis: TestRedis;
  let jobs: TestJobs;
  let bull: Bull;
  let raw: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    raw = new Redis({ ...redis.connection, maxRetriesPerRequest: null });
  });
  beforeEach(async () => {
    jobs = await testJobs();
    bull = openBull(redis, jobs);
  });
  afterEach(async () => {
    await bull.close();
    await jobs.remove();
  });
  afterAll(async () => {
    raw.disconnect();
    await redis.remove();
  });

  const job = (trainingId: string) => exampleJob(jobs, trainingId);
  const until = <T>(check: () => T | Promise<T>) =>
    vi.waitFor(check, { timeout: 10_000, interval: 20 });
  const letters = () => bull.queue.deadLetters.list();
  const bullQueue = () =>
    new Queue(`trainings-${jobs.runtime.sha256}`, {
      connection: { ...redis.connection },
      prefix: bull.prefix,
    });

  /** A worker that hands back what `forge` makes of an honest result. */
  const forger = (
    forge: (result: TrainingResult) => TrainingResult,
    more: Partial<BullTrainingWorkerOptions> = {},
  ) =>
    bull.worker({
      work: (slot) => async (asked, tell) => forge(await jobs.work(slot)(asked, tell)),
      ...more,
    });
  const resigned = (result: TrainingResult, change: object, key = jobs.key): TrainingResult => {
    const data = { ...trainingAttestation(result.data), ...change };
    return {
      type: result.type,
      data: {
        ...data,
        signature: sign(key, 'training', data),
        ...(result.type === 'TrainingFailed' && { note: null }),
      },
    } as TrainingResult;
  };

  describe('a training that nobody waits for any more', () => {
    it.each(['stop', 'unwanted'] as const)('is left at once: %s', async (why) => {
      const queue = bullQueue();
      const leave = new AbortController();
      const run = bull.queue.run(job('t-1'), undefined, { [why]: leave.signal });
      await until(async () => expect(await queue.getJobState('t-1')).toBe('prioritized'));
      leave.abort();
      await expect(run).rejects.toThrow(TrainingLeft);
      const isThere = why === 'stop';
      await until(async () =>
        expect(await queue.getJobState('t-1')).toBe(isThere ? 'prioritized' : 'unknown'),
      );
      await sleep(300);
      expect(await queue.getJobState('t-1')).toBe(isThere ? 'prioritized' : 'unknown');
      // Asked for again it is joined, or put back.
      bull.worker();
      expect((await bull.queue.run(job('t-1'))).type).toBe('TrainingCompleted');
      await queue.close();
    });

    it('is left while Redis is away', async () => {
      const away = openBull({ connection: { host: '127.0.0.1', port: 9 } }, jobs);
      const leave = new AbortController();
      const run = away.queue.run(job('t-1'), undefined, { stop: leave.signal });
      leave.abort();
      await expect(run).rejects.toThrow(TrainingLeft);
      await away.close();
    });
  });

  describe('a result', () => {
    it.each<[string, (result: TrainingResult) => TrainingResult, string]>([
      [
        'by a key that nobody admitted',
        (result) => resigned(result, {}, generateKey()),
        'which no operator admitted',
      ],
      [
        'by another key under the name of an admitted one',
        (result) => {
          const { signature } = resigned(result, {}, generateKey()).data;
          return {
            ...result,
            data: { ...result.data, signature: { ...signature, keyId: jobs.key.keyId } },
          } as TrainingResult;
        },
        'does not hold',
      ],
      [
        'that was changed after it was signed',
        (result) => ({ ...result, data: { ...result.data, steps: 9 } }) as TrainingResult,
        'does not hold',
      ],
      [
        'of another type than its data',
        (result) => ({ type: 'TrainingTimedOut', data: result.data }) as TrainingResult,
        'is no event',
      ],
      [
        'with a note on it, which operators alone write',
        (result) => {
          const {
            steps: _s,
            predictions: _p,
            selfReported: _m,
            ...shared
          } = result.data as Extract<TrainingResult, { type: 'TrainingCompleted' }>['data'];
          const failed = resigned({ type: 'TrainingFailed', data: shared } as never, {
            ...{ failure: 'discarded', detail: 'x' },
            ...{ errorClass: null, errorFile: null, errorLine: null },
          });
          return { ...failed, data: { ...failed.data, note: SEALED } } as TrainingResult;
        },
        'a note of a human',
      ],
      [
        'of another training',
        (result) => resigned(result, { trainingId: 't-2' }),
        'is of training t-2',
      ],
      [
        'whose signed predictions are not the ones that came',
        (result) =>
          resigned(result, {
            predictions: {
              ...(result.data as { predictions: object }).predictions,
              sha256: 'cd'.repeat(32),
            },
          }),
        'sha256 of predictions.csv is',
      ],
      [
        'whose signed log is not the one that came',
        (result) => resigned(result, { log: { ...result.data.log, bytes: 1 } }),
        'bytes of log.txt is',
      ],
      [
        'of a program that ran with fewer layers than the study demands',
        (result) => resigned(result, { isolation: { layers: 'seccomp' } }),
        'ran without no-network',
      ],
      [
        'that names no layers',
        (result) => resigned(result, { isolation: {} }),
        'ran without no-network',
      ],
      [
        'that holds more than an event may',
        (result) => resigned(result, { score: 1 }),
        'is no event',
      ],
    ])('%s waits for an operator and is given to nobody', async (_, forge, says) => {
      forger(forge);
      let given = false;
      const asked = bull.queue.run(job('t-1')).finally(() => (given = true));
      asked.catch(() => undefined);
      const [letter] = await until(async () => {
        const found = await letters();
        expect(found).toHaveLength(1);
        return found;
      });
      expect(letter).toMatchObject({
        ...{ trainingId: 't-1', runId: 'r-1', studyId: 'pay', kind: 'result-refused' },
        runtime: jobs.runtime.sha256,
      });
      expect(letter?.reason).toContain(says);
      await until(() => {
        expect(bull.notices.join('\n')).toContain('waits for an operator');
      });
      expect(given).toBe(false);
      expect(jobs.runs('t-1')).toBe(1);
    });

    it('with other predictions than were signed is refused', async () => {
      bull.worker();
      bull.worker({ label: 'never used' });
      // Between the worker and the runner: as one who can write to Redis.
      const queue = bullQueue();
      try {
        jobs.behave('t-1', 'wait');
        const asked = bull.queue.run(job('t-1'));
        asked.catch(() => undefined);
        await jobs.begun('t-1');
        await bull.queue.close();
        jobs.release();
        await until(async () => {
          expect(await queue.getJobState('t-1')).toBe('completed');
        });
        const [key = ''] = await raw.keys(`${bull.prefix}:result:t-1:*`);
        const parcel = JSON.parse((await raw.get(key)) ?? '') as {
          files: Record<string, string>;
        };
        parcel.files['predictions.csv'] = Buffer.from('cell,p\n0,0.9\n1,0.9\n').toString('base64');
        await raw.set(key, JSON.stringify(parcel));
        const again = openBull(redis, jobs, { prefix: bull.prefix });
        again.queue.run(job('t-1')).catch(() => undefined);
        await until(async () => {
          expect((await again.queue.deadLetters.list())[0]?.reason).toContain('oid of predictions');
        });
        await again.close();
      } finally {
        await queue.close();
      }
    });

    it('that is larger than any may be is not even read', async () => {
      await bull.close();
      bull = openBull(redis, jobs, { maxResultBytes: 3 << 20 });
      bull.worker({
        ...{ lockMs: 10_000 },
        work: (slot) => async (asked, tell) => {
          const result = await jobs.work(slot)(asked, tell);
          return { ...result, data: { ...result.data, detail: 'x'.repeat(4 << 20) } } as never;
        },
      });
      const small = { ...job('t-1'), limits: { ...job('t-1').limits, outputMb: 0.001 } };
      bull.queue.run(small).catch(() => undefined);
      await until(async () => {
        expect((await letters())[0]?.reason).toContain('found no result');
      });
    });

    it('that was refused is made anew when an operator says so', async () => {
      let honest = false;
      forger((result) => (honest ? result : resigned(result, {}, generateKey())));
      const asked = bull.queue.run(job('t-1'));
      await until(async () => {
        expect(await letters()).toHaveLength(1);
      });
      honest = true;
      expect(await bull.queue.deadLetters.retry('t-1')).toBe(true);
      expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
      expect(await letters()).toEqual([]);
      expect(await bull.queue.deadLetters.retry('t-1')).toBe(false);
    });

    it('is kept for a runner that was away, and made anew when it is not kept any more', async () => {
      bull.worker();
      const result = await bull.queue.run(job('t-1'));
      const other = openBull(redis, jobs, { prefix: bull.prefix });
      expect(await other.queue.run(job('t-1'))).toEqual(result);
      expect(jobs.runs('t-1')).toBe(1);
      const [key = ''] = await raw.keys(`${bull.prefix}:result:t-1:*`);
      await raw.del(key);
      expect(await other.queue.run(job('t-1'))).toMatchObject({ data: { trainingId: 't-1' } });
      expect(jobs.runs('t-1')).toBe(2);
      await other.close();
    });

    it('goes to two runners that ask for the same training', async () => {
      const other = openBull(redis, jobs, { prefix: bull.prefix });
      jobs.behave('t-1', 'wait');
      const asked = [bull.queue.run(job('t-1')), other.queue.run(job('t-1'))];
      bull.worker();
      await jobs.begun('t-1');
      jobs.release();
      const [first, second] = await Promise.all(asked);
      expect(first).toEqual(second);
      expect(jobs.runs('t-1')).toBe(1);
      await other.close();
    });
  });

  describe('a training that could not be run', () => {
    it('is tried again, then waits for an operator, who lets it go on', async () => {
      jobs.behave('t-1', 'unavailable');
      bull.worker();
      const asked = bull.queue.run(job('t-1'));
      const [letter] = await until(async () => {
        const found = await letters();
        expect(found).toHaveLength(1);
        return found;
      });
      expect(letter).toMatchObject({ kind: 'failed', attempts: 3, reason: 'no namespaces today' });
      expect(jobs.runs('t-1')).toBe(3);
      jobs.behave('t-1', 'complete');
      expect(await bull.queue.deadLetters.retry('t-1')).toBe(true);
      expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
      expect(await letters()).toEqual([]);
    });

    it('is tried again in good time, whatever the clock of the host said where it failed', async () => {
      jobs.behave('t-1', 'unavailable');
      const ahead = bull.worker({
        work: (slot) => async (asked, tell) => {
          const now = Date.now();
          vi.spyOn(Date, 'now').mockReturnValue(now + 86_400_000);
          return jobs.work(slot)(asked, tell);
        },
      });
      const asked = bull.queue.run(job('t-1'));
      const queue = bullQueue();
      await until(async () => {
        expect(await queue.getDelayedCount()).toBe(1);
      });
      vi.restoreAllMocks();
      await ahead.close(100);
      jobs.behave('t-1', 'complete');
      bull.worker();
      expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
      await queue.close();
    });

    it('is given up when an operator discards it, for whoever asks later too', async () => {
      jobs.behave('t-1', 'unavailable');
      bull.worker();
      const asked = bull.queue.run(job('t-1'));
      asked.catch(() => undefined);
      await until(async () => {
        expect(await letters()).toHaveLength(1);
      });
      expect(await bull.queue.deadLetters.discard('t-1', SEALED)).toBe(true);
      const given = { name: 'TrainingAbandoned', reason: 'discarded', note: SEALED };
      await expect(asked).rejects.toMatchObject(given);
      await expect(bull.queue.run(job('t-1'))).rejects.toMatchObject(given);
      expect(await letters()).toEqual([]);
      expect(await bull.queue.deadLetters.discard('t-1', SEALED)).toBe(false);
    });

    it.each<[string, object, string]>([
      ['the program', { files: [] }, 'found the tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904'],
      ['the table', { table: 'AAAA' }, 'found the table'],
      ['the cells', { cells: 'AAAA' }, 'found the cells'],
      ['a path', { files: [{ path: '../x', mode: '100644', content: '' }] }, 'whose files is none'],
      ['a mode', { files: [{ path: 'x', mode: '120000', content: '' }] }, 'whose files is none'],
      ['its form', { more: 1 }, 'whose more is none'],
    ])('is not tried where %s was altered on the way', async (_, change, says) => {
      const queue = bullQueue();
      const asked = bull.queue.run(job('t-1'));
      asked.catch(() => undefined);
      try {
        const waiting = await until(async () => {
          const found = await queue.getJob('t-1');
          if (found === undefined) throw new Error('not there yet');
          return found;
        });
        await waiting.updateData({ ...(waiting.data as object), ...change });
        bull.worker();
        await until(async () => {
          expect((await letters())[0]?.reason).toContain(says);
        });
        expect(jobs.runs('t-1')).toBe(0);
      } finally {
        await queue.close();
      }
    });

    it('is refused at once where it is too large for the queue', async () => {
      const small = openBull(redis, jobs, { maxJobBytes: 100 });
      await expect(small.queue.run(job('t-1'))).rejects.toThrow(
        /makes a job of \d+ bytes, at most 100/,
      );
      const narrow = openBull(redis, jobs, { maxResultBytes: 1000 });
      await expect(narrow.queue.run(job('t-1'))).rejects.toThrow('may write 8 MiB');
      await Promise.all([small.close(), narrow.close()]);
    });
  });

  describe('a worker', () => {
    const otherRuntime = { name: 'node', version: 'v26.0.0', sha256: 'cd'.repeat(32) };

    it('takes no training of another runtime, and the runner says who it waits for', async () => {
      await bull.close();
      bull = openBull(redis, jobs, { noticeAfterMs: 300 });
      bull.worker({ runtime: otherRuntime, label: 'misfit' });
      const asked = bull.queue.run(job('t-1'));
      await until(() => {
        expect(bull.notices.join('\n')).toContain(
          'waits for a worker with node v24.0.0 (abababababab): misfit has node v26.0.0',
        );
      });
      expect(jobs.runs('t-1')).toBe(0);
      bull.worker();
      expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
      expect(await letters()).toEqual([]);
    });

    it('runs no training of another runtime that stands in its queue', async () => {
      const queue = bullQueue();
      const asked = bull.queue.run(job('t-1'));
      asked.catch(() => undefined);
      const waiting = await until(async () => {
        const found = await queue.getJob('t-1');
        if (found === undefined) throw new Error('not there yet');
        return found;
      });
      const data = waiting.data as { job: object };
      await waiting.updateData({ ...data, job: { ...data.job, runtime: otherRuntime } });
      await queue.close();
      bull.worker();
      await until(async () => {
        expect((await letters())[0]?.reason).toContain('the run pinned node v26.0.0');
      });
      expect(jobs.runs('t-1')).toBe(0);
    });

    it('runs one training a GPU, each on its own', async () => {
      const device = (index: number) => ({
        ...{ index, uuid: `GPU-${index}`, name: 'L4', memoryMb: 23034, driver: '550.54' },
      });
      const used: (string | undefined)[] = [];
      let most = 0;
      let now = 0;
      bull.worker({
        devices: [device(0), device(1)],
        work: (slot) => async (asked, tell) => {
          used.push(slot.device?.uuid);
          most = Math.max(most, (now += 1));
          await sleep(100);
          now -= 1;
          return jobs.work(slot)(asked, tell);
        },
      });
      await Promise.all(['t-1', 't-2', 't-3', 't-4'].map((id) => bull.queue.run(job(id))));
      expect(most).toBe(2);
      expect(new Set(used)).toEqual(new Set(['GPU-0', 'GPU-1']));
    });

    it('announces itself, and what it has under way', async () => {
      const worker = bull.worker({ label: 'gpu-host-1' });
      jobs.behave('t-1', 'wait');
      const asked = bull.queue.run(job('t-1'));
      await jobs.begun('t-1');
      const [announced] = await until(async () => {
        const found = await bull.queue.fleetAnnouncements();
        expect(found[0]?.underWay).toHaveLength(1);
        return found;
      });
      expect(announced).toMatchObject({
        ...{ keyId: jobs.key.keyId, publicKey: jobs.key.publicKey, label: 'gpu-host-1' },
        ...{ runtime: jobs.runtime, devices: [], executor: 'double' },
        underWay: [{ trainingId: 't-1', device: null }],
      });
      jobs.release();
      await asked;
      await worker.close(1000);
      expect(await bull.queue.fleetAnnouncements()).toEqual([]);
    });

    it('that lacks a layer which the study demands runs nothing, and says which', async () => {
      bull.worker();
      bull.queue.run({ ...job('t-1'), demanded: ['seccomp', 'landlock'] }).catch(() => undefined);
      await until(async () => {
        expect((await letters())[0]?.reason).toContain(
          'the study demands landlock, which programs do not have here',
        );
      });
      expect(jobs.runs('t-1')).toBe(0);
    });

    it('says by what its programs are contained, where an operator admitted it', async () => {
      expect(await bull.queue.places(jobs.runtime)).toEqual([]);
      bull.worker({ label: 'gpu-host-1' });
      bull.worker({ label: 'stranger', key: generateKey(), layers: ['landlock'] });
      bull.worker({ label: 'misfit', runtime: otherRuntime });
      await until(async () => {
        expect(await bull.queue.fleetAnnouncements()).toHaveLength(3);
      });
      expect(await bull.queue.places(jobs.runtime)).toEqual([
        { name: 'gpu-host-1', layers: ['no-network', 'seccomp'] },
      ]);
    });

    it('that says nonsense in Redis is not believed', async () => {
      await raw.sadd(`${bull.prefix}:fleet`, 'a', 'b', 'c', '../x', 'gone');
      await raw.set(`${bull.prefix}:fleet:a`, 'no JSON');
      await raw.set(`${bull.prefix}:fleet:b`, JSON.stringify({ publicKey: 'short' }));
      const { publicKey, keyId } = generateKey();
      const odd = { publicKey, keyId: 'forged', label: 'x\u001b[31m', devices: [null, 7] };
      await raw.set(`${bull.prefix}:fleet:c`, JSON.stringify(odd));
      expect(await bull.queue.fleetAnnouncements()).toMatchObject([{ keyId, label: 'x[31m' }]);
      expect(await raw.smembers(`${bull.prefix}:fleet`)).not.toContain('gone');
    });

    it('lets what it has under way end when it goes away', async () => {
      const worker = bull.worker();
      jobs.behave('t-1', 'wait');
      const asked = bull.queue.run(job('t-1'));
      await jobs.begun('t-1');
      const closed = worker.close(5000);
      const next = bull.queue.run(job('t-2'));
      await sleep(300);
      jobs.release();
      expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
      await closed;
      expect([jobs.runs('t-1'), jobs.runs('t-2')]).toEqual([1, 0]);
      bull.worker();
      await next;
    });

    it('hands back what does not end in time, and another worker takes it at once', async () => {
      const first = bull.worker({ lockMs: 60_000, lostCheckMs: 60_000 });
      jobs.behave('t-1', 'wait');
      const asked = bull.queue.run(job('t-1'));
      await jobs.begun('t-1');
      bull.worker({ lockMs: 60_000, lostCheckMs: 60_000 });
      await sleep(300);
      jobs.behave('t-1', 'complete');
      const began = performance.now();
      await first.close(50);
      expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
      expect(performance.now() - began).toBeLessThan(3000);
      expect(jobs.runs('t-1')).toBe(2);
      const queue = bullQueue();
      expect(await queue.getJob('t-1')).toMatchObject({ attemptsMade: 1, stalledCounter: 0 });
      await queue.close();
    });

    it('that another one replaced can not hand its result in', async () => {
      // Its lock is gone, so the job is given away while it still works.
      const slow = bull.worker({
        ...{ lockMs: 60_000, lostCheckMs: 100, label: 'slow' },
        work: (slot) => async (asked, tell) => {
          const result = await jobs.work(slot)(asked, tell);
          await raw.del(`${bull.prefix}:trainings-${jobs.runtime.sha256}:t-1:lock`);
          await sleep(1500);
          return result;
        },
      });
      const asked = bull.queue.run(job('t-1'));
      await jobs.begun('t-1');
      bull.worker({ lostCheckMs: 100 });
      expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
      expect(jobs.runs('t-1')).toBe(2);
      await slow.close(3000);
      const queue = bullQueue();
      expect(await queue.getJob('t-1')).toMatchObject({ attemptsMade: 1, stalledCounter: 1 });
      await queue.close();
    });
  });

  it('abandons a training whose workers were gone one after the other, and says so again', async () => {
    jobs.behave('t-1', 'wait');
    const asked = bull.queue.run(job('t-1'));
    asked.catch(() => undefined);
    const lock = `${bull.prefix}:trainings-${jobs.runtime.sha256}:t-1:lock`;
    // A worker that is gone is one whose lock is: three of them lose it.
    bull.worker({ concurrency: 5, lockMs: 60_000, lostCheckMs: 60 });
    for (let taken = 1; taken <= 3; taken += 1) {
      await jobs.begun('t-1', taken);
      await raw.del(lock);
    }
    await expect(asked).rejects.toMatchObject({
      ...{ name: 'TrainingAbandoned', reason: 'worker-lost', attempts: 3, trainingId: 't-1' },
    });
    await expect(bull.queue.run(job('t-1'))).rejects.toBeInstanceOf(TrainingAbandoned);
    expect(await letters()).toMatchObject([{ kind: 'worker-lost', attempts: 3 }]);
    expect(jobs.runs('t-1')).toBe(3);
  });

  it('records an abandoned training as a failure that the pinned worker key signs', async () => {
    const error = new TrainingAbandoned(
      { trainingId: 't-1', reason: 'worker-lost', attempts: 3, note: null },
      '3 workers were gone',
    );
    const result = await abandonedResult(jobs, job('t-1'), error);
    expect(result).toMatchObject({
      type: 'TrainingFailed',
      data: {
        ...{ failure: 'worker-lost', detail: '3 workers were gone', durationMs: 0 },
        isolation: { executor: 'none', reason: 'worker-lost' },
      },
    });
    expect(eventProblems(result)).toEqual([]);
    const { data } = result;
    expect(verify(jobs.key.publicKey, 'training', trainingAttestation(data), data.signature)).toBe(
      true,
    );
    expect(await jobs.sourceTree.readText(data.log.oid)).toMatchObject({
      value: expect.stringContaining('3 workers were gone') as string,
    });
  });

  it('lets studies go first by their priority', async () => {
    await bull.close();
    bull = openBull(redis, jobs, { priorityOf: (study) => (study === 'urgent' ? 1 : 2) });
    const asked = ['t-1', 't-2', 't-3'].map((id) =>
      bull.queue.run({ ...job(id), studyId: id === 't-3' ? 'urgent' : 'pay' }),
    );
    const queue = bullQueue();
    await until(async () => {
      expect(await queue.getPrioritizedCount()).toBe(3);
    });
    await queue.close();
    const order: string[] = [];
    bull.worker({
      work: (slot) => (one, tell) => {
        order.push(one.trainingId);
        return jobs.work(slot)(one, tell);
      },
    });
    await Promise.all(asked);
    expect(order[0]).toBe('t-3');
  });

  it('begins no more in a time than the limiter lets it', async () => {
    bull.worker({ concurrency: 4, limiter: { max: 2, durationMs: 600 } });
    const began = performance.now();
    await Promise.all(['t-1', 't-2', 't-3', 't-4'].map((id) => bull.queue.run(job(id))));
    expect(performance.now() - began).toBeGreaterThan(550);
  });

  it('passes the trace context through', async () => {
    await bull.close();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    bull = openBull(redis, jobs, { traceparent: () => traceparent });
    bull.worker();
    await bull.queue.run(job('t-1'));
    const queue = bullQueue();
    expect(((await queue.getJob('t-1'))?.data as { traceparent: string }).traceparent).toBe(
      traceparent,
    );
    await queue.close();
  });

  it('runs again what a Redis lost that was emptied', async () => {
    jobs.behave('t-1', 'wait');
    const asked = bull.queue.run(job('t-1'));
    const queue = bullQueue();
    await until(async () => {
      expect(await queue.getJobState('t-1')).not.toBe('unknown');
    });
    await raw.flushall();
    await until(async () => {
      expect(await queue.getJobState('t-1')).not.toBe('unknown');
    });
    bull.worker();
    await jobs.begun('t-1');
    await raw.flushall();
    jobs.behave('t-1', 'complete');
    jobs.release();
    expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
    await queue.close();
  });

  it('closes while a training is waited for, and leaves it there', async () => {
    const asked = bull.queue.run(job('t-1'));
    const refused = expect(asked).rejects.toThrow('the queue was closed');
    const queue = bullQueue();
    await until(async () => {
      expect(await queue.getJobState('t-1')).not.toBe('unknown');
    });
    await bull.queue.close();
    await refused;
    expect(await queue.getJobState('t-1')).not.toBe('unknown');
    await queue.close();
  });
});

describe.skipIf(!hasRedis)('a user of Redis with the rights that the how-to gives', () => {
  it('can do all that a runner and a worker do, and touch nothing else', async () => {
    const redis = await startRedis();
    const jobs = await testJobs();
    const root = new Redis(redis.connection);
    const howTo = await readFile(
      new URL('../../../../docs/how-to/run-workers.md', import.meta.url),
      'utf8',
    );
    const rights = /^ACL SETUSER holdfast (.*)$/m.exec(howTo)?.[1] ?? '';
    const [first = '', ...more] = rights.replace('PASSWORD', 'horse').split(' ');
    await root.acl('SETUSER', 'holdfast', first, ...more);
    const connection = { ...redis.connection, username: 'holdfast', password: 'horse' };
    const bull = openBull({ connection }, jobs, { prefix: 'holdfast' });
    bull.worker();
    jobs.behave('t-2', 'unavailable');
    expect(await bull.queue.run(exampleJob(jobs, 't-1'))).toMatchObject({
      type: 'TrainingCompleted',
    });
    const second = bull.queue.run(exampleJob(jobs, 't-2'));
    second.catch(() => undefined);
    await vi.waitFor(async () => {
      expect(await bull.queue.deadLetters.list()).toHaveLength(1);
    });
    expect(await bull.queue.fleetAnnouncements()).toHaveLength(1);
    jobs.behave('t-2', 'complete');
    await bull.queue.deadLetters.retry('t-2');
    expect(await second).toMatchObject({ type: 'TrainingCompleted' });
    await bull.close();
    expect(bull.notices.filter((notice) => /NOPERM/.test(notice))).toEqual([]);
    const holder = new Redis(connection);
    await expect(holder.get('else')).rejects.toThrow('NOPERM');
    await expect(holder.flushall()).rejects.toThrow('NOPERM');
    await expect(holder.config('GET', '*')).rejects.toThrow('NOPERM');
    holder.disconnect();
    root.disconnect();
    await redis.remove();
    await jobs.remove();
  });
});

it.skipIf(!hasRedis)(
  'a worker that Redis refuses everything says so, and asks now and then',
  async () => {
    const redis = await startRedis();
    const jobs = await testJobs();
    const root = new Redis(redis.connection);
    await root.acl('SETUSER', 'nobody', 'on', '>horse', '~other:*', '+@all');
    const connection = { ...redis.connection, username: 'nobody', password: 'horse' };
    const bull = openBull({ connection }, jobs);
    bull.worker();
    await sleep(2500);
    expect(bull.notices.join('\n')).toContain('worker: Redis: NOPERM');
    const refusals = (await root.acl('LOG')) as readonly (readonly unknown[])[];
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.reduce((sum, [, count]) => sum + Number(count), 0)).toBeLessThan(100);
    // Let in, it works.
    await root.acl('SETUSER', 'nobody', `~${bull.prefix}:*`);
    expect(await bull.queue.run(exampleJob(jobs, 't-1'))).toMatchObject({
      type: 'TrainingCompleted',
    });
    await bull.close();
    root.disconnect();
    await redis.remove();
    await jobs.remove();
  },
);

describe.skipIf(!hasRedis)('a Redis that is away', () => {
  it('is waited for, and does not keep anybody from closing', async () => {
    const redis = await startRedis({ appendOnly: true });
    const jobs = await testJobs();
    const bull = openBull(redis, jobs);
    bull.worker();
    await bull.queue.run(exampleJob(jobs, 't-1'));
    await redis.kill();
    const asked = bull.queue.run(exampleJob(jobs, 't-2'));
    asked.catch(() => undefined);
    await sleep(1500);
    expect(bull.notices.join('\n')).toContain('ECONNREFUSED');
    // Said now and then, not at every attempt.
    expect(bull.notices.length).toBeLessThan(20);
    await redis.start();
    expect(await asked).toMatchObject({ type: 'TrainingCompleted' });
    await redis.kill();
    const began = performance.now();
    await bull.close();
    expect(performance.now() - began).toBeLessThan(8000);
    await redis.remove();
    await jobs.remove();
  });

  it('says nothing of a password, whatever goes wrong', async () => {
    const redis = await startRedis({ password: 'right-horse' });
    const jobs = await testJobs();
    const wrong = { ...redis.connection, username: 'default', password: 'wrong-battery' };
    const bull = openBull({ connection: wrong }, jobs);
    bull.worker();
    const asked = bull.queue.run(exampleJob(jobs, 't-1'));
    const failure = asked.catch((error: unknown) => error);
    await vi.waitFor(() => {
      expect(bull.notices.join('\n')).toMatch(/WRONGPASS|NOAUTH/);
    });
    await bull.close();
    const said = inspect([bull.notices, await failure], { depth: 9, showHidden: true });
    expect(said).not.toMatch(/horse|battery/);
    await redis.remove();
    await jobs.remove();
  });
});
