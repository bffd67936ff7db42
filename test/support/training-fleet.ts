import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rm } from 'node:fs/promises';
import { LAYERS_BY_DEFAULT } from '#libs/harness';
import { eventTypes } from '#libs/event-log';
import {
  openBullTrainingQueue,
  TrainingAbandoned,
  type BullTrainingQueue,
  type BullTrainingQueueOptions,
  type TrainingJob,
  type TrainingRuntime,
} from '#libs/jobs';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import type { TrainingResult } from '#libs/run';
import { runtimeDigest } from '#libs/sandbox';
import { trainingAttestation, verify } from '#libs/signatures';
import { openSourceTree, type SourceTree } from '#libs/source-tree';
import { temporaryFolder } from './prepared.ts';
import type { TestRedis } from './redis.ts';
import { good } from './results.ts';

const PROCESS = join(import.meta.dirname, 'worker-process.ts');

/** Waits as many milliseconds as it is told steps, and predicts what the seed says. */
const PROGRAM = `
import { readFileSync, writeFileSync } from 'node:fs';
const { seed, steps } = JSON.parse(readFileSync('/task/task.json', 'utf8'));
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, steps);
writeFileSync('/out/predictions.csv', 'cell,p\\n0,' + seed / 100_000 + '\\n1,0.5\\n');
writeFileSync('/out/report.json', JSON.stringify({ steps }));
`;

/** Writes more than it may. */
const FLOOD = `
import { writeFileSync } from 'node:fs';
writeFileSync('/out/predictions.csv', 'x'.repeat(5_000_000));
`;

export interface WorkerProcess {
  readonly keyId: string;
  readonly publicKey: string;
  readonly process: ChildProcess;
  readonly notices: string[];
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
}

/** A runner's side, and workers in processes of their own, with keys of their own, all admitted when they start. */
export interface TrainingFleet {
  readonly queue: BullTrainingQueue;
  readonly sourceTree: SourceTree;
  readonly job: (nth: number, milliseconds?: number) => TrainingJob;
  readonly start: (more?: {
    readonly concurrency?: number;
    readonly lockMs?: number;
    readonly lostCheckMs?: number;
    /** A clock that jumps up to a day to and fro, several times a second. */
    readonly jumpingClock?: boolean;
  }) => Promise<WorkerProcess>;
  /** What is wrong with a result of the nth training; null where nothing is. */
  readonly wrong: (nth: number, result: TrainingResult) => Promise<string | null>;
  readonly notices: string[];
  readonly remove: () => Promise<void>;
}

const types = eventTypes(EVENT_TYPES);
const JUMPING = `data:text/javascript,${encodeURIComponent(
  'const now = Date.now.bind(Date); let by = 0;' +
    'setInterval(() => { by = (Math.random() - 0.5) * 2 * 86_400_000; }, 150).unref();' +
    'Date.now = () => Math.round(now() + by);',
)}`;

export const trainingFleet = async (
  redis: TestRedis,
  more: Partial<BullTrainingQueueOptions> = {},
): Promise<TrainingFleet> => {
  const folder = await temporaryFolder();
  const sourceTree = await openSourceTree({ dir: join(folder, 'objects.git') });
  const stored = async (ref: string, files: Readonly<Record<string, string>>) =>
    good(
      await sourceTree.writeArtefacts({
        ref,
        files: Object.fromEntries(
          Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]),
        ),
      }),
    );
  const program = await stored('program', { 'train.js': PROGRAM, 'flood.js': FLOOD });
  const data = await stored('data', { 'train.csv': 'a,n\nx,1\n', 'cells.csv': 'cell,a\n0,x\n' });
  const oidOf = (name: string): string => data.files.find(({ path }) => path === name)?.oid ?? '';
  const runtime: TrainingRuntime = {
    name: 'node',
    version: process.version,
    sha256: await runtimeDigest(process.execPath),
  };
  const admitted = new Map<string, string>();
  const notices: string[] = [];
  const queue = await openBullTrainingQueue({
    ...{ connection: redis.connection, sourceTree, pollMs: 200, backoffMs: 50 },
    trusted: (keyId) => Promise.resolve(admitted.get(keyId) ?? null),
    problems: ({ type, data: said }) =>
      types
        .problems(
          { type, data: said, metadata: { schemaVersion: schemaVersionOf(type) } } as never,
          type,
        )
        .map(({ path, message }) => `${path}: ${message}`),
    onNotice: (notice) => notices.push(notice),
    ...more,
  });
  const workers: WorkerProcess[] = [];

  const seedOf = (nth: number): number => 100 + nth;

  return {
    ...{ queue, sourceTree, notices },
    job: (nth, milliseconds = 0) => ({
      ...{ trainingId: `training-${nth}`, runId: 'r-1', studyId: 'pay', runtime },
      ...{ tree: program.tree, entry: 'train.js', seed: seedOf(nth), steps: milliseconds },
      ...{ table: oidOf('train.csv'), cells: oidOf('cells.csv'), cellCount: 2, outcome: 'y' },
      limits: { seconds: 30, memoryMb: 256, outputMb: 1, processes: 32 },
      demanded: LAYERS_BY_DEFAULT,
      dimensions: [{ name: 'a', labels: ['x', 'y'] }],
    }),
    start: async ({ jumpingClock = false, ...times } = {}) => {
      const options = {
        ...{ connection: redis.connection, version: '0', label: `host-${workers.length}` },
        keyFolder: join(folder, `keys-${workers.length}`),
        ...{ lockMs: 1000, lostCheckMs: 400, heartbeatMs: 500, ...times },
      };
      const child = spawn(
        process.execPath,
        [
          '--conditions=source',
          ...(jumpingClock ? ['--import', JUMPING] : []),
          PROCESS,
          JSON.stringify(options),
        ],
        // Its input ends with this process, and the worker with its input.
        { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } },
      );
      const said: string[] = [];
      createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
      const ended = once(child, 'exit');
      const [line] = (await Promise.race([
        once(createInterface({ input: child.stdout }), 'line'),
        ended.then(() => {
          throw new Error(`the worker ended: ${said.join('\n')}`);
        }),
      ])) as [string];
      const { keyId, publicKey } = JSON.parse(line) as { keyId: string; publicKey: string };
      admitted.set(keyId, publicKey);
      const worker: WorkerProcess = {
        ...{ keyId, publicKey, process: child, notices: said },
        kill: async () => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill('SIGKILL');
          await ended;
        },
      };
      workers.push(worker);
      return worker;
    },
    wrong: async (nth, result) => {
      if (result.type !== 'TrainingCompleted') return JSON.stringify(result).slice(0, 300);
      const { data: told } = result;
      const key = admitted.get(told.signature.keyId);
      if (key === undefined) return 'signed by nobody known';
      if (!verify(key, 'training', trainingAttestation(told), told.signature))
        return 'the signature does not hold';
      const predictions = good(await sourceTree.readText(told.predictions.oid));
      const expected = `cell,p\n0,${seedOf(nth) / 100_000}\n1,0.5\n`;
      return predictions === expected ? null : `predicted ${predictions}`;
    },
    remove: async () => {
      await queue.close();
      await Promise.all(workers.map((worker) => worker.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** How many trainings came to which end. */
export interface Tally {
  completed: number;
  abandoned: number;
  readonly wrong: string[];
}

/** Asks for trainings all at once, each once; what became of them as a runner would record it. */
export const runAll = async (
  fleet: TrainingFleet,
  nths: readonly number[],
  milliseconds = 0,
): Promise<Tally> => {
  const tally: Tally = { completed: 0, abandoned: 0, wrong: [] };
  await Promise.all(
    nths.map(async (nth) => {
      try {
        const result = await fleet.queue.run(fleet.job(nth, milliseconds));
        const wrong = await fleet.wrong(nth, result);
        if (wrong === null) tally.completed += 1;
        else tally.wrong.push(`${nth}: ${wrong}`);
      } catch (error) {
        if (!(error instanceof TrainingAbandoned)) throw error;
        tally.abandoned += 1;
      }
    }),
  );
  return tally;
};

/** Until `work` ends, kills one of the workers at random moments, and starts another in its place. */
export const killingWorkers = async <T>(
  fleet: TrainingFleet,
  count: number,
  everyMs: number,
  work: Promise<T>,
): Promise<{ readonly value: T; readonly kills: number }> => {
  const alive = await Promise.all(Array.from({ length: count }, () => fleet.start()));
  let kills = 0;
  let over = false;
  const ended = work.finally(() => (over = true));
  ended.catch(() => undefined);
  const isOver = (): boolean => over;
  while (!isOver()) {
    await Promise.race([
      ended.catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, everyMs * (0.2 + 1.6 * Math.random()))),
    ]);
    if (isOver()) break;
    const [victim] = alive.splice(Math.floor(Math.random() * alive.length), 1);
    await victim?.kill();
    kills += 1;
    alive.push(await fleet.start());
  }
  const value = await ended;
  await Promise.all(alive.map((worker) => worker.kill()));
  return { value, kills };
};

/** Until `work` ends, kills Redis now and then and starts it again a moment later. */
export const killingRedis = async <T>(
  redis: TestRedis,
  everyMs: number,
  most: number,
  work: Promise<T>,
): Promise<{ readonly value: T; readonly kills: number }> => {
  let kills = 0;
  let over = false;
  const ended = work.finally(() => (over = true));
  ended.catch(() => undefined);
  const isOver = (): boolean => over;
  while (!isOver() && kills < most) {
    await Promise.race([
      ended.catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, everyMs * (0.2 + 1.6 * Math.random()))),
    ]);
    if (isOver()) break;
    await redis.kill();
    kills += 1;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await redis.start();
  }
  return { value: await ended, kills };
};
