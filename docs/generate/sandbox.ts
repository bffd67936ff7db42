import {
  LAYER_MEANINGS,
  LAYERS_BY_DEFAULT,
  SANDBOX_LAYERS,
} from '../../libs/harness/src/sandbox-layers.ts';
import { dockerLayers, podLayers } from '../../libs/executors/src/container-layers.ts';
import { layersOf } from '../../libs/sandbox/src/layers.ts';
import type { SandboxFacts } from '../../libs/sandbox/src/types.ts';
import { code, page, table } from './markdown.ts';

/** A machine that has everything. */
const EVERYTHING: SandboxFacts = {
  bwrap: '/usr/bin/bwrap',
  version: '',
  kernel: '',
  architecture: 'x64',
  user: 64738,
  group: 64738,
  changesUser: true,
  cgroupNamespace: true,
  cgroups: { kind: 'v2', folder: '' },
  landlock: { kind: 'setpriv' },
};

const NEEDS = {
  'own-user': 'a harness that is root',
  'cgroup-namespace': 'a kernel that has them',
  landlock: 'util-linux 2.40 or newer, a kernel with Landlock among its `lsm=`',
  'memory-cgroup': 'cgroups of version 2 where the harness may make one',
  'process-cgroup': 'the same, or version 1 and a harness that is root',
} as const satisfies Partial<Record<(typeof SANDBOX_LAYERS)[number], string>>;

const CONTAINER_NEEDS = {
  'own-user': 'a worker that is root',
  'cpu-limit': 'a limit of processors',
} as const satisfies Partial<Record<(typeof SANDBOX_LAYERS)[number], string>>;

/** What an executor has of a layer, and under what condition. */
const cell = (has: boolean, condition: string | undefined): string =>
  has ? (condition === undefined ? 'yes' : `with ${condition}`) : '–';

/** The reference of the sandbox's layers: `docs/reference/sandbox.md`. */
export const sandboxPage = (): string => {
  const docker = [...dockerLayers(1), 'own-user'];
  const pod = [...podLayers(), 'own-user'];
  return page('The sandbox', 'libs/harness/src/sandbox-layers.ts and libs/sandbox/src/layers.ts', [
    'A program that an agent changed runs behind layers that each stop something by themselves, so that a hole in one is not a hole in the wall. `holdfast doctor` tries to break each on this machine: a program inside attempts what the layer is to stop, and where it can be done without harm the same is attempted without the sandbox, since a barrier that nobody could pass anyway proves nothing.',
    table(
      [
        'layer',
        'what it promises',
        'sandbox of this machine',
        'Docker',
        'Kubernetes',
        'by default',
      ],
      layersOf(EVERYTHING).map(({ layer, ...state }) => [
        code(layer),
        LAYER_MEANINGS[layer],
        `${'by' in state ? state.by : ''}${layer in NEEDS ? `; needs ${NEEDS[layer as keyof typeof NEEDS]}` : ''}`,
        cell(docker.includes(layer), CONTAINER_NEEDS[layer as keyof typeof CONTAINER_NEEDS]),
        cell(
          pod.includes(layer),
          layer === 'own-user'
            ? CONTAINER_NEEDS[layer]
            : layer === 'no-network'
              ? 'network policies, which the cluster is trusted to enforce'
              : undefined,
        ),
        LAYERS_BY_DEFAULT.includes(layer) ? 'demanded' : '',
      ]),
    ),
    [
      'A study demands layers by name; unless it says otherwise, those that every supported place has:',
      '',
      '```yaml',
      'sandbox:',
      '  minimum: [own-user, no-network, network-namespace, read-only-files, landlock, seccomp, time-limit]',
      '```',
      '',
      '- **Opening a run** is refused (`sandbox-too-weak`) on a machine that lacks one of them, or where workers have announced themselves and none has them all. The message names each.',
      '- **A worker** that lacks one runs nothing of that study.',
      "- **Each result** carries the layers that held in its `isolation`, signed by its worker. The runner takes no result that lacks a demanded one, and a finding that rests on one is BLOCK by the row `isolation`. A worker's host can lie about it, as about what a program predicted: its signature says whose word it is.",
    ].join('\n'),
    [
      '## Where cgroups can be written',
      '',
      'The harness makes a group for each job and changes nothing else of the host. It needs a place for it: in version 2 a group beside its own, below one that hands `memory` and `pids` on and that it may write to. Under systemd:',
      '',
      '```ini',
      '[Service]',
      'User=holdfast',
      'Delegate=memory pids',
      'DelegateSubgroup=harness',
      '```',
      '',
      'Then a job has at most its memory, its files in memory and 32 MiB for the kernel (`memory.max`, no swap), and its processes and one (`pids.max`); when memory runs out the whole job ends (`memory.oom.group`), and what a killed harness left is ended and removed at the next opening. Of version 1 the process count alone is used, where a harness that is root may write it. Without either, memory is bounded by polling every 25 ms and for each process by the kernel, processes by their user namespace.',
    ].join('\n'),
    'Why Landlock comes by `setpriv`, and why the filter is a list of what may be called: [decision 29](../decisions/0029-layers-that-a-study-can-demand.md). What programs may still do: [threat model](../threat-model.md).',
  ]);
};
