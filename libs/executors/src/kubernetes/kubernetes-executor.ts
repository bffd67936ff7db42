import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  ApiException,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  NetworkingV1Api,
  VersionApi,
  type V1Job,
  type V1Pod,
} from '@kubernetes/client-node';
import { ok, type Refusal, refused, type Result } from '#libs/kernel';
import {
  type Ending,
  type IsolationReport,
  programLog,
  type ProgramLog,
  type SandboxOutcome,
  SandboxUnavailable,
} from '#libs/sandbox';
import { ABORTED, conclude, type Ended, endingOf } from '../conclude.ts';
import { podLayers } from '../container-layers.ts';
import { parseImage } from '../image.ts';
import { oversee, within } from '../oversee.ts';
import { checkJob, type Executor, type ExecutorJob } from '../port.ts';
import { openRunFolders, programUser, type RunFolder, type RunFolders } from '../run-folder.ts';
import {
  clusterProfile,
  CONTAINER,
  jobLabels,
  type JobParts,
  jobSpec,
  ownerLabels,
} from './job-spec.ts';
import { networkProblem } from './network-policy.ts';
import type { ClusterAccess, KubernetesOptions, KubernetesRefusalCode } from './options.ts';
import { jobState, type JobState } from './pod-state.ts';

const PATIENCE_MS = 30_000;
const GONE_MS = 120_000;
const FIRST_POLL_MS = 100;
const SLOWEST_POLL_MS = 2_000;
/** Between a first sign that a job is lost, and the look that settles it. */
const DOUBT_MS = 1_000;
const OUTPUT_POLL_MS = 250;
/** How long the API server may fail to answer while a job runs, before its worker gives up on it. */
const OUTAGE_MS = 60_000;

/** What isolation a Job had: plain JSON. */
export interface KubernetesReport extends IsolationReport {
  readonly kind: 'kubernetes';
  /** Of the API server. */
  readonly version: string;
  readonly network: 'by-network-policy';
  /** The container runtime's own profile; which, its node knows. */
  readonly seccompProfile: 'RuntimeDefault';
  readonly user: number;
  readonly capabilities: 'none';
  readonly noNewPrivileges: true;
  readonly readOnlyRoot: true;
  readonly environment: 'of-the-image-and-given';
  readonly memoryBound: 'cgroup';
  /** The kubelet's podPidsLimit: a pod can't say it, so `limit_processes` and `limit_openFiles` are not enforced. */
  readonly processBound: 'of-the-node';
  readonly outputBound: 'polled';
  /** Both streams come as one; it stands in `stderr`. */
  readonly streams: 'merged';
  readonly scratchBytes: number;
  /** Where it ran; null when that was never seen. */
  readonly node: string | null;
  readonly deviceResource: string | null;
  readonly deviceCount: number;
}

interface Cluster {
  readonly batch: BatchV1Api;
  readonly core: CoreV1Api;
  readonly networking: NetworkingV1Api;
  readonly namespace: string;
}

/** See `openKubernetesExecutor`. */
export const kubernetesExecutor = async (
  options: KubernetesOptions,
): Promise<Result<Executor, Refusal<KubernetesRefusalCode>>> => {
  const { access, namespace, worker, volume } = options;
  const image = parseImage(options.image);
  if (!image.ok) return image;
  if (worker === '' || options.command?.length === 0)
    throw new TypeError('a Kubernetes executor needs a worker with a name, and a command');
  const kubeConfig = readAccess(access);
  if (!kubeConfig.ok) return kubeConfig;
  const cluster: Cluster = {
    batch: kubeConfig.value.makeApiClient(BatchV1Api),
    core: kubeConfig.value.makeApiClient(CoreV1Api),
    networking: kubeConfig.value.makeApiClient(NetworkingV1Api),
    namespace,
  };
  let version: string;
  let folders: RunFolders;
  try {
    version = (await ask('say its version', kubeConfig.value.makeApiClient(VersionApi).getCode()))
      .gitVersion;
    const claim = await ask(
      `read the claim ${volume.claim}`,
      cluster.core.readNamespacedPersistentVolumeClaim({ namespace, name: volume.claim }),
    );
    if (claim.status?.phase !== 'Bound')
      return refused({
        code: 'volume-missing',
        message: `found the claim ${volume.claim} ${claim.status?.phase ?? 'without a phase'}, expected it Bound; look at "kubectl describe pvc ${volume.claim}"`,
      });
    const problem = await networkOf(cluster, ownerLabels(worker));
    if (problem !== null) return refused({ code: 'network-open', message: problem });
    await sweep(cluster, worker, () => true);
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    return refused({ code: refusalCode(error), message: error.message });
  }
  try {
    folders = await openRunFolders(volume.folder, worker);
  } catch (error) {
    return refused({
      code: 'work-folder-unfit',
      message: `found ${volume.folder} unfit (${(error as Error).message}), expected the root of the claim ${volume.claim}, writable for this user`,
    });
  }
  const own = new Set<string>();
  return ok({
    kind: 'kubernetes',
    runtime: image.value.runtime,
    // Which one it was, only the cluster's plugin knows.
    device: null,
    layers: podLayers(),
    run: async (job) => {
      checkJob(job);
      if (job.signal?.aborted === true)
        return { ...ABORTED, isolation: reportOf(options, version, job, null) };
      const open = await networkOf(cluster, jobLabels(worker, job));
      if (open !== null) throw new SandboxUnavailable(open);
      await sweep(cluster, worker, (name) => !own.has(name));
      const name = `holdfast-${randomUUID()}`;
      own.add(name);
      try {
        const folder = await folders.lay(name, job.readOnly).catch((error: unknown) => {
          throw unavailable("the job's files could not be laid out", error);
        });
        try {
          const { outcome, node } = await runJob(cluster, job, folder, {
            ...options,
            name,
            imageReference: image.value.reference,
            user: programUser(),
          });
          return { ...outcome, isolation: reportOf(options, version, job, node) };
        } finally {
          await folder.remove();
        }
      } finally {
        own.delete(name);
      }
    },
  });
};

const readAccess = (access: ClusterAccess): Result<KubeConfig, Refusal<'cluster-unreachable'>> => {
  const kubeConfig = new KubeConfig();
  try {
    if (access.kind === 'in-cluster') kubeConfig.loadFromCluster();
    else {
      kubeConfig.loadFromFile(access.file);
      if (access.context !== undefined) kubeConfig.setCurrentContext(access.context);
    }
    if (kubeConfig.getCurrentCluster() === null)
      throw new Error(`the context ${kubeConfig.getCurrentContext()} names no cluster`);
    return ok(kubeConfig);
  } catch (error) {
    const where = access.kind === 'in-cluster' ? "the pod's service account" : access.file;
    return refused({
      code: 'cluster-unreachable',
      message: `found no cluster by ${where} (${(error as Error).message}), expected one and who asks; name a kubeconfig file`,
    });
  }
};

const reportOf = (
  options: KubernetesOptions,
  version: string,
  job: ExecutorJob,
  node: string | null,
): KubernetesReport => ({
  kind: 'kubernetes',
  version,
  network: 'by-network-policy',
  seccompProfile: 'RuntimeDefault',
  user: programUser().user,
  capabilities: 'none',
  noNewPrivileges: true,
  readOnlyRoot: true,
  environment: 'of-the-image-and-given',
  memoryBound: 'cgroup',
  processBound: 'of-the-node',
  outputBound: 'polled',
  streams: 'merged',
  scratchBytes: clusterProfile(options).scratchBytes,
  node,
  deviceResource: options.devices?.resource ?? null,
  deviceCount: options.devices?.count ?? 0,
  layers: podLayers(),
  limits: {
    ...job.limits,
    outputFiles: job.outputFiles.maxFiles,
    outputBytes: job.outputFiles.maxBytes,
  },
});

const codeOf = (error: unknown): number | null => {
  const cause: unknown = error instanceof SandboxUnavailable ? error.cause : error;
  return cause instanceof ApiException ? cause.code : null;
};

/** What an API server says, without its headers. */
const wordsOf = (error: unknown): string => {
  if (!(error instanceof ApiException)) {
    const { message, cause } = error as Error;
    return cause instanceof Error && cause.message !== ''
      ? `${message} (${cause.message})`
      : message;
  }
  const body: unknown = error.body;
  const status: unknown = typeof body === 'string' ? tryJson(body) : body;
  const said = (status as { message?: unknown } | null)?.message;
  return `${error.code} ${typeof said === 'string' ? said : ''}`.trim();
};

const tryJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const unavailable = (what: string, cause: unknown): SandboxUnavailable =>
  new SandboxUnavailable(`${what}: ${wordsOf(cause)}`, { cause });

/** One request to the API server. What goes wrong there says nothing about the program. */
const ask = async <T>(what: string, request: Promise<T>): Promise<T> => {
  try {
    return await within(PATIENCE_MS, 'the answer', request);
  } catch (error) {
    throw unavailable(`the cluster did not ${what}`, error);
  }
};

const refusalCode = (error: SandboxUnavailable): KubernetesRefusalCode => {
  const code = codeOf(error);
  if (code === 401 || code === 403) return 'cluster-forbids';
  return code === 404 ? 'volume-missing' : 'cluster-unreachable';
};

const networkOf = async (
  { networking, namespace }: Cluster,
  labels: Readonly<Record<string, string>>,
): Promise<string | null> => {
  const { items } = await ask(
    'list network policies',
    networking.listNamespacedNetworkPolicy({ namespace }),
  );
  const problem = networkProblem(items, labels);
  return problem === null
    ? null
    : `found that ${problem} in the namespace ${namespace}, expected a policy that denies all traffic of training pods and none that allows any; apply the one of docs/how-to/run-workers-on-gpus.md`;
};

const selector = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** Removes this worker's jobs that no run of it holds. */
const sweep = async (
  cluster: Cluster,
  worker: string,
  isLeft: (name: string) => boolean,
): Promise<void> => {
  const { batch, namespace } = cluster;
  const { items } = await ask(
    'list jobs',
    batch.listNamespacedJob({ namespace, labelSelector: selector(ownerLabels(worker)) }),
  );
  for (const { metadata } of items) {
    if (metadata?.name !== undefined && isLeft(metadata.name)) await remove(cluster, metadata.name);
  }
};

const podsOf = ({ core, namespace }: Cluster, name: string): Promise<V1Pod[]> =>
  ask(
    "list a job's pods",
    core.listNamespacedPod({ namespace, labelSelector: `job-name=${name}` }),
  ).then(({ items }) => items);

const jobOf = async ({ batch, namespace }: Cluster, name: string): Promise<V1Job | null> => {
  try {
    return await ask('read a job', batch.readNamespacedJob({ namespace, name }));
  } catch (error) {
    if (codeOf(error) === 404) return null;
    throw error;
  }
};

/** Resolves when neither the job nor a pod of it is there: then none of its processes lives. */
const remove = async (cluster: Cluster, name: string): Promise<void> => {
  const { batch, namespace } = cluster;
  try {
    await ask(
      'delete a job',
      batch.deleteNamespacedJob({ namespace, name, propagationPolicy: 'Background' }),
    );
  } catch (error) {
    if (codeOf(error) !== 404) throw error;
  }
  const until = performance.now() + GONE_MS;
  for (let pause = FIRST_POLL_MS; performance.now() < until; pause = slower(pause)) {
    if ((await jobOf(cluster, name)) === null && (await podsOf(cluster, name)).length === 0) return;
    await wait(pause);
  }
  throw new SandboxUnavailable(
    `the job ${name} or its pod is still there ${GONE_MS / 1000} s after it was deleted; look at its node`,
  );
};

const slower = (pause: number): number => Math.min(pause * 1.5, SLOWEST_POLL_MS);

const runJob = async (
  cluster: Cluster,
  job: ExecutorJob,
  folder: RunFolder,
  parts: JobParts,
): Promise<{ outcome: Omit<SandboxOutcome, 'isolation'>; node: string | null }> => {
  const { namespace, name } = parts;
  let watched: { ended: Ended; node: string | null };
  try {
    await ask(
      'make the job',
      cluster.batch.createNamespacedJob({ namespace, body: jobSpec(job, folder, parts) }),
    );
    watched = await watch(cluster, job, folder, parts);
  } finally {
    // Also after a request whose answer was lost. When this fails, the program may live on: nothing else counts.
    await remove(cluster, name);
  }
  return { outcome: await conclude(job, folder, watched.ended), node: watched.node };
};

/** Follows a job to its end, or to the moment that it has to be stopped. */
const watch = async (
  cluster: Cluster,
  job: ExecutorJob,
  folder: RunFolder,
  { name, pendingSeconds = 600 }: JobParts,
): Promise<{ ended: Ended; node: string | null }> => {
  const stopping: { by: Ending | null; error: Error | null } = { by: null, error: null };
  const hurry = new AbortController();
  const stop = (why: Ending) => {
    stopping.by ??= why;
    hurry.abort();
  };
  const fail = (error: Error) => {
    stopping.error ??= error;
    hurry.abort();
  };
  const follow = logFollower(cluster, job, () => stop('log-too-large'));
  let begun: number | null = null;
  let node: string | null = null;
  let doubted = false;
  let release: () => void = () => undefined;
  const asked = performance.now();
  let answered = asked;
  const cancel = () => stop('aborted');
  job.signal?.addEventListener('abort', cancel, { once: true });
  if (job.signal?.aborted === true) cancel();

  const conclusion = (ending: Ended['ending'], durationMs: number) => {
    const { stdout, truncated } = follow.log.text();
    return { ended: { ending, durationMs, log: { stdout: '', stderr: stdout, truncated } }, node };
  };
  const elapsed = () => (begun === null ? 0 : Math.round(performance.now() - begun));

  try {
    for (let pause = FIRST_POLL_MS; ; pause = slower(pause)) {
      let state: JobState | null = null;
      try {
        // The pods first: when they are being deleted, the job says why, and must not be older than they.
        const pods = await podsOf(cluster, name);
        state = jobState(await jobOf(cluster, name), pods, begun !== null);
        answered = performance.now();
      } catch (error) {
        const code = codeOf(error);
        if (code === 401 || code === 403 || performance.now() - answered > OUTAGE_MS) throw error;
      }
      if (state?.kind === 'running' && begun === null) {
        begun = performance.now();
        release = oversee(job, folder, OUTPUT_POLL_MS, { stop, fail });
        pause = FIRST_POLL_MS;
      }
      if (state?.kind === 'running' || state?.kind === 'ended') {
        node = state.node;
        await follow.read(state.pod, state.kind === 'ended').catch((error: unknown) => {
          // While it runs there is another time; at the end a log that is not whole is none.
          if (state.kind === 'ended') throw error;
        });
      }
      if (stopping.error !== null)
        throw unavailable('the running job could not be watched', stopping.error);
      if (stopping.by !== null) return conclusion(endingOf(stopping.by, 0), elapsed());
      if (state?.kind === 'ended')
        return conclusion(state.ending, begun === null ? state.durationMs : elapsed());
      if (state?.kind === 'deadline') return conclusion(endingOf('timed-out', 0), elapsed());
      if (state?.kind === 'lost' && !doubted) {
        // A controller may delete pods before it writes down that their time was over.
        doubted = true;
        await wait(DOUBT_MS, undefined, { signal: hurry.signal }).catch(() => undefined);
        continue;
      }
      if (state?.kind === 'lost')
        throw new SandboxUnavailable(`the cluster lost the job ${name}: ${state.why}`);
      if (begun === null && performance.now() - asked > pendingSeconds * 1000)
        throw new SandboxUnavailable(
          `the job ${name} did not start within ${pendingSeconds} s: ${state?.kind === 'waiting' ? state.why : 'no answer'}`,
        );
      await wait(pause, undefined, { signal: hurry.signal }).catch(() => undefined);
    }
  } finally {
    release();
    job.signal?.removeEventListener('abort', cancel);
  }
};

/** Reads a pod's log again and again, from its start: it is short, since a long one ends the run. */
const logFollower = (
  { core, namespace }: Cluster,
  job: ExecutorJob,
  onFlood: () => void,
): { readonly log: ProgramLog; read: (pod: string, last: boolean) => Promise<void> } => {
  const bytes = job.limits.logBytes;
  const log = programLog({ bytes, onLine: job.onOutput ?? (() => undefined), onFlood });
  let seen = 0;
  return {
    log,
    read: async (pod, last) => {
      const text = await ask(
        'hand over the log',
        core.readNamespacedPodLog({
          namespace,
          name: pod,
          container: CONTAINER,
          limitBytes: bytes + 1,
        }),
      );
      const isLong = Buffer.byteLength(text) > bytes;
      // A line, or a character, may be half there; the rest comes with the next reading.
      const upTo = last || isLong ? text.length : text.lastIndexOf('\n') + 1;
      if (upTo > seen) log.stdout(Buffer.from(text.slice(seen, upTo)));
      seen = Math.max(seen, upTo);
      if (last) log.end();
    },
  };
};
