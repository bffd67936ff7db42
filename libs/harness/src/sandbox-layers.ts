/**
 * What a sandbox is made of, whoever makes it. Each layer stops something by itself, so that a hole in one is not a
 * hole in the wall. The order is that of reports.
 */
export const SANDBOX_LAYERS = [
  'own-user',
  'no-capabilities',
  'no-new-privileges',
  'user-namespace',
  'pid-namespace',
  'no-network',
  'network-namespace',
  'ipc-namespace',
  'uts-namespace',
  'cgroup-namespace',
  'mount-namespace',
  'read-only-files',
  'landlock',
  'seccomp',
  'own-environment',
  'closed-descriptors',
  'memory-limit',
  'memory-cgroup',
  'process-limit',
  'process-cgroup',
  'cpu-limit',
  'file-size-limit',
  'output-limit',
  'scratch-limit',
  'time-limit',
] as const;
export type SandboxLayer = (typeof SANDBOX_LAYERS)[number];

/** What each layer promises, in one sentence for people. */
export const LAYER_MEANINGS: Readonly<Record<SandboxLayer, string>> = {
  'own-user': "The program has a user of the host that is neither root nor the harness's.",
  'no-capabilities': 'It has no capability, and can get none.',
  'no-new-privileges': 'No program that it starts gains a privilege: set-user-id bits do nothing.',
  'user-namespace': 'It lives in a user namespace of its own, and can make no further namespace.',
  'pid-namespace':
    'It sees and signals no process but its own, and all of them die with the first.',
  'no-network': 'It reaches no other machine, and no service of this one.',
  'network-namespace': 'The kernel gives it no network interface but a loopback of its own.',
  'ipc-namespace': 'It shares no System V and no POSIX object with the host.',
  'uts-namespace': "It can't see or change the host's name.",
  'cgroup-namespace': "It can't see where in the host's cgroups it is.",
  'mount-namespace':
    "It sees nothing of the host's files but the system's programs and what is shown.",
  'read-only-files':
    'It can change nothing that it is shown, and write only to its output and scratch folders.',
  landlock: 'The kernel checks the same by paths once more, whatever is mounted.',
  seccomp: 'It can make only those system calls that programs live on.',
  'own-environment': 'It gets no variable of the harness, its worker or its engine.',
  'closed-descriptors': 'It gets no file or socket that the harness has open.',
  'memory-limit': 'The memory of all its processes is bounded.',
  'memory-cgroup': 'The kernel bounds it as a whole, what its files in memory take included.',
  'process-limit': 'The number of its processes and threads is bounded.',
  'process-cgroup': 'The kernel bounds it as a whole, whatever users they have.',
  'cpu-limit': 'Its processor time is bounded.',
  'file-size-limit': 'No single file that it writes grows past a bound.',
  'output-limit': 'What it may hand over is bounded in bytes and in files.',
  'scratch-limit': 'Its temporary folders are bounded.',
  'time-limit': 'It ends at its time, with every descendant.',
};

/** What every supported place offers: Docker and Kubernetes too, and a harness that is no root. */
export const LAYERS_BY_DEFAULT: readonly SandboxLayer[] = [
  'no-capabilities',
  'no-new-privileges',
  'pid-namespace',
  'no-network',
  'ipc-namespace',
  'mount-namespace',
  'read-only-files',
  'seccomp',
  'own-environment',
  'closed-descriptors',
  'memory-limit',
  'output-limit',
  'scratch-limit',
  'time-limit',
];

/** Those of the demanded layers that are not among those that held. */
export const missingLayers = (
  demanded: readonly SandboxLayer[],
  held: readonly string[],
): readonly SandboxLayer[] => demanded.filter((layer) => !held.includes(layer));

/** The executor in the isolation record of a training that no worker ran to an end. */
export const NO_EXECUTOR = 'none';

/** Whether a failed training's isolation record says that no program ran: there was none to contain. */
export const ranNothing = (isolation: Readonly<Record<string, unknown>>): boolean =>
  isolation.executor === NO_EXECUTOR;

/** The layers that a training's isolation record names: `layers`, separated by spaces. A record that says none names none. */
export const layersOfRecord = (isolation: Readonly<Record<string, unknown>>): readonly string[] => {
  const { layers } = isolation;
  return typeof layers === 'string' ? layers.split(' ').filter((layer) => layer !== '') : [];
};
