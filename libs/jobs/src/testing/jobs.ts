import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrainingResult } from '#libs/run';
import { SandboxUnavailable, type SandboxOutcome } from '#libs/sandbox';
import { generateKey, trainingAttestation, verify, type SigningKey } from '#libs/signatures';
import { openSourceTree, type SourceTree } from '#libs/source-tree';
import type { TrainingJob, TrainingQueue, TrainingRuntime } from '../port.ts';
import { trainingWorker } from '../training-worker.ts';

/** What the double of a sandbox does with a training. */
export type Behaviour = 'complete' | 'crash' | 'wait' | 'unavailable' | 'large';

/** A repository with one program, and a worker whose sandbox is a double: it runs nothing and does as it is told. */
export interface TestJobs {
  readonly sourceTree: SourceTree;
  readonly key: SigningKey;
  readonly tree: string;
  readonly table: string;
  readonly cells: string;
  readonly runtime: TrainingRuntime;
  /** The real worker on the double of a sandbox. */
  readonly work: (slot: {
    readonly sourceTree: SourceTree;
    readonly signal?: AbortSignal;
    readonly key?: SigningKey;
  }) => TrainingQueue['run'];
  readonly behave: (trainingId: string, behaviour: Behaviour) => void;
  /** Resolves when the training has begun so many times. */
  readonly begun: (trainingId: string, times?: number) => Promise<void>;
  readonly runs: (trainingId: string) => number;
  /** Lets those go on that wait. */
  readonly release: () => void;
  readonly predictions: (trainingId: string) => string;
  readonly verifies: (result: TrainingResult) => boolean;
  readonly remove: () => Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export const RUNTIME: TrainingRuntime = {
  name: 'node',
  version: 'v24.0.0',
  sha256: 'ab'.repeat(32),
};

/** What the double says contains its programs. */
export const LAYERS = ['no-network', 'seccomp'] as const;

export const testJobs = async (): Promise<TestJobs> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-jobs-test-'));
  const sourceTree = await openSourceTree({ dir: join(folder, 'objects.git') });
  const write = async (ref: string, files: Readonly<Record<string, string>>) => {
    const written = await sourceTree.writeArtefacts({
      ref,
      files: Object.fromEntries(
        Object.entries(files).map(([path, content]) => [path, text(content)]),
      ),
    });
    if (!written.ok) throw new Error(written.error.message);
    return written.value;
  };
  const program = await write('program', {
    'train.js': '// trains',
    'settings/deep/rate.json': '0.1',
    'settings/list.json': '[]',
  });
  const data = await write('data', { 'train.csv': 'a,b\n1,2\n', 'cells.csv': 'a\n1\n2\n' });
  const oidOf = (name: string) => data.files.find(({ path }) => path === name)?.oid ?? '';
  const key = generateKey();
  const behaviours = new Map<string, Behaviour>();
  const begun: string[] = [];
  let release = (): void => undefined;
  let released = new Promise<void>((resolve) => (release = resolve));

  const predictions = (trainingId: string): string => `cell,p\n0,0.${trainingId.length}\n1,0.25\n`;

  const outcome = (more: Partial<SandboxOutcome>): SandboxOutcome =>
    ({
      ...{ ended: 'exited', exitCode: 0, signal: null, durationMs: 12, refusedFiles: [] },
      ...{ files: [], stdout: 'trained\n', stderr: '', truncated: false },
      isolation: { kind: 'double', limits: null, layers: LAYERS },
      ...more,
    }) as unknown as SandboxOutcome;

  const work: TestJobs['work'] =
    ({ sourceTree: at, signal, key: signer = key }) =>
    (job, onProgress) =>
      trainingWorker({
        sourceTree: at,
        key: signer,
        executor: {
          ...{ kind: 'sandbox', runtime: RUNTIME, device: null, layers: LAYERS },
          run: async ({ onOutput }) => {
            const behaviour = behaviours.get(job.trainingId) ?? 'complete';
            begun.push(job.trainingId);
            onOutput?.('{"step":1,"of":2}');
            if (behaviour === 'unavailable') throw new SandboxUnavailable('no namespaces today');
            if (behaviour === 'crash') return outcome({ exitCode: 3, stderr: 'Error: no' });
            if (behaviour === 'wait') {
              const aborted = new Promise<void>((resolve) => {
                signal?.addEventListener('abort', () => {
                  resolve();
                });
              });
              await Promise.race([released, aborted]);
              if (signal?.aborted === true) return outcome({ ended: 'aborted', exitCode: null });
            }
            const content = text(
              behaviour === 'large' ? 'x'.repeat(1 << 20) : predictions(job.trainingId),
            );
            return outcome({
              files: [
                { path: 'predictions.csv', content },
                { path: 'report.json', content: text('{"steps":2}') },
              ],
            });
          },
        },
      })(job, onProgress);

  return {
    ...{ sourceTree, key, tree: program.tree, work, runtime: RUNTIME, predictions },
    table: oidOf('train.csv'),
    cells: oidOf('cells.csv'),
    behave: (trainingId, behaviour) => behaviours.set(trainingId, behaviour),
    runs: (trainingId) => begun.filter((id) => id === trainingId).length,
    begun: async (trainingId, times = 1) => {
      for (let waited = 0; waited < 20_000; waited += 10) {
        if (begun.filter((id) => id === trainingId).length >= times) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`${trainingId} did not begin ${times} times`);
    },
    release: () => {
      release();
      released = new Promise<void>((resolve) => (release = resolve));
    },
    verifies: ({ data }) =>
      verify(key.publicKey, 'training', trainingAttestation(data), data.signature),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};

export const exampleJob = (
  { tree, table, cells, runtime }: Pick<TestJobs, 'tree' | 'table' | 'cells' | 'runtime'>,
  trainingId: string,
): TrainingJob => ({
  ...{ trainingId, runId: 'r-1', studyId: 'pay', runtime, tree, table, cells },
  ...{ entry: 'train.js', seed: 7, steps: null, cellCount: 2, outcome: 'high pay' },
  limits: { seconds: 5, memoryMb: 256, outputMb: 8, processes: 16 },
  demanded: ['no-network'],
  dimensions: [{ name: 'a', labels: ['1', '2'] }],
});
