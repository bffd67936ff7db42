import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { V1Job, V1NetworkPolicy } from '@kubernetes/client-node';
import { DOUBLE_IMAGE, startProgram, type RunningProgram } from '../docker-engine/program.ts';

/*
 * A double of a Kubernetes API server with a cluster behind it: the requests that Holdfast's adapter makes, with
 * their paths, bodies and Status objects, over HTTP on the loopback. Its one node runs programs for real (see
 * ../docker-engine/program.ts) and contains nothing; no network policy holds anything. It is stricter than a server
 * where that shows a mistake: a member of a Job that it does not know is 400. Shapes after the public API reference
 * (batch/v1, core/v1, networking.k8s.io/v1).
 */

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  job: ['apiVersion', 'kind', 'metadata', 'spec'],
  'job.spec':
    'activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions managedBy manualSelector maxFailedIndexes parallelism podFailurePolicy podReplacementPolicy selector successPolicy suspend template ttlSecondsAfterFinished'.split(
      ' ',
    ),
  'pod.spec':
    'activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers hostname imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes'.split(
      ' ',
    ),
  container:
    'args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources restartPolicy securityContext startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir'.split(
      ' ',
    ),
};

const unknownMembers = (kind: string, value: object | undefined): string[] =>
  Object.keys(value ?? {}).filter((key) => KNOWN[kind]?.includes(key) !== true);

interface Pod {
  readonly name: string;
  readonly job: string;
  readonly labels: Readonly<Record<string, string>>;
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  program: RunningProgram | null;
  log: Buffer;
  /** What stands in `containerStatuses[0].state`. */
  state: Record<string, unknown>;
  /** Members of the pod's status besides. */
  status: Record<string, unknown>;
  deleted: boolean;
}

interface StoredJob {
  readonly uid: string;
  readonly body: V1Job;
  status: Record<string, unknown>;
}

/** What the cluster does with the next pods. */
export type Mishap =
  /** No node has room. */
  | { readonly kind: 'unschedulable' }
  /** The container waits for ever, for this reason. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | null;

export interface KubernetesApiDouble {
  /** Path of a kubeconfig file that leads here. */
  readonly kubeconfig: string;
  /** Folder that is the claim's root. */
  readonly volume: string;
  /** Jobs that were asked for. */
  readonly created: readonly V1Job[];
  policies: readonly V1NetworkPolicy[];
  mishap: Mishap;
  claimPhase: string;
  /** Names of the jobs and pods that are there. */
  objects(): readonly string[];
  /** Makes a job that nobody waits for, as a killed worker leaves one. */
  leave(name: string, labels: Readonly<Record<string, string>>): void;
  /** Kills what runs and says so of its pod, as a kubelet or a controller would. */
  disrupt(status: Record<string, unknown>): void;
  /** Takes the pod away without the job. */
  deletePods(): void;
  /** The job controller's deadline. */
  passDeadline(): void;
  failNext(fault: {
    readonly request: RegExp;
    readonly code: number;
    readonly reason: string;
    readonly times?: number;
  }): void;
  close(): Promise<void>;
}

export const DENY_ALL: V1NetworkPolicy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'holdfast-trainings-deny-all' },
  spec: {
    podSelector: { matchLabels: { 'app.kubernetes.io/managed-by': 'holdfast' } },
    policyTypes: ['Ingress', 'Egress'],
  },
};

const NAMESPACE = 'trainings';
const SCHEDULING_MS = 30;
const DEATH_MS = 30;

const seconds = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

const megabytes = (quantity: string | undefined): number =>
  Number(/^(\d+)Mi$/.exec(quantity ?? '')?.[1] ?? Number.NaN) * 1024 * 1024;

export const openKubernetesApiDouble = async (volume: string): Promise<KubernetesApiDouble> => {
  const jobs = new Map<string, StoredJob>();
  const pods = new Map<string, Pod>();
  const created: V1Job[] = [];
  const faults: { request: RegExp; code: number; reason: string; times: number }[] = [];
  let closing = false;

  const double = {
    policies: [DENY_ALL] as readonly V1NetworkPolicy[],
    mishap: null as Mishap,
    claimPhase: 'Bound',
  };

  const start = (pod: Pod, { body }: StoredJob): void => {
    const spec = body.spec?.template.spec;
    const container = spec?.containers[0];
    const volumes = new Map((spec?.volumes ?? []).map((each) => [each.name, each]));
    const keep = (chunk: Buffer) => {
      pod.log = Buffer.concat([pod.log, chunk]);
    };
    const mounts = (container?.volumeMounts ?? []).flatMap((mount) =>
      volumes.get(mount.name)?.persistentVolumeClaim === undefined
        ? []
        : [
            {
              from: join(volume, mount.subPath ?? ''),
              to: mount.mountPath,
              readOnly: mount.readOnly === true,
            },
          ],
    );
    const tmpfs = (container?.volumeMounts ?? []).flatMap((mount) => {
      const { emptyDir } = volumes.get(mount.name) ?? {};
      return emptyDir === undefined
        ? []
        : [{ to: mount.mountPath, bytes: megabytes(emptyDir.sizeLimit) }];
    });
    pod.program = startProgram(
      {
        command: [...(container?.command ?? []), ...(container?.args ?? [])],
        environment: {
          // As a cluster does, the image's variables and those of the API's service stand beside.
          PATH: '/usr/bin:/bin',
          KUBERNETES_SERVICE_HOST: '10.0.0.1',
          ...Object.fromEntries(
            (container?.env ?? []).map(({ name, value }) => [name, value ?? '']),
          ),
        },
        mounts,
        tmpfs,
        memoryBytes: megabytes(container?.resources?.limits?.memory),
      },
      // One stream, as a kubelet hands it on.
      keep,
      keep,
    );
    const startedAt = seconds();
    pod.phase = 'Running';
    pod.state = { running: { startedAt } };
    void pod.program.ended.then(({ status, outOfMemory }) => {
      if (pod.phase !== 'Running') return;
      pod.phase = status === 0 ? 'Succeeded' : 'Failed';
      pod.state = {
        terminated: {
          exitCode: status,
          reason: outOfMemory ? 'OOMKilled' : status === 0 ? 'Completed' : 'Error',
          startedAt,
          finishedAt: seconds(),
          containerID: 'containerd://double',
        },
      };
      const job = jobs.get(pod.job);
      // A job that has failed stays failed for its first reason.
      if (job !== undefined && job.status.conditions === undefined)
        job.status =
          status === 0
            ? { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] }
            : {
                failed: 1,
                conditions: [
                  {
                    type: 'Failed',
                    status: 'True',
                    reason: 'BackoffLimitExceeded',
                    message: 'Job has reached the specified backoff limit',
                  },
                ],
              };
    });
  };

  /** What the job controller, the scheduler and the kubelet do for a new job. */
  const schedule = async (name: string): Promise<void> => {
    await wait(SCHEDULING_MS);
    const job = jobs.get(name);
    if (job === undefined) return;
    const pod: Pod = {
      name: `${name}-${randomUUID().slice(0, 5)}`,
      job: name,
      labels: {
        ...job.body.spec?.template.metadata?.labels,
        'job-name': name,
        'batch.kubernetes.io/job-name': name,
        'batch.kubernetes.io/controller-uid': job.uid,
      },
      phase: 'Pending',
      program: null,
      log: Buffer.alloc(0),
      state: { waiting: { reason: 'ContainerCreating' } },
      status: {},
      deleted: false,
    };
    pods.set(pod.name, pod);
    const { mishap } = double;
    if (mishap?.kind === 'unschedulable') {
      pod.state = {};
      pod.status = {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
          },
        ],
      };
      return;
    }
    if (mishap?.kind === 'waiting') {
      pod.state = { waiting: { reason: mishap.reason, message: mishap.message } };
      return;
    }
    await wait(SCHEDULING_MS);
    if (!pod.deleted) start(pod, job);
  };

  /** A deleted pod stays until its processes are dead, and some time more. */
  const deletePod = async (pod: Pod): Promise<void> => {
    if (pod.deleted) return;
    pod.deleted = true;
    await wait(DEATH_MS);
    pod.program?.kill();
    await pod.program?.ended;
    await wait(DEATH_MS);
    pods.delete(pod.name);
  };

  const podBody = (pod: Pod) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: NAMESPACE,
      labels: pod.labels,
      ...(pod.deleted && { deletionTimestamp: seconds(), deletionGracePeriodSeconds: 1 }),
    },
    spec: { ...(pod.program !== null && { nodeName: 'node-a' }), containers: [] },
    status: {
      phase: pod.phase,
      conditions: [],
      ...(Object.keys(pod.state).length > 0 && {
        containerStatuses: [
          {
            name: 'program',
            image: DOUBLE_IMAGE.reference,
            imageID: DOUBLE_IMAGE.reference,
            ready: false,
            restartCount: 0,
            state: pod.state,
          },
        ],
      }),
      ...pod.status,
    },
  });

  const jobBody = ({ body, uid, status }: StoredJob) => ({
    ...body,
    metadata: { ...body.metadata, uid, creationTimestamp: seconds() },
    status,
  });

  const selected = (
    labels: Readonly<Record<string, string>> | undefined,
    selector: string | null,
  ): boolean =>
    (selector ?? '')
      .split(',')
      .filter((pair) => pair !== '')
      .every((pair) => {
        const [key = '', value] = pair.split('=');
        return labels?.[key] === value;
      });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://cluster');
    const say = (code: number, body: unknown) => {
      response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    const refuse = (code: number, reason: string, message: string, details = {}) =>
      say(code, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message,
        reason,
        details,
        code,
      });
    const list = (kind: string, apiVersion: string, items: readonly unknown[]) =>
      say(200, { kind, apiVersion, metadata: { resourceVersion: '1' }, items });
    const text = await bodyOf(request);
    const method = request.method ?? 'GET';
    const asked = `${method} ${url.pathname}`;
    const fault = faults.find((each) => each.request.test(asked));
    if (fault !== undefined) {
      fault.times -= 1;
      if (fault.times === 0) faults.splice(faults.indexOf(fault), 1);
      return refuse(fault.code, fault.reason, `the double was told to say ${fault.reason}`);
    }
    if (request.headers.authorization !== 'Bearer of-the-double')
      return refuse(401, 'Unauthorized', 'Unauthorized');
    if (/^GET .version.?$/.test(asked))
      return say(200, { major: '1', minor: '32', gitVersion: 'v1.32.0-double' });

    const [, group = '', kind = '', name = '', sub = ''] =
      new RegExp(
        `^/(api/v1|apis/batch/v1|apis/networking\\.k8s\\.io/v1)/namespaces/${NAMESPACE}/(\\w+)(?:/([^/]+))?(?:/(\\w+))?$`,
      ).exec(url.pathname) ?? [];
    const selector = url.searchParams.get('labelSelector');
    const missing = () => refuse(404, 'NotFound', `${kind} "${name}" not found`, { name, kind });
    switch (`${method} ${group} ${kind}${name === '' ? '' : '/*'}${sub === '' ? '' : `/${sub}`}`) {
      case 'GET apis/networking.k8s.io/v1 networkpolicies':
        return list('NetworkPolicyList', 'networking.k8s.io/v1', double.policies);
      case 'GET api/v1 persistentvolumeclaims/*':
        return name === 'runs'
          ? say(200, {
              kind: 'PersistentVolumeClaim',
              apiVersion: 'v1',
              metadata: { name },
              status: { phase: double.claimPhase },
            })
          : missing();
      case 'GET apis/batch/v1 jobs':
        return list(
          'JobList',
          'batch/v1',
          [...jobs.values()]
            .filter(({ body }) => selected(body.metadata?.labels, selector))
            .map(jobBody),
        );
      case 'GET apis/batch/v1 jobs/*': {
        const job = jobs.get(name);
        return job === undefined ? missing() : say(200, jobBody(job));
      }
      case 'POST apis/batch/v1 jobs': {
        const body = JSON.parse(text) as V1Job;
        const spec = body.spec?.template.spec;
        const unknown = [
          ...unknownMembers('job', body),
          ...unknownMembers('job.spec', body.spec),
          ...unknownMembers('pod.spec', spec),
          ...unknownMembers('container', spec?.containers[0]),
        ];
        if (unknown.length > 0)
          return refuse(400, 'BadRequest', `unknown field ${unknown.join(', ')}`);
        const jobName = body.metadata?.name ?? '';
        if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(jobName))
          return refuse(422, 'Invalid', `Job.batch "${jobName}" is invalid: metadata.name`);
        for (const value of Object.values(body.metadata?.labels ?? {}))
          if (!/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(value))
            return refuse(422, 'Invalid', `Job.batch is invalid: metadata.labels: ${value}`);
        if (jobs.has(jobName))
          return refuse(409, 'AlreadyExists', `jobs.batch "${jobName}" already exists`);
        created.push(body);
        const job = { uid: randomUUID(), body, status: { active: 1 } };
        jobs.set(jobName, job);
        void schedule(jobName);
        return say(201, jobBody(job));
      }
      case 'DELETE apis/batch/v1 jobs/*': {
        const job = jobs.get(name);
        if (job === undefined) return missing();
        jobs.delete(name);
        if (url.searchParams.get('propagationPolicy') !== 'Orphan')
          for (const pod of pods.values()) if (pod.job === name) void deletePod(pod);
        return say(200, { kind: 'Status', apiVersion: 'v1', status: 'Success', metadata: {} });
      }
      case 'GET api/v1 pods':
        return list(
          'PodList',
          'v1',
          [...pods.values()].filter(({ labels }) => selected(labels, selector)).map(podBody),
        );
      case 'GET api/v1 pods/*/log': {
        const pod = pods.get(name);
        if (pod === undefined) return missing();
        if (pod.program === null)
          return refuse(
            400,
            'BadRequest',
            `container "program" in pod "${name}" is waiting to start: ContainerCreating`,
          );
        const limit = Number(url.searchParams.get('limitBytes') ?? pod.log.length);
        response.writeHead(200, { 'Content-Type': 'text/plain' }).end(pod.log.subarray(0, limit));
        return;
      }
      default:
        return refuse(404, 'NotFound', 'the server could not find the requested resource');
    }
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(JSON.stringify({ kind: 'Status', message: String(error), code: 500 }));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(volume, '..', `kubeconfig-${port}`);
  await writeFile(kubeconfig, configOf(port));
  return Object.assign(double, {
    kubeconfig,
    volume,
    created,
    objects: () => [...jobs.keys(), ...pods.keys()],
    leave: (name: string, labels: Readonly<Record<string, string>>) => {
      jobs.set(name, { uid: randomUUID(), body: { metadata: { name, labels } }, status: {} });
    },
    disrupt: (status: Record<string, unknown>) => {
      for (const pod of pods.values()) {
        pod.phase = 'Failed';
        pod.state = {};
        pod.status = status;
        pod.program?.kill();
      }
    },
    deletePods: () => {
      for (const pod of pods.values()) void deletePod(pod);
    },
    passDeadline: () => {
      for (const [name, job] of jobs) {
        job.status = {
          failed: 1,
          conditions: [
            {
              type: 'Failed',
              status: 'True',
              reason: 'DeadlineExceeded',
              message: 'Job was active longer than specified deadline',
            },
          ],
        };
        for (const pod of pods.values()) if (pod.job === name) void deletePod(pod);
      }
    },
    failNext: ({ times = 1, ...fault }: Parameters<KubernetesApiDouble['failNext']>[0]) => {
      faults.push({ ...fault, times });
    },
    close: async () => {
      if (closing) return;
      closing = true;
      for (const pod of pods.values()) {
        pod.program?.kill();
        await pod.program?.ended;
      }
      await rm(kubeconfig);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
};

/** The client takes plain HTTP only with the word about TLS. */
const configOf = (port: number): string => `apiVersion: v1
kind: Config
current-context: double
contexts: [{ name: double, context: { cluster: double, user: worker } }]
clusters: [{ name: double, cluster: { server: 'http://127.0.0.1:${port}', insecure-skip-tls-verify: true } }]
users: [{ name: worker, user: { token: of-the-double } }]
`;

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};
