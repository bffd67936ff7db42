import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openHome, type Home } from '#apps/runner';
import { TrainingAbandoned, type TrainingQueue } from '#libs/jobs';
import { deriveId, type Fact } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { eventsOf } from '../support/events.ts';
import { follow } from '../support/follow.ts';
import { prepare } from '../support/prepared.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, SHORT_RUN } from '../support/scripted-agent.ts';
import { trainingFleet } from '../support/training-fleet.ts';

const PATIENCE = 120_000;

describe.skipIf(!hasRedis)('a whole run whose trainings go to workers', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  const runEvents = (home: Home) => eventsOf<RunEvent>(home, 'run-parcels-1');

  const admit = async (
    home: Home,
    { keyId, publicKey }: { readonly keyId: string; readonly publicKey: string },
  ) => {
    const admitted: Fact = { type: 'WorkerAdmitted', data: { keyId, publicKey, label: 'host-0' } };
    const appended = await home.log.append('fleet', 'no-stream', [
      {
        ...admitted,
        id: deriveId('admit', keyId),
        metadata: {
          ...{ correlationId: 'fleet', causationId: 'test', time: home.clock.now() },
          ...{ actor: { role: 'operator', id: 'test' }, schemaVersion: 1 },
        },
      },
    ]);
    good(appended);
  };

  const opened = async (
    through: (queue: TrainingQueue) => TrainingQueue,
    { workers = 1 } = {},
  ): Promise<{
    readonly home: Home;
    readonly study: string;
    /** Whether no training waits for a worker. */
    readonly idle: () => Promise<boolean>;
  }> => {
    const redis = await startRedis();
    ends.push(redis.remove);
    const prepared = await prepare();
    ends.push(prepared.remove);
    const folder = await prepared.home();
    const { host, port } = redis.connection;
    const home = good(
      await openHome({ folder, redis: `redis://${host}:${port}`, throughQueue: through }),
    );
    ends.push(() => home.close());
    const fleet = await trainingFleet(redis, {
      sourceTree: home.sourceTree,
      trusted: home.admittedKey,
    });
    ends.push(fleet.remove);
    if (workers > 0) await admit(home, await fleet.start());
    const raw = new Redis({ host, port });
    ends.push(async () => raw.disconnect());
    const idle = async () => (await raw.keys('holdfast:trainings-*:prioritized')).length === 0;
    return { home, study: prepared.study, idle };
  };

  it(
    'is proved with the keys of the workers in its own chain',
    async () => {
      const { home, study } = await opened((queue) => queue);
      const state = good(await follow(home, study, scriptedAgent(SHORT_RUN)));
      expect(state.node).toBe('sealed');
      const events = await runEvents(home);
      const enlisted = events.filter(({ type }) => type === 'WorkerEnlisted');
      expect(enlisted).toHaveLength(1);
      const results = events.filter(({ type }) => type === 'TrainingCompleted');
      expect(results.length).toBeGreaterThan(3);
      const { keyId } = enlisted[0]?.data as { keyId: string };
      for (const { data } of results)
        expect((data as { signature: { keyId: string } }).signature.keyId).toBe(keyId);
      const closed = events.find(({ type }) => type === 'RunClosed')?.data as {
        findings: readonly { verdict: string }[];
      };
      expect(closed.findings.map(({ verdict }) => verdict)).toContain('PASS');
    },
    PATIENCE,
  );

  it(
    'records a training that no worker lived to end once, and is proved all the same',
    async () => {
      let asked = 0;
      const { home, study } = await opened((queue) => ({
        ...queue,
        run: (job, onProgress) => {
          asked += 1;
          return asked === 4
            ? Promise.reject(
                new TrainingAbandoned(
                  { trainingId: job.trainingId, reason: 'worker-lost', attempts: 3, note: null },
                  '3 workers were gone',
                ),
              )
            : queue.run(job, onProgress);
        },
      }));
      good(await follow(home, study, scriptedAgent(SHORT_RUN)));
      const events = await runEvents(home);
      const failed = events.filter(({ type }) => type === 'TrainingFailed');
      expect(failed).toHaveLength(1);
      expect(failed[0]?.data).toMatchObject({
        failure: 'worker-lost',
        signature: { keyId: home.keys.worker.keyId },
      });
      const at = events.indexOf(failed[0]!);
      expect(events[at + 1]).toMatchObject({
        type: 'MutationReverted',
        data: { reason: 'training-failed' },
      });
      const closed = events.find(({ type }) => type === 'RunClosed')?.data as {
        findings: readonly { verdict: string }[];
      };
      expect(closed.findings.length).toBeGreaterThan(0);
      for (const { verdict } of closed.findings) expect(verdict).toBe('PASS');
    },
    PATIENCE,
  );

  it(
    'ends at once where a human halts it while its training waits, and leaves no job behind',
    async () => {
      const { home, study, idle } = await opened((queue) => queue, { workers: 0 });
      const followed = follow(home, study, scriptedAgent(SHORT_RUN));
      const node = async () => (await home.runs.load('parcels-1')).state.node;
      await vi.waitFor(async () => expect(await node()).toBe('training'), 10_000);
      await vi.waitFor(async () => expect(await idle()).toBe(false), 10_000);
      const halt = { type: 'HaltRun', id: 'halt', data: { reason: SEALED } } as const;
      good(await home.runs.send('parcels-1', halt, { role: 'researcher', id: 'test' }));
      expect(good(await followed).node).toBe('sealed');
      expect((await runEvents(home)).at(-1)?.type).toBe('RunHeadSigned');
      await vi.waitFor(async () => expect(await idle()).toBe(true), 10_000);
    },
    PATIENCE,
  );
});
