import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Executor,
  type ExecutorJob,
  type KubernetesOptions,
  openKubernetesExecutor,
} from '#libs/executors';
import { executorContract } from '../../../libs/executors/src/executor.contract.ts';
import { DOUBLE_IMAGE } from '../docker-engine/program.ts';
import {
  DENY_ALL,
  type KubernetesApiDouble,
  openKubernetesApiDouble,
} from './kubernetes-api-double.ts';

/*
 * The Kubernetes adapter against a double of an API server with a cluster of one node: what it asks for, and what it
 * makes of the answers. No real cluster was seen here: neither its network plugin, nor its kubelets' limits.
 */

const good = async (options: KubernetesOptions): Promise<Executor> => {
  const opened = await openKubernetesExecutor(options);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

const folders = async (root: string): Promise<string[]> =>
  (await Promise.all((await readdir(root)).map((name) => readdir(join(root, name))))).flat();

const doubleOptions = (cluster: KubernetesApiDouble): KubernetesOptions => ({
  access: { kind: 'kubeconfig', file: cluster.kubeconfig },
  namespace: 'trainings',
  image: DOUBLE_IMAGE.reference,
  command: DOUBLE_IMAGE.command,
  worker: 'host-a/0',
  volume: { claim: 'runs', folder: cluster.volume },
});

executorContract(
  'Kubernetes, on a double of the API server',
  async () => {
    const volume = await mkdtemp(join(tmpdir(), 'holdfast-kubernetes-double-'));
    const cluster = await openKubernetesApiDouble(volume);
    return {
      executor: await good(doubleOptions(cluster)),
      leftovers: async () => [...cluster.objects(), ...(await folders(volume))],
      close: async () => {
        await cluster.close();
        await rm(volume, { recursive: true, force: true });
      },
    };
  },
  // Its state is polled: a start is seen late, and so is an end.
  { streams: 'merged', slackMs: 3000, sameMachine: true },
);

describe('the Kubernetes executor', () => {
  let folder: string;
  let program: string;
  let cluster: KubernetesApiDouble;
  let options: KubernetesOptions;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-kubernetes-executor-'));
    program = join(folder, 'program');
    await mkdir(program);
    await writeFile(join(program, 'train.mjs'), `console.log('on'); setTimeout(() => {}, 300);`);
    await writeFile(join(program, 'long.mjs'), `console.log('on'); setTimeout(() => {}, 15_000);`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    cluster = await openKubernetesApiDouble(await mkdtemp(join(folder, 'volume-')));
    options = doubleOptions(cluster);
  });
  afterEach(() => cluster.close());

  const training = (change: Partial<ExecutorJob> = {}): ExecutorJob => ({
    entry: 'train.mjs',
    readOnly: [{ from: program, to: '/program' }],
    owner: { runId: 'pay-1', trainingId: 'of/a name: that is no label' },
    outputFiles: { maxFiles: 4, maxBytes: 10_000 },
    limits: { seconds: 20, memoryMb: 256, processes: 64, openFiles: 128, logBytes: 10_000 },
    ...change,
  });

  /** Runs a long training, and does something once its program runs. */
  const during = async (executor: Executor, act: () => void) => {
    const begun = Promise.withResolvers<undefined>();
    const running = executor.run(
      training({ entry: 'long.mjs', onOutput: () => begun.resolve(undefined) }),
    );
    running.catch(() => undefined);
    await begun.promise;
    act();
    return running;
  };

  it('asks for one pod that can do next to nothing', async () => {
    const outcome = await (await good({ ...options, cpus: 2 })).run(training());
    expect(outcome.isolation).toMatchObject({
      kind: 'kubernetes',
      network: 'by-network-policy',
      node: 'node-a',
      version: 'v1.32.0-double',
      deviceCount: 0,
    });
    const [job] = cluster.created;
    expect(job?.metadata?.labels).toMatchObject({
      'app.kubernetes.io/managed-by': 'holdfast',
      'holdfast.run': 'pay-1',
    });
    expect(job?.metadata?.labels?.['holdfast.training']).toMatch(/^[0-9a-f]{20}$/);
    expect(job?.metadata?.annotations).toMatchObject({
      'holdfast.training': 'of/a name: that is no label',
      'holdfast.worker': 'host-a/0',
    });
    expect(job?.spec).toMatchObject({
      backoffLimit: 0,
      parallelism: 1,
      completions: 1,
      activeDeadlineSeconds: 20 + 600 + 120,
      ttlSecondsAfterFinished: 3600,
    });
    const pod = job?.spec?.template.spec;
    expect(pod).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      hostNetwork: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(pod?.securityContext?.runAsUser).toBeGreaterThan(0);
    expect(pod?.securityContext?.fsGroup).toBeUndefined();
    const resources = { cpu: '2', memory: '256Mi', 'ephemeral-storage': '64Mi' };
    expect(pod?.containers).toMatchObject([
      {
        image: DOUBLE_IMAGE.reference,
        command: ['/image/node'],
        args: ['/program/train.mjs'],
        securityContext: {
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { requests: resources, limits: resources },
      },
    ]);
    expect(pod?.containers[0]?.env).toContainEqual({
      name: 'NVIDIA_VISIBLE_DEVICES',
      value: 'void',
    });
    expect(pod?.containers[0]?.volumeMounts).toMatchObject([
      { name: 'runs', mountPath: '/program', readOnly: true },
      { name: 'runs', mountPath: '/out' },
      { mountPath: '/tmp' },
      { mountPath: '/dev/shm' },
    ]);
    expect(pod?.volumes).toMatchObject([
      { persistentVolumeClaim: { claimName: 'runs' } },
      { emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
      { emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
    ]);
  });

  it('asks for GPUs by the resource of the cluster’s plugin, and names none itself', async () => {
    const devices = { resource: 'nvidia.com/gpu', count: 1 };
    const executor = await good({
      ...options,
      devices,
      nodeSelector: { gpu: 'l4' },
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
      runtimeClass: 'nvidia',
    });
    const { isolation } = await executor.run(training());
    expect(isolation).toMatchObject({ deviceResource: 'nvidia.com/gpu', deviceCount: 1 });
    const pod = cluster.created[0]?.spec?.template.spec;
    expect(pod).toMatchObject({
      nodeSelector: { gpu: 'l4' },
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
      runtimeClassName: 'nvidia',
    });
    expect(pod?.containers[0]?.resources?.limits).toMatchObject({ 'nvidia.com/gpu': '1' });
    expect(pod?.volumes?.[1]).toMatchObject({ emptyDir: { sizeLimit: '1024Mi' } });
    const names = pod?.containers[0]?.env?.map(({ name }) => name);
    expect(names).not.toContain('CUDA_VISIBLE_DEVICES');
    expect(names).not.toContain('NVIDIA_VISIBLE_DEVICES');
  });

  it('takes no image but by digest', async () => {
    expect(await openKubernetesExecutor({ ...options, image: 'node:24' })).toMatchObject({
      ok: false,
      error: { code: 'image-not-by-digest' },
    });
  });

  it('is refused where the network is open, and starts nothing when it was opened since', async () => {
    cluster.policies = [];
    expect(await openKubernetesExecutor(options)).toMatchObject({
      ok: false,
      error: { code: 'network-open' },
    });
    cluster.policies = [DENY_ALL];
    const executor = await good(options);
    cluster.policies = [
      DENY_ALL,
      {
        metadata: { name: 'dns' },
        spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] },
      },
    ];
    await expect(executor.run(training())).rejects.toThrow(/network policy dns allows/);
    expect(cluster.created).toEqual([]);
  });

  it.each([
    ['no claim', { volume: { claim: 'other', folder: '/' } }, 'volume-missing', null],
    ['a server that forbids', {}, 'cluster-forbids', { code: 403, reason: 'Forbidden' }],
    ['a server in trouble', {}, 'cluster-unreachable', { code: 500, reason: 'InternalError' }],
  ])('is refused with %s', async (_, change, code, fault) => {
    if (fault !== null) cluster.failNext({ request: /networkpolicies/, ...fault });
    expect(await openKubernetesExecutor({ ...options, ...change })).toMatchObject({
      ok: false,
      error: { code },
    });
  });

  it('is refused where the claim is not bound, where its folder is not there, and where nobody answers', async () => {
    const volume = { claim: 'runs', folder: join(folder, 'not-there') };
    expect(await openKubernetesExecutor({ ...options, volume })).toMatchObject({
      error: { code: 'work-folder-unfit' },
    });
    const access = { kind: 'kubeconfig', file: join(folder, 'no-file') } as const;
    expect(await openKubernetesExecutor({ ...options, access })).toMatchObject({
      error: { code: 'cluster-unreachable' },
    });
    cluster.claimPhase = 'Pending';
    expect(await openKubernetesExecutor(options)).toMatchObject({
      error: { code: 'volume-missing' },
    });
    await cluster.close();
    expect(await openKubernetesExecutor(options)).toMatchObject({
      error: { code: 'cluster-unreachable' },
    });
  });

  it.each([
    [
      'evicted for the node’s sake',
      { reason: 'Evicted', message: 'The node was low on resource: memory.' },
      /Evicted: The node was low/,
    ],
    [
      'preempted',
      {
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'PreemptionByScheduler',
            message: 'x',
          },
        ],
      },
      /PreemptionByScheduler/,
    ],
    ['lost with its node', { phase: 'Unknown', reason: 'NodeLost' }, /NodeLost/],
    ['failed without a word', {}, /without a word/],
  ])('blames no program whose pod was %s', async (_, status, message) => {
    const executor = await good(options);
    const running = during(executor, () => cluster.disrupt(status));
    await expect(running).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    await expect(running).rejects.toThrow(message);
    expect(cluster.objects()).toEqual([]);
    expect(await folders(cluster.volume)).toEqual([]);
  });

  it('blames the program that was evicted because it wrote too much', async () => {
    const outcome = await during(await good(options), () =>
      cluster.disrupt({
        reason: 'Evicted',
        message: 'Usage of EmptyDir volume "tmp" exceeds the limit "64Mi". ',
      }),
    );
    expect(outcome).toMatchObject({ ended: 'output-too-large' });
  });

  it('blames no program whose pod was deleted', async () => {
    const running = during(await good(options), () => cluster.deletePods());
    await expect(running).rejects.toThrow(
      /its pod is (?:gone|being deleted)|no pod, BackoffLimitExceeded/,
    );
  });

  it('tells the deadline of the cluster: of a program that ran, and of one that never did', async () => {
    const outcome = await during(await good(options), () => cluster.passDeadline());
    expect(outcome).toMatchObject({ ended: 'timed-out' });
    cluster.mishap = { kind: 'unschedulable' };
    const running = (await good(options)).run(training());
    running.catch(() => undefined);
    await wait(300);
    cluster.passDeadline();
    await expect(running).rejects.toThrow(/never got to run/);
  });

  it('waits for a node no longer than it may', async () => {
    cluster.mishap = { kind: 'unschedulable' };
    const executor = await good({ ...options, pendingSeconds: 1 });
    await expect(executor.run(training())).rejects.toThrow(
      /did not start within 1 s: 0\/1 nodes are available: 1 Insufficient nvidia.com\/gpu/,
    );
    expect(cluster.objects()).toEqual([]);
  });

  it('does not wait for an image that will not come', async () => {
    cluster.mishap = {
      kind: 'waiting',
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image',
    };
    await expect((await good(options)).run(training())).rejects.toThrow(
      /ImagePullBackOff: Back-off pulling image/,
    );
    expect(cluster.objects()).toEqual([]);
  });

  it('bears an API server that fails for a moment, and leaves no job of a request that failed', async () => {
    const executor = await good(options);
    cluster.failNext({ request: /GET .*pods$/, code: 500, reason: 'InternalError', times: 3 });
    expect(await executor.run(training())).toMatchObject({ ended: 'exited', exitCode: 0 });
    cluster.failNext({ request: /POST .*jobs$/, code: 403, reason: 'Forbidden' });
    await expect(executor.run(training())).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    expect(cluster.objects()).toEqual([]);
  });

  it('has no result without the whole log', async () => {
    const executor = await good(options);
    cluster.failNext({ request: /log$/, code: 500, reason: 'InternalError', times: 1000 });
    await expect(executor.run(training())).rejects.toThrow(/hand over the log/);
  });

  it('ends what an earlier life of the same worker still runs, and blames no program for it', async () => {
    const opening = Promise.withResolvers<Executor>();
    const earlier = during(await good(options), () => {
      void good(options).then(opening.resolve, opening.reject);
    });
    await expect(earlier).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    const later = await opening.promise;
    expect(await later.run(training())).toMatchObject({ ended: 'exited', exitCode: 0 });
    expect(cluster.objects()).toEqual([]);
  });

  it('removes the jobs that its own earlier life left, and no others', async () => {
    const labels = (worker: string) => ({
      'app.kubernetes.io/managed-by': 'holdfast',
      'app.kubernetes.io/component': 'training',
      'holdfast.worker': worker,
    });
    await (await good(options)).run(training());
    const own = cluster.created[0]?.metadata?.labels?.['holdfast.worker'] ?? '';
    cluster.leave('own', labels(own));
    cluster.leave('of-another', labels('host-a-1'));
    cluster.leave('foreign', {});
    const left = join(cluster.volume, (await readdir(cluster.volume))[0] ?? '', 'holdfast-left');
    await mkdir(join(left, 'out'), { recursive: true });
    await good(options);
    expect(cluster.objects().toSorted()).toEqual(['foreign', 'of-another']);
    expect(await folders(cluster.volume)).toEqual([]);
  });
});
