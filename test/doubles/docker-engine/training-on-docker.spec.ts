import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAYERS_BY_DEFAULT } from '#libs/harness';
import { openDockerExecutor } from '#libs/executors';
import { type TrainingJob, trainingWorker } from '#libs/jobs';
import { openKey } from '#libs/signatures';
import { openSourceTree, type SourceTree } from '#libs/source-tree';
import { type DockerEngineDouble, openDockerEngineDouble } from './docker-engine-double.ts';
import { DOUBLE_IMAGE } from './program.ts';

/* A whole training, from its tree to its signed result, on the double of a Docker engine. */

const LOCK = '{"name":"program","lockfileVersion":3}\n';
const PROGRAM = `
import { readFileSync, writeFileSync } from 'node:fs';
const { seed } = JSON.parse(readFileSync('/task/task.json', 'utf8'));
if (seed === 13) throw new RangeError('unlucky');
const cells = readFileSync('/data/cells.csv', 'utf8').trim().split('\\n').slice(1);
writeFileSync('/out/predictions.csv', 'cell,p\\n' + cells.map((line) => line.split(',')[0] + ',0.5\\n').join(''));
writeFileSync('/out/report.json', '{"steps":1}');
console.log('{"step":1,"of":1}');
`;

describe('a training on a Docker engine (a double)', () => {
  let folder: string;
  let engine: DockerEngineDouble;
  let sourceTree: SourceTree;
  let job: TrainingJob;
  let train: ReturnType<typeof trainingWorker>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-training-on-docker-'));
    const workFolder = join(folder, 'work');
    await mkdir(workFolder);
    engine = await openDockerEngineDouble(join(folder, 'docker.sock'));
    const executor = await openDockerExecutor({
      engine: { socketPath: engine.socketPath },
      image: DOUBLE_IMAGE.reference,
      command: DOUBLE_IMAGE.command,
      worker: 'host-a/0',
      workFolder,
    });
    const key = await openKey(join(folder, 'keys'), 'worker');
    if (!executor.ok || !key.ok) throw new Error('not opened');
    sourceTree = await openSourceTree({ dir: join(folder, 'objects.git') });
    const keep = async (ref: string, files: Readonly<Record<string, string>>) => {
      const bytes = Object.entries(files).map(
        ([name, text]) => [name, new TextEncoder().encode(text)] as const,
      );
      const kept = await sourceTree.writeArtefacts({ ref, files: Object.fromEntries(bytes) });
      if (!kept.ok) throw new Error(kept.error.message);
      return kept.value;
    };
    const { tree } = await keep('runs/pay-1/program', {
      'train.mjs': PROGRAM,
      'package-lock.json': LOCK,
    });
    const { files } = await keep('runs/pay-1/data', {
      'train.csv': 'cell,level,n,positive\n0,a,100,20\n',
      'cells.csv': 'cell,level\n0,a\n1,b\n',
    });
    const oid = (name: string) => files.find(({ path }) => path === name)?.oid ?? '';
    job = {
      trainingId: 't-1',
      runId: 'pay-1',
      studyId: 'pay',
      runtime: executor.value.runtime,
      tree,
      entry: 'train.mjs',
      seed: 1,
      steps: null,
      limits: { seconds: 20, memoryMb: 256, processes: 32, outputMb: 1 },
      demanded: LAYERS_BY_DEFAULT,
      table: oid('train.csv'),
      cells: oid('cells.csv'),
      cellCount: 2,
      outcome: 'y',
      dimensions: [{ name: 'level', labels: ['a', 'b'] }],
    };
    train = trainingWorker({ sourceTree, executor: executor.value, key: key.value });
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('ends in a signed result that says what ran it', async () => {
    const steps: number[] = [];
    const result = await train(job, ({ step }) => steps.push(step));
    expect(result).toMatchObject({ type: 'TrainingCompleted', data: { steps: 1 } });
    expect(steps).toEqual([1]);
    expect(result.data.isolation).toMatchObject({
      kind: 'docker',
      network: 'none',
      executor: 'docker',
      runtime_name: 'oci-image',
      runtime_version: 'registry.example/holdfast/node',
      runtime_sha256: '5e'.repeat(32),
      device: null,
      lockfile: createHash('sha256').update(LOCK).digest('hex'),
      lockfile_name: 'package-lock.json',
      limit_memoryMb: 256,
    });
    expect(engine.created[0]?.Labels).toMatchObject({
      'holdfast.run': 'pay-1',
      'holdfast.training': 't-1',
    });
  });

  it('tells the site of a crash as the sandbox does', async () => {
    expect(await train({ ...job, trainingId: 't-2', seed: 13 })).toMatchObject({
      type: 'TrainingFailed',
      data: {
        failure: 'crashed',
        errorClass: 'RangeError',
        errorFile: 'train.mjs',
        errorLine: 4,
        isolation: { executor: 'docker' },
      },
    });
  });
});
