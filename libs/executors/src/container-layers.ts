import type { SandboxLayer } from '#libs/harness';

/** What a container of either kind has, in the order of SANDBOX_LAYERS; each adapter adds its own. */
const OF_EVERY_CONTAINER: readonly SandboxLayer[] = [
  'no-capabilities',
  'no-new-privileges',
  'pid-namespace',
  'no-network',
  'ipc-namespace',
  'uts-namespace',
  'mount-namespace',
  'read-only-files',
  'seccomp',
  'own-environment',
  'closed-descriptors',
  'memory-limit',
  'memory-cgroup',
  'output-limit',
  'scratch-limit',
  'time-limit',
];

/** A worker that is not root gives programs its own user. */
const ownUser = (): readonly SandboxLayer[] => (process.geteuid?.() === 0 ? ['own-user'] : []);

/** A container of Docker: the engine was asked for each of these, and the container looked at before it starts. */
export const dockerLayers = (cpus: number | null): readonly SandboxLayer[] => [
  ...ownUser(),
  ...OF_EVERY_CONTAINER,
  'network-namespace',
  'process-limit',
  'process-cgroup',
  'file-size-limit',
  ...(cpus === null ? [] : (['cpu-limit'] as const)),
];

/**
 * A pod of Kubernetes. Its network is kept away by policies, and its processes are bounded by the node, if at all: a
 * study that demands `network-namespace` or `process-limit` is not for it.
 */
export const podLayers = (): readonly SandboxLayer[] => [
  ...ownUser(),
  ...OF_EVERY_CONTAINER,
  'cpu-limit',
];
