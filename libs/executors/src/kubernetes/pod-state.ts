import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { Ending } from '#libs/sandbox';
import { endingOf, type Ended } from '../conclude.ts';
import { CONTAINER } from './job-spec.ts';

/** How a job stands, from what the API server says of it and of its pods. */
export type JobState =
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'running'; readonly pod: string; readonly node: string | null }
  | {
      readonly kind: 'ended';
      readonly pod: string;
      readonly node: string | null;
      readonly ending: Ended['ending'];
      /** By the node's clock, in whole seconds. */
      readonly durationMs: number;
    }
  /** The cluster's own deadline came first. */
  | { readonly kind: 'deadline' }
  /** The cluster's doing: nothing that it says of the program counts. */
  | { readonly kind: 'lost'; readonly why: string };

/** Reasons why a container waits that no waiting cures. */
const HOPELESS = [
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImagePullBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
];

/** Evictions by the pod's own doing: it wrote more than it may. */
const OWN_EVICTION =
  /exceeds the (?:total )?limit|exceeded its local ephemeral storage limit|ephemeral local storage usage exceeds/i;

/** `started` is whether the program was ever seen to run. */
export const jobState = (job: V1Job | null, pods: readonly V1Pod[], started: boolean): JobState => {
  if (job === null) return { kind: 'lost', why: 'the job is gone' };
  const failed = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Failed' || type === 'FailureTarget') && status === 'True',
  );
  if (failed?.reason === 'DeadlineExceeded')
    return started ? { kind: 'deadline' } : { kind: 'lost', why: 'it never got to run in time' };
  const [pod, ...others] = pods;
  if (others.length > 0) return { kind: 'lost', why: 'it has more than one pod' };
  if (pod === undefined) {
    if (failed !== undefined)
      return { kind: 'lost', why: `no pod, ${failed.reason ?? '?'}: ${failed.message ?? ''}` };
    return started
      ? { kind: 'lost', why: 'its pod is gone' }
      : { kind: 'waiting', why: 'it has no pod yet' };
  }
  return podState(pod);
};

const podState = (pod: V1Pod): JobState => {
  const name = pod.metadata?.name ?? '';
  const node = pod.spec?.nodeName ?? null;
  const { phase, reason, message = '', conditions = [], containerStatuses = [] } = pod.status ?? {};
  const status = containerStatuses.find((each) => each.name === CONTAINER);
  const terminated = status?.state?.terminated;
  if (reason === 'Evicted' && OWN_EVICTION.test(message))
    return ended(name, node, 'output-too-large', 0, terminated);
  const disrupted = conditions.find(
    ({ type, status: is }) => type === 'DisruptionTarget' && is === 'True',
  );
  if (disrupted !== undefined)
    return { kind: 'lost', why: `${disrupted.reason ?? 'disrupted'}: ${disrupted.message ?? ''}` };
  // Evicted, NodeLost, Shutdown, NodeAffinity, Preempting, UnexpectedAdmissionError and whatever comes.
  if (reason !== undefined && reason !== '') return { kind: 'lost', why: `${reason}: ${message}` };
  if (phase === 'Unknown') return { kind: 'lost', why: 'nobody knows how its pod is' };
  if (terminated !== undefined) {
    if (terminated.reason === 'OOMKilled')
      return ended(name, node, 'memory-exceeded', terminated.exitCode, terminated);
    // The kubelet's word for a container that it could not start, or lost track of.
    if (
      ['ContainerCannotRun', 'StartError', 'ContainerStatusUnknown'].includes(
        terminated.reason ?? '',
      )
    )
      return { kind: 'lost', why: `${terminated.reason ?? ''}: ${terminated.message ?? ''}` };
    if (pod.metadata?.deletionTimestamp !== undefined)
      return { kind: 'lost', why: 'its pod is being deleted' };
    return ended(name, node, null, terminated.exitCode, terminated);
  }
  if (pod.metadata?.deletionTimestamp !== undefined)
    return { kind: 'lost', why: 'its pod is being deleted' };
  if (phase === 'Failed') return { kind: 'lost', why: `its pod failed without a word: ${message}` };
  if (status?.state?.running !== undefined) return { kind: 'running', pod: name, node };
  const waiting = status?.state?.waiting;
  if (waiting !== undefined && HOPELESS.includes(waiting.reason ?? ''))
    return { kind: 'lost', why: `${waiting.reason ?? ''}: ${waiting.message ?? ''}` };
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  const why =
    waiting?.reason ?? (scheduled?.status === 'False' ? scheduled.message : undefined) ?? phase;
  return { kind: 'waiting', why: why ?? 'no state' };
};

const ended = (
  pod: string,
  node: string | null,
  stopped: Ending | null,
  status: number,
  times: { readonly startedAt?: Date; readonly finishedAt?: Date } | undefined,
): JobState => ({
  kind: 'ended',
  pod,
  node,
  ending: endingOf(stopped, status),
  durationMs: Math.max(0, (times?.finishedAt?.getTime() ?? 0) - (times?.startedAt?.getTime() ?? 0)),
});
