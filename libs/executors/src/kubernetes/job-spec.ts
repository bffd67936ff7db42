import type { V1Job } from '@kubernetes/client-node';
import { profileOf, DEVICE_PROFILES } from '../device-profile.ts';
import { containerEnvironment, type ExecutorJob } from '../port.ts';
import { shortName, type RunFolder } from '../run-folder.ts';
import type { KubernetesOptions } from './options.ts';

const MIB = 1024 * 1024;
/** Seconds after which the cluster itself removes an ended job that nobody did. */
const TTL_SECONDS = 3600;
/** Past the program's own time and its wait: the net under a worker that died. */
const DEADLINE_SLACK_SECONDS = 120;
/** What the node may write for a pod besides volumes: its log. */
const EPHEMERAL_MB = 64;

export const CONTAINER = 'program';

const LABEL_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Label values are short and plain; a name that isn't is shown by its digest, and whole in an annotation. */
export const labelValue = (text: string): string =>
  LABEL_VALUE.test(text) ? text : shortName(text);

export const ownerLabels = (worker: string) => ({
  'app.kubernetes.io/managed-by': 'holdfast',
  'app.kubernetes.io/component': 'training',
  'holdfast.worker': labelValue(worker),
});

export const jobLabels = (worker: string, { owner }: Pick<ExecutorJob, 'owner'>) => ({
  ...ownerLabels(worker),
  'holdfast.run': labelValue(owner.runId),
  'holdfast.training': labelValue(owner.trainingId),
});

export interface JobParts extends Omit<KubernetesOptions, 'access' | 'image'> {
  readonly name: string;
  readonly imageReference: string;
  readonly user: { readonly user: number; readonly group: number };
}

export const clusterProfile = ({ devices = null }: Pick<KubernetesOptions, 'devices'>) =>
  devices === null ? profileOf(null) : DEVICE_PROFILES.cuda;

/** The Job for one run: one pod, never a second one. */
export const jobSpec = (
  job: ExecutorJob,
  folder: Pick<RunFolder, 'inputs' | 'output'>,
  parts: JobParts,
): V1Job => {
  const { devices = null, cpus = 1, pendingSeconds = 600, runtimeClass = null } = parts;
  const labels = jobLabels(parts.worker, job);
  const scratch = `${clusterProfile(parts).scratchBytes / MIB}Mi`;
  const resources = {
    cpu: String(cpus),
    memory: `${job.limits.memoryMb}Mi`,
    'ephemeral-storage': `${EPHEMERAL_MB}Mi`,
    ...(devices !== null && { [devices.resource]: String(devices.count) }),
  };
  const environment = {
    ...containerEnvironment(job),
    // With devices, the cluster's plugin says which; without, an image must not ask for all of them.
    ...(devices === null
      ? { NVIDIA_VISIBLE_DEVICES: 'void' }
      : { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }),
  };
  const annotations = {
    'holdfast.run': job.owner.runId,
    'holdfast.training': job.owner.trainingId,
    'holdfast.worker': parts.worker,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: parts.name, namespace: parts.namespace, labels, annotations },
    spec: {
      backoffLimit: 0,
      parallelism: 1,
      completions: 1,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds:
        Math.ceil(job.limits.seconds) + pendingSeconds + DEADLINE_SLACK_SECONDS,
      ttlSecondsAfterFinished: TTL_SECONDS,
      template: {
        metadata: { labels, annotations },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          hostNetwork: false,
          hostPID: false,
          hostIPC: false,
          // None would free the pod's name before its processes are known to be dead.
          terminationGracePeriodSeconds: 1,
          ...(runtimeClass !== null && { runtimeClassName: runtimeClass }),
          ...(parts.nodeSelector && { nodeSelector: { ...parts.nodeSelector } }),
          ...(parts.tolerations && { tolerations: parts.tolerations.map((each) => ({ ...each })) }),
          securityContext: {
            runAsNonRoot: true,
            runAsUser: parts.user.user,
            runAsGroup: parts.user.group,
            // No fsGroup: the volume is others' too, and a kubelet would hand all of it to this group. What the program
            // may write is given to its user when it is laid out.
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: CONTAINER,
              image: parts.imageReference,
              imagePullPolicy: 'IfNotPresent',
              command: [...(parts.command ?? ['node'])],
              args: [`/program/${job.entry}`],
              workingDir: '/tmp',
              env: Object.entries(environment).map(([name, value]) => ({ name, value })),
              securityContext: {
                allowPrivilegeEscalation: false,
                privileged: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              resources: { requests: resources, limits: resources },
              volumeMounts: [
                ...folder.inputs.map(({ path, to }) => ({
                  name: 'runs',
                  mountPath: to,
                  subPath: path,
                  readOnly: true,
                })),
                { name: 'runs', mountPath: '/out', subPath: folder.output.path },
                { name: 'tmp', mountPath: '/tmp' },
                { name: 'shm', mountPath: '/dev/shm' },
              ],
            },
          ],
          volumes: [
            { name: 'runs', persistentVolumeClaim: { claimName: parts.volume.claim } },
            // In memory: a full one refuses to be written to, where one on a disk would have the pod evicted.
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: scratch } },
            { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: scratch } },
          ],
        },
      },
    },
  };
};
