import { randomUUID } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isHeld, thisHolder } from './holder.ts';
import type { CgroupFacts } from './types.ts';

/*
 * Control groups (Linux `Documentation/admin-guide/cgroup-v2.rst`, `cgroup-v1/pids.rst`). The harness changes nothing of
 * the host but makes one group for each job, where the host lets it, and removes it. In version 2 that is beside its own
 * group, or below it, where processes and memory are already handed on to groups there: to hand them on itself it would have
 * to move every process out of its own group. Of version 1, which kernels are taking their leave of, only the process
 * count is used.
 */

/** Where the kernel says what is mounted, and in which groups this process is. */
export interface CgroupPlaces {
  /** As `/proc/self/mountinfo`. */
  readonly mountinfo: string;
  /** As `/proc/self/cgroup`. */
  readonly cgroup: string;
}

const PLACES: CgroupPlaces = { mountinfo: '/proc/self/mountinfo', cgroup: '/proc/self/cgroup' };

/** Groups of this harness begin so; what follows names its process, so that what a killed one left is told apart. */
const PREFIX = 'holdfast-';
const HELD_BY = /^holdfast-(\d+-\d+-\d+)-/;

const HOW =
  'start the harness in a group of its own below one that is delegated with memory and pids (systemd: Delegate=memory pids and DelegateSubgroup=harness)';

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Octal escapes stand for the blanks in a path. */
const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

const mountsOf = (mountinfo: string): readonly Mount[] =>
  mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ');
      const rest = fields.slice(fields.indexOf('-') + 1);
      return {
        root: unescaped(fields[3] ?? ''),
        point: unescaped(fields[4] ?? ''),
        type: rest[0] ?? '',
        options: (rest[2] ?? '').split(','),
      };
    });

/** The folder of a group as this process sees it; null where the mount does not show it. */
const folderOf = ({ root, point }: Mount, group: string): string | null => {
  if (root === '/' || root === group) return join(point, root === '/' ? group : '');
  return group.startsWith(`${root}/`) ? join(point, group.slice(root.length)) : null;
};

const canWrite = (...paths: readonly string[]): boolean => {
  try {
    for (const path of paths) accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

/** Finds out where jobs' groups can be made. Changes nothing. */
export const detectCgroups = (places: CgroupPlaces = PLACES): CgroupFacts => {
  const mounts = mountsOf(read(places.mountinfo));
  const groups = read(places.cgroup)
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, controllers = '', path = '']) => ({ controllers: controllers.split(','), path }));

  const second = mounts.find(({ type }) => type === 'cgroup2');
  const own = groups.find(({ controllers }) => controllers.join() === '');
  const folder = second && own ? folderOf(second, own.path) : null;
  if (second !== undefined && folder !== null) {
    for (const candidate of folder === second.point ? [folder] : [dirname(folder), folder]) {
      const handed = read(join(candidate, 'cgroup.subtree_control')).split(' ');
      const isHanded = ['memory', 'pids'].every((controller) => handed.includes(controller));
      if (isHanded && canWrite(candidate, join(candidate, 'cgroup.procs')))
        return { kind: 'v2', folder: candidate };
    }
  }

  const first = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('pids'));
  const pids = groups.find(({ controllers }) => controllers.includes('pids'));
  const counted = first && pids ? folderOf(first, pids.path) : null;
  if (counted !== null && canWrite(counted, join(counted, 'cgroup.procs')))
    return { kind: 'v1-pids', folder: counted };
  if (folder === null && counted === null)
    return { kind: 'none', why: 'no cgroup file system shows the group of the harness' };
  return { kind: 'none', why: `no group that hands memory and pids on may be written; ${HOW}` };
};

export interface CgroupLimits {
  /** Processes and threads. */
  readonly processes: number;
  /** Of everything: anonymous memory, files in memory, what the kernel keeps for them. */
  readonly memoryBytes: number;
}

/** The group of one job. */
export interface JobCgroup {
  /** Whoever writes 0 to this file is in the group from then on, with every child. */
  readonly procs: string;
  /** As it stands in `/proc/<pid>/cgroup` of a process in it: the last part of the path. */
  readonly name: string;
  /** Whether the kernel ended a process for want of memory. */
  readonly ranOutOfMemory: () => boolean;
  /** Ends all that is in it, where the kernel offers that at one stroke. */
  readonly kill: () => void;
  /** Removes it; throws when something in it lives on for too long. */
  readonly remove: () => Promise<void>;
}

/** A group is made by making its folder, and removed with the files in it; a double of the file system has to do more. */
export interface CgroupFiles {
  readonly make: (folder: string) => void;
  readonly remove: (folder: string) => void;
}

const FILES: CgroupFiles = { make: mkdirSync, remove: rmdirSync };

const GONE_MS = 2_000;

/** Ended processes may lie in their group for a moment. */
const removed = async (folder: string, files: CgroupFiles): Promise<void> => {
  const until = performance.now() + GONE_MS;
  for (;;) {
    try {
      files.remove(folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || performance.now() > until)
        throw new Error(`the group ${folder} can't be removed (${code ?? 'unknown'})`, {
          cause: error,
        });
      await wait(1);
    }
  }
};

/** Besides the pid namespace, which ends all the same: where it fails, nothing is lost. */
const killAll = (folder: string): void => {
  const stroke = join(folder, 'cgroup.kill');
  try {
    if (existsSync(stroke)) writeFileSync(stroke, '1');
    // Version 1 has no such stroke. Bubblewrap's first process in its namespace waits for ever where the one that
    // started it was killed before it said go.
    else
      for (const pid of read(join(folder, 'cgroup.procs')).split('\n'))
        // 0 is somebody whom this process can't see; to kill 0 would be to kill one's own group.
        if (Number(pid) > 1) process.kill(Number(pid), 'SIGKILL');
  } catch {
    // The group is gone, or may not be ended so.
  }
};

/** Makes the group of a job; null where there is no place for one. Throws where the host refuses after all. */
export const makeCgroup = (
  facts: CgroupFacts,
  limits: CgroupLimits,
  files: CgroupFiles = FILES,
): JobCgroup | null => {
  if (facts.kind === 'none') return null;
  const name = `${PREFIX}${thisHolder()}-${randomUUID().slice(0, 8)}`;
  const folder = join(facts.folder, name);
  files.make(folder);
  const set = (file: string, value: string) => writeFileSync(join(folder, file), value);
  try {
    set('pids.max', String(limits.processes));
    if (facts.kind === 'v2') {
      set('memory.max', String(limits.memoryBytes));
      // Swap is there only where the kernel counts it.
      if (existsSync(join(folder, 'memory.swap.max'))) set('memory.swap.max', '0');
      set('memory.oom.group', '1');
    }
  } catch (error) {
    files.remove(folder);
    throw error;
  }
  return {
    procs: join(folder, 'cgroup.procs'),
    name,
    ranOutOfMemory: () =>
      Number(/^oom_kill (\d+)$/m.exec(read(join(folder, 'memory.events')))?.[1] ?? 0) > 0,
    kill: () => killAll(folder),
    remove: () => removed(folder, files),
  };
};

/** Removes the groups of harnesses that are gone, with what may still run in them. */
export const removeStaleCgroups = async (
  facts: CgroupFacts,
  files: CgroupFiles = FILES,
): Promise<void> => {
  if (facts.kind === 'none') return;
  for (const name of readdirSync(facts.folder)) {
    const holder = HELD_BY.exec(name)?.[1];
    if (holder === undefined) continue;
    const folder = join(facts.folder, name);
    try {
      if (isHeld(holder, statSync(folder).mtimeMs)) continue;
      killAll(folder);
      await removed(folder, files);
    } catch {
      // Another harness that starts removes it at the same time, or it is not ours to remove.
    }
  }
};
