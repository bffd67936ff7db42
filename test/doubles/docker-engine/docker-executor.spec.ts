import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Device,
  type DockerOptions,
  type Executor,
  type ExecutorJob,
  openDockerExecutor,
} from '#libs/executors';
import { executorContract } from '../../../libs/executors/src/executor.contract.ts';
import { type DockerEngineDouble, openDockerEngineDouble } from './docker-engine-double.ts';
import { DOUBLE_IMAGE } from './program.ts';

/*
 * The Docker adapter against a double of the engine: what it asks for, and what it makes of the answers. What a real
 * engine does with what it is asked was not seen here. With HOLDFAST_TEST_DOCKER=1, an engine at
 * HOLDFAST_TEST_DOCKER_SOCKET (default /var/run/docker.sock) and a Node image HOLDFAST_TEST_DOCKER_IMAGE
 * (name@sha256:…, pulled), the same contract runs on that.
 */

const good = async (options: DockerOptions): Promise<Executor> => {
  const opened = await openDockerExecutor(options);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

const folders = async (root: string): Promise<string[]> =>
  (await Promise.all((await readdir(root)).map((name) => readdir(join(root, name))))).flat();

const doubleOptions = (engine: DockerEngineDouble, workFolder: string): DockerOptions => ({
  engine: { socketPath: engine.socketPath },
  image: DOUBLE_IMAGE.reference,
  command: DOUBLE_IMAGE.command,
  worker: 'host-a/0',
  workFolder,
});

executorContract(
  'Docker, on a double of the engine',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-docker-double-'));
    const workFolder = join(folder, 'work');
    await mkdir(workFolder);
    const engine = await openDockerEngineDouble(join(folder, 'docker.sock'));
    return {
      executor: await good(doubleOptions(engine, workFolder)),
      leftovers: async () => [...engine.containers(), ...(await folders(workFolder))],
      close: async () => {
        await engine.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  { streams: 'apart', slackMs: 1000, sameMachine: true },
);

describe.runIf(process.env.HOLDFAST_TEST_DOCKER === '1')('with a real engine', () => {
  executorContract(
    'Docker',
    async () => {
      const socketPath = process.env.HOLDFAST_TEST_DOCKER_SOCKET ?? '/var/run/docker.sock';
      const workFolder = await mkdtemp(join(tmpdir(), 'holdfast-docker-'));
      const docker = new Docker({ socketPath });
      const label = 'holdfast.worker=holdfast-test';
      return {
        executor: await good({
          engine: { socketPath },
          image: process.env.HOLDFAST_TEST_DOCKER_IMAGE ?? '',
          worker: 'holdfast-test',
          workFolder,
        }),
        leftovers: async () => [
          ...(await docker.listContainers({ all: true, filters: { label: [label] } })).map(
            ({ Id }) => Id,
          ),
          ...(await folders(workFolder)),
        ],
        close: () => rm(workFolder, { recursive: true, force: true }),
      };
    },
    { streams: 'apart', slackMs: 3000, sameMachine: true },
  );
});

describe('the Docker executor', () => {
  let folder: string;
  let workFolder: string;
  let program: string;
  let engine: DockerEngineDouble;
  let options: DockerOptions;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-docker-executor-'));
    program = join(folder, 'program');
    await mkdir(program);
    await writeFile(join(program, 'train.mjs'), `setTimeout(() => console.log('ran'), 300);`);
    await writeFile(join(program, 'long.mjs'), `setTimeout(() => {}, 15_000);`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    workFolder = await mkdtemp(join(folder, 'work-'));
    engine = await openDockerEngineDouble(join(workFolder, '..', 'docker.sock'));
    options = doubleOptions(engine, workFolder);
  });
  afterEach(() => engine.close());

  const job: ExecutorJob = {
    entry: 'train.mjs',
    readOnly: [],
    owner: { runId: 'pay-1', trainingId: 't-1' },
    outputFiles: { maxFiles: 4, maxBytes: 10_000 },
    limits: { seconds: 20, memoryMb: 256, processes: 64, openFiles: 128, logBytes: 10_000 },
  };
  const training = (): ExecutorJob => ({ ...job, readOnly: [{ from: program, to: '/program' }] });

  it('asks for a container that can do next to nothing', async () => {
    await (await good({ ...options, cpus: 2 })).run(training());
    const [{ HostConfig, ...body }] = engine.created as unknown as [Record<string, unknown>];
    expect(body).toMatchObject({
      Image: DOUBLE_IMAGE.reference,
      Entrypoint: ['/image/node'],
      Cmd: ['/program/train.mjs'],
      Tty: false,
      OpenStdin: false,
      Labels: {
        'app.kubernetes.io/managed-by': 'holdfast',
        'holdfast.run': 'pay-1',
        'holdfast.training': 't-1',
        'holdfast.worker': 'host-a/0',
      },
    });
    expect(body.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(body.Env).toEqual([
      'HOME=/tmp',
      'LANG=C.UTF-8',
      'TZ=UTC',
      'NVIDIA_VISIBLE_DEVICES=void',
    ]);
    expect(HostConfig).toMatchObject({
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Memory: 268_435_456,
      MemorySwap: 268_435_456,
      PidsLimit: 64,
      NanoCpus: 2_000_000_000,
      Init: true,
      LogConfig: { Type: 'none' },
      ShmSize: 67_108_864,
      RestartPolicy: { Name: 'no' },
    });
    const { Ulimits, Mounts, DeviceRequests } = HostConfig as Record<string, unknown[]>;
    expect(Ulimits).toContainEqual({ Name: 'nofile', Soft: 128, Hard: 128 });
    expect(Ulimits).toContainEqual({ Name: 'core', Soft: 0, Hard: 0 });
    expect(Mounts).toMatchObject([
      { Type: 'bind', Target: '/program', ReadOnly: true },
      { Type: 'bind', Target: '/out', ReadOnly: false },
    ]);
    expect(DeviceRequests).toBeUndefined();
  });

  it('asks for one GPU by uuid, and for no bound that CUDA can not bear', async () => {
    const device: Device = {
      index: 3,
      uuid: 'GPU-5a0c1f3e-0000-4bcd-8f11-1234567890ab',
      name: 'NVIDIA L4',
      memoryMb: 23_034,
      driver: '550.90.07',
    };
    const executor = await good({ ...options, device });
    expect(executor.device).toEqual(device);
    const outcome = await executor.run(training());
    expect(outcome.isolation.limits).toMatchObject({ openFiles: 4096 });
    const [{ HostConfig, Env }] = engine.created as unknown as [
      { HostConfig: Record<string, unknown>; Env: string[] },
    ];
    expect(HostConfig.DeviceRequests).toEqual([
      {
        Driver: 'nvidia',
        DeviceIDs: [device.uuid],
        Capabilities: [['gpu', 'compute', 'utility']],
      },
    ]);
    expect(HostConfig.ShmSize).toBe(1024 ** 3);
    const names = (HostConfig.Ulimits as { Name: string; Hard: number }[]).map(({ Name }) => Name);
    expect(names).not.toContain('as');
    expect(names).not.toContain('data');
    expect(HostConfig.Ulimits).toContainEqual({ Name: 'memlock', Soft: -1, Hard: -1 });
    expect(Env).toContain(`CUDA_VISIBLE_DEVICES=${device.uuid}`);
    expect(Env).toContain(`NVIDIA_VISIBLE_DEVICES=${device.uuid}`);
  });

  it.each([
    'node:24',
    'node',
    `node:24@sha256:${'a'.repeat(64)}`,
    `node@sha256:${'a'.repeat(63)}`,
    `node@sha256:${'A'.repeat(64)}`,
    `node@sha256:${'a'.repeat(64)}@sha256:${'a'.repeat(64)}`,
    `../node@sha256:${'a'.repeat(64)}`,
  ])('takes no image but by digest: %s', async (image) => {
    expect(await openDockerExecutor({ ...options, image })).toMatchObject({
      ok: false,
      error: { code: 'image-not-by-digest' },
    });
  });

  it('takes no image that has not been pulled, or that declares volumes', async () => {
    const image = `node@sha256:${'a'.repeat(64)}`;
    const refusal = await openDockerExecutor({ ...options, image });
    expect(refusal).toMatchObject({ ok: false, error: { code: 'image-missing' } });
    expect(JSON.stringify(refusal)).toContain(`docker pull ${image}`);
    engine.lies.volumes = { '/var/cache': {} };
    expect(await openDockerExecutor(options)).toMatchObject({ error: { code: 'image-unfit' } });
  });

  it.each([
    ['windows', { OSType: 'windows' }],
    ['MemoryLimit', { MemoryLimit: false }],
    ['SwapLimit', { SwapLimit: false }],
    ['PidsLimit', { PidsLimit: undefined }],
    ['seccomp', { SecurityOptions: ['name=seccomp,profile=unconfined'] }],
    ['seccomp', { SecurityOptions: [] }],
    ['rootless', { SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless'] }],
    ['userns', { SecurityOptions: ['name=seccomp,profile=builtin', 'name=userns'] }],
  ])('takes no engine that can not contain: %s', async (word, info) => {
    engine.lies.info = info;
    const refusal = await openDockerExecutor(options);
    expect(refusal).toMatchObject({ ok: false, error: { code: 'engine-unfit' } });
    expect(JSON.stringify(refusal)).toContain(word);
  });

  it('is refused where no engine answers', async () => {
    const engineGone = { socketPath: join(folder, 'no.sock') };
    expect(await openDockerExecutor({ ...options, engine: engineGone })).toMatchObject({
      error: { code: 'engine-unreachable' },
    });
  });

  it('goes to the engine that it was given, whatever the environment names', async () => {
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:9';
    try {
      expect((await openDockerExecutor(options)).ok).toBe(true);
    } finally {
      delete process.env.DOCKER_HOST;
    }
  });

  it.each([
    ['NetworkMode', { NetworkMode: 'bridge' }],
    ['ReadonlyRootfs', { ReadonlyRootfs: false }],
    ['CapDrop', { CapDrop: [] }],
    ['CapAdd', { CapAdd: ['SYS_ADMIN'] }],
    ['Privileged', { Privileged: true }],
    ['MemorySwap', { MemorySwap: -1 }],
    ['PidsLimit', { PidsLimit: null }],
    ['no-new-privileges', { SecurityOpt: null }],
    ['unconfined', { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }],
    ['Devices', { Devices: [{ PathOnHost: '/dev/mem' }] }],
  ])('starts nothing in a container that is not as asked for: %s', async (word, hostConfig) => {
    const executor = await good(options);
    engine.lies.hostConfig = hostConfig;
    const lines: string[] = [];
    const running = executor.run({ ...training(), onOutput: (line) => lines.push(line) });
    await expect(running).rejects.toThrow(word);
    await expect(running).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    expect(lines).toEqual([]);
    expect(engine.containers()).toEqual([]);
  });

  it.each([
    ['making it', /POST \/containers\/create/, 500],
    ['looking at it', /GET \/containers\/[0-9a-f]+\/json/, 500],
    ['attaching to it', /attach/, 500],
    ['starting it', /start/, 400],
    ['waiting for it', /wait/, 500],
    ['listing', /GET \/containers\/json/, 500],
  ])(
    'blames no program when the engine fails at %s, and leaves nothing',
    async (_, request, status) => {
      const executor = await good(options);
      engine.failNext({ request, status, message: 'the engine has its troubles' });
      const running = executor.run(training());
      await expect(running).rejects.toMatchObject({ name: 'SandboxUnavailable' });
      await expect(running).rejects.toThrow('the engine has its troubles');
      expect(engine.containers()).toEqual([]);
      expect(await folders(workFolder)).toEqual([]);
      expect(await executor.run(training())).toMatchObject({ ended: 'exited', exitCode: 0 });
    },
  );

  it('hears a caller who gives up while the container is being started', async () => {
    const executor = await good(options);
    const controller = new AbortController();
    engine.onRequest = (asked) => {
      if (asked.endsWith('/start')) controller.abort();
    };
    const outcome = await executor.run({ ...training(), signal: controller.signal });
    expect(outcome).toMatchObject({ ended: 'aborted' });
    expect(engine.containers()).toEqual([]);
  });

  it('blames no program when the engine goes away under it', async () => {
    const executor = await good(options);
    const running = executor.run({ ...training(), entry: 'long.mjs' });
    const caught = expect(running).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    while (engine.containers().length === 0) await new Promise((done) => setTimeout(done, 10));
    await new Promise((done) => setTimeout(done, 100));
    await engine.vanish();
    await caught;
  });

  it('keeps a result whose container could not be removed, and removes that before the next run', async () => {
    const executor = await good(options);
    engine.failNext({ request: /DELETE/, status: 500, message: 'device or resource busy' });
    expect(await executor.run(training())).toMatchObject({ ended: 'exited', exitCode: 0 });
    expect(engine.containers()).toHaveLength(1);
    await executor.run(training());
    expect(engine.containers()).toEqual([]);
  });

  it('removes what its own earlier life left, and what is nobody’s any more', async () => {
    const labels = (worker: string, deadline: number) => ({
      'app.kubernetes.io/managed-by': 'holdfast',
      'holdfast.worker': worker,
      'holdfast.deadline': String(deadline),
    });
    const soon = Date.now() + 60_000;
    engine.leave('own', labels('host-a/0', soon));
    engine.leave('of-another', labels('host-a/1', soon));
    engine.leave('of-nobody', labels('host-b/0', Date.now() - 120_000));
    engine.leave('foreign', {});
    await good(options);
    const left = join(workFolder, (await readdir(workFolder))[0] ?? '', 'holdfast-left');
    await mkdir(join(left, 'out'), { recursive: true });
    expect(engine.containers().toSorted()).toEqual(['foreign', 'of-another']);
    await good(options);
    expect(await folders(workFolder)).toEqual([]);
  });

  it('ends what an earlier life of the same worker still runs, and blames no program for it', async () => {
    const earlier = (await good(options)).run({ ...training(), entry: 'long.mjs' });
    const ended = expect(earlier).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    while (!engine.isRunning()) await new Promise((done) => setTimeout(done, 5));
    const later = await good(options);
    expect(engine.containers()).toEqual([]);
    await ended;
    expect(await later.run(training())).toMatchObject({ ended: 'exited', exitCode: 0 });
  });

  it('uses no work folder that others can write in', async () => {
    await good(options);
    const own = join(workFolder, (await readdir(workFolder))[0] ?? '');
    await chmod(own, 0o777);
    expect(await openDockerExecutor(options)).toMatchObject({
      error: { code: 'work-folder-unfit' },
    });
  });
});
