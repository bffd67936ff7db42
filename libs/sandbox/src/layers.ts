import type { SandboxLayer } from '#libs/harness';
import { SCRATCH_BYTES } from './arguments.ts';
import { ALLOWED, CONDITIONAL } from './seccomp-table.ts';
import type { SandboxFacts } from './types.ts';

/** A layer of this machine's sandbox: what makes it, or why it is not there and what to do. */
export type LayerState =
  | { readonly layer: SandboxLayer; readonly on: true; readonly by: string }
  | { readonly layer: SandboxLayer; readonly on: false; readonly why: string };

const by = (what: string) => ({ on: true as const, by: what });
const lacking = (why: string) => ({ on: false as const, why });

const CALLS = Object.keys(ALLOWED).length + Object.keys(CONDITIONAL).length;

type Made = ReturnType<typeof by> | ReturnType<typeof lacking>;

const made = (facts: SandboxFacts): Readonly<Record<SandboxLayer, Made>> => {
  const { cgroups, landlock } = facts;
  return {
    'own-user': facts.changesUser
      ? by(`setpriv, to user ${facts.user}`)
      : lacking(
          `programs have the user ${facts.user} of the harness: only a harness that is root can give them another`,
        ),
    'no-capabilities': by('bubblewrap --cap-drop ALL'),
    'no-new-privileges': by('PR_SET_NO_NEW_PRIVS'),
    'user-namespace': by('bubblewrap --unshare-user --disable-userns'),
    'pid-namespace': by('bubblewrap --unshare-pid'),
    'no-network': by('a network namespace of its own'),
    'network-namespace': by('bubblewrap --unshare-net'),
    'ipc-namespace': by('bubblewrap --unshare-ipc'),
    'uts-namespace': by('bubblewrap --unshare-uts'),
    'cgroup-namespace': facts.cgroupNamespace
      ? by('bubblewrap --unshare-cgroup-try')
      : lacking('the kernel has none (/proc/self/ns/cgroup is not there)'),
    'mount-namespace': by('bubblewrap, on an empty root'),
    'read-only-files': by('read-only binds, /dev and / remounted read-only'),
    landlock:
      landlock.kind === 'setpriv' ? by('setpriv --landlock-access fs') : lacking(landlock.why),
    seccomp: by(`our filter: ${CALLS} calls of a list, no other`),
    'own-environment': by('an empty environment from the start'),
    'closed-descriptors': by('a gate inside that looks before the program starts'),
    'memory-limit': by('prlimit --data a process, polling the tree'),
    'memory-cgroup':
      cgroups.kind === 'v2'
        ? by('cgroup v2 memory.max, no swap')
        : lacking(
            cgroups.kind === 'none'
              ? cgroups.why
              : 'version 1 of cgroups is used for processes only; boot with version 2, and delegate memory and pids',
          ),
    'process-limit': by('prlimit --nproc in its own user namespace'),
    'process-cgroup':
      cgroups.kind === 'none'
        ? lacking(cgroups.why)
        : by(`cgroup ${cgroups.kind === 'v2' ? 'v2' : 'v1'} pids.max`),
    'cpu-limit': by('prlimit --cpu a process, the clock for all'),
    'file-size-limit': by('prlimit --fsize'),
    'output-limit': by('a sized tmpfs, polled'),
    'scratch-limit': by(`tmpfs of ${SCRATCH_BYTES / 1024 / 1024} MiB each, polled for empty files`),
    'time-limit': by('the clock of the harness; the pid namespace leaves none'),
  };
};

/** Every layer that this machine's sandbox has or lacks, in the order of reports. */
export const layersOf = (facts: SandboxFacts): readonly LayerState[] =>
  (Object.entries(made(facts)) as [SandboxLayer, Made][]).map(([layer, state]) => ({
    layer,
    ...state,
  }));
