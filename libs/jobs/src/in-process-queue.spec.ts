import { describe, expect, it } from 'vitest';
import { inProcessQueue, type TrainingJob, type TrainingQueue } from './index.ts';

type Result = Awaited<ReturnType<TrainingQueue['run']>>;

const job = (trainingId: string) => ({ trainingId }) as TrainingJob;
const resultOf = (trainingId: string) =>
  ({ type: 'TrainingTimedOut', data: { trainingId } }) as Result;

/** Work that ends when the test says so. */
const workshop = () => {
  const begun: string[] = [];
  const ends = new Map<string, { done: () => void; fail: (error: Error) => void }>();
  const queue = inProcessQueue(
    ({ trainingId }) =>
      new Promise((resolve, reject) => {
        begun.push(trainingId);
        ends.set(trainingId, {
          done: () => {
            resolve(resultOf(trainingId));
          },
          fail: reject,
        });
      }),
    [],
  );
  const end = (trainingId: string) => {
    const found = ends.get(trainingId);
    if (found === undefined) throw new Error(`${trainingId} has not begun`);
    return found;
  };
  return { queue, begun, end };
};

/** Lets everything happen that waits for nothing but its turn. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the in-process queue', () => {
  it('gives the same promise for the same training, and runs it once', async () => {
    const { queue, begun, end } = workshop();
    const first = queue.run(job('a'));
    expect(queue.run(job('a'))).toBe(first);
    await settle();
    expect(queue.run(job('a'))).toBe(first);
    end('a').done();
    expect(await first).toEqual(resultOf('a'));
    expect(begun).toEqual(['a']);
  });

  it('runs one training after the other, in the order in which they came', async () => {
    const { queue, begun, end } = workshop();
    const results = ['a', 'b', 'c'].map((id) => queue.run(job(id)));
    await settle();
    expect(begun).toEqual(['a']);
    end('a').done();
    await settle();
    expect(begun).toEqual(['a', 'b']);
    end('b').done();
    await settle();
    end('c').done();
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c'].map(resultOf));
  });

  it('is not blocked by a training that fails, and says of it what went wrong', async () => {
    const { queue, end } = workshop();
    const failing = queue.run(job('a'));
    const next = queue.run(job('b'));
    const refused = expect(failing).rejects.toThrow('no sandbox');
    await settle();
    end('a').fail(new Error('no sandbox'));
    await refused;
    await settle();
    end('b').done();
    expect(await next).toEqual(resultOf('b'));
  });

  it('is not blocked by work that throws before it starts', async () => {
    const queue = inProcessQueue(({ trainingId }) => {
      if (trainingId === 'a') throw new Error('no folder');
      return Promise.resolve(resultOf(trainingId));
    }, []);
    const failing = queue.run(job('a'));
    const next = queue.run(job('b'));
    await expect(failing).rejects.toThrow('no folder');
    expect(await next).toEqual(resultOf('b'));
  });

  it('runs a training anew when it is asked for after its end: whoever records results takes one', async () => {
    const { queue, begun, end } = workshop();
    const first = queue.run(job('a'));
    await settle();
    end('a').fail(new Error('no sandbox'));
    await expect(first).rejects.toThrow('no sandbox');
    const second = queue.run(job('a'));
    expect(second).not.toBe(first);
    await settle();
    end('a').done();
    expect(await second).toEqual(resultOf('a'));
    expect(begun).toEqual(['a', 'a']);
  });

  it('says what contains its programs', async () => {
    const queue = inProcessQueue(() => Promise.reject(new Error('nothing runs')), ['seccomp']);
    const runtime = { name: 'node', version: 'v24.0.0', sha256: 'ab'.repeat(32) };
    expect(await queue.places(runtime)).toEqual([{ name: 'this machine', layers: ['seccomp'] }]);
  });

  it('passes progress on', async () => {
    const told: number[] = [];
    const queue = inProcessQueue(({ trainingId }, onProgress) => {
      onProgress?.({ trainingId, step: 3, of: 10 });
      return Promise.resolve(resultOf(trainingId));
    }, []);
    await queue.run(job('a'), ({ step }) => told.push(step));
    expect(told).toEqual([3]);
  });
});
