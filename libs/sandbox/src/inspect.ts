import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
} from 'node:fs';
import type { SandboxFacts } from './types.ts';

const TMPFS = 0x01021994;

/**
 * A running sandbox as seen from outside, by descriptors on its own mounts. They stay readable when the last
 * process in it has died, so what the program wrote never touches a disk of the host and needs no unmounting.
 */
export interface Inside {
  /** `/out`, as a path that goes through the descriptor. */
  readonly output: string;
  /** Bytes and entries that lie in `/out`. */
  readonly outputUse: () => { bytes: number; entries: number };
  /** Entries in `/tmp` and `/dev/shm`: each costs kernel memory even when it is empty. */
  readonly scratchEntries: () => number;
  /** Bytes of memory that all processes made themselves. */
  readonly memoryUse: () => number;
  readonly close: () => void;
}

const field = (status: string, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? 'missing';

/** What is wrong with the wall around process `inner` (its pid inside), judged by the kernel's own words. */
const wallProblems = (proc: string, inner: string, facts: SandboxFacts): string[] => {
  const kinds = ['net', 'pid', 'mnt', 'ipc', 'user', 'uts'];
  if (facts.cgroupNamespace) kinds.push('cgroup');
  const status = readFileSync(`${proc}/${inner}/status`, 'utf8');
  const expect = (name: string, expected: RegExp) => {
    const found = field(status, name);
    return expected.test(found) ? [] : [`${name} is ${found}`];
  };
  const ids = (id: number) => new RegExp(`^${id}\\s+${id}\\s+${id}\\s+${id}$`);
  const shared = kinds.filter(
    (kind) => readlinkSync(`${proc}/${inner}/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`),
  );
  return [
    ...expect('Uid', ids(facts.user)),
    ...expect('Gid', ids(facts.group)),
    ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].flatMap((set) => expect(set, /^0+$/)),
    ...expect('NoNewPrivs', /^1$/),
    ...expect('Seccomp', /^2$/),
    ...shared.map((kind) => `the ${kind} namespace is the host's`),
  ];
};

/**
 * Opens the sandbox whose first process has `pid` on the host, while its gate (pid `inner` inside) still waits; `cgroup`
 * is the name of the group that it must be in.
 * Throws when the wall does not stand as it must: the program then never starts.
 */
export const lookInside = (
  pid: number,
  inner: string,
  facts: SandboxFacts,
  cgroup: string | null = null,
): Inside => {
  const opened: number[] = [];
  const close = () => {
    for (const descriptor of opened.splice(0)) closeSync(descriptor);
  };
  const open = (path: string): string => {
    const descriptor = openSync(
      `/proc/${pid}/root${path}`,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    opened.push(descriptor);
    return `/proc/self/fd/${descriptor}`;
  };
  try {
    const [output, proc, ...scratch] = [
      open('/out'),
      open('/proc'),
      open('/tmp'),
      open('/dev/shm'),
    ];
    const problems = wallProblems(proc, inner, facts);
    if (cgroup !== null && !readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${cgroup}\n`))
      problems.push(`it is not in its control group ${cgroup}`);
    for (const folder of [output, ...scratch]) {
      if (statfsSync(folder).type !== TMPFS) problems.push('a writable folder is not in memory');
    }
    if (problems.length > 0) throw new Error(problems.join('; '));

    /** The root folder of a tmpfs is an entry, too. */
    const entries = (folder: string) => {
      const { files, ffree } = statfsSync(folder);
      return files - ffree - 1;
    };
    return {
      output,
      outputUse: () => {
        const { blocks, bfree, bsize } = statfsSync(output);
        return { bytes: (blocks - bfree) * bsize, entries: entries(output) };
      },
      scratchEntries: () => scratch.reduce((sum, folder) => sum + entries(folder), 0),
      memoryUse: () => {
        let kilobytes = 0;
        for (const name of readdirSync(proc)) {
          if (!/^\d/.test(name)) continue;
          try {
            const status = readFileSync(`${proc}/${name}/status`, 'utf8');
            for (const kind of ['RssAnon', 'RssShmem', 'VmSwap']) {
              // A process without memory (a zombie) has no such lines.
              kilobytes += Number.parseInt(field(status, kind), 10) || 0;
            }
          } catch {
            // It ended between the two reads.
          }
        }
        return kilobytes * 1024;
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
};

const CLOSE_ON_EXEC = 0o2000000;

/** Descriptors above `last` that a child of this process would inherit: native code opened them carelessly. */
export const inheritableDescriptors = (last: number): number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => {
      if (descriptor <= last) return false;
      try {
        const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
        return (Number.parseInt(field(info, 'flags'), 8) & CLOSE_ON_EXEC) === 0;
      } catch {
        return false; // The descriptor of this very listing.
      }
    });

/** A process's start time in clock ticks, which with its pid names it for ever; null when it is gone or a zombie. */
export const startTime = (pid: number): string | null => {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
};
