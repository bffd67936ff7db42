import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CgroupFiles, detectCgroups, makeCgroup, removeStaleCgroups } from './cgroups.ts';
import { thisHolder } from './holder.ts';
import type { CgroupFacts } from './types.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cgroups-spec-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/*
 * A double of a cgroup file system: a plain folder with the files that the kernel would put into each group. It bounds
 * nothing; what is shown on it is where groups are looked for, what is written into them, and that they go.
 */
const put = (group: string, files: Readonly<Record<string, string>>): void => {
  mkdirSync(join(folder, group), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, group, name), text);
};

const places = (mounts: string, groups: string) => {
  writeFileSync(join(folder, 'mountinfo'), mounts);
  writeFileSync(join(folder, 'groups'), groups);
  return { mountinfo: join(folder, 'mountinfo'), cgroup: join(folder, 'groups') };
};

const V2 = () => `25 1 0:22 / ${folder}/v2 rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n`;
const V1 = () => `26 1 0:23 / ${folder}/pids rw - cgroup cgroup rw,pids\n`;

/** What the kernel does when a group's folder is made and removed. */
const doubleFiles = (extra: Readonly<Record<string, string>> = {}): CgroupFiles => ({
  make: (path) => {
    mkdirSync(path);
    const files = { 'cgroup.procs': '', 'pids.max': 'max', 'memory.events': '', ...extra };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  },
  remove: (path) => {
    if (readFileSync(join(path, 'cgroup.procs'), 'utf8') !== '')
      throw Object.assign(new Error('busy'), { code: 'EBUSY' });
    rmSync(path, { recursive: true });
  },
});

const HANDED = { 'cgroup.subtree_control': 'cpu memory pids\n', 'cgroup.procs': '' };

describe('where groups can be made, on a double of the file system', () => {
  it('is beside the group of the harness, below one that hands memory and pids on', () => {
    put('v2/service', HANDED);
    put('v2/service/harness', { 'cgroup.subtree_control': '\n', 'cgroup.procs': '' });
    expect(detectCgroups(places(V2(), '0::/service/harness\n'))).toEqual({
      kind: 'v2',
      folder: join(folder, 'v2/service'),
    });
  });

  it('is below the root group where that hands them on', () => {
    put('v2', HANDED);
    expect(detectCgroups(places(V2(), '0::/\n'))).toMatchObject({ kind: 'v2' });
  });

  it('is seen through a mount of a part of the tree', () => {
    put('v2/harness', { 'cgroup.subtree_control': '\n', 'cgroup.procs': '' });
    put('v2', HANDED);
    const mount = `25 1 0:22 /docker/abc ${folder}/v2 rw - cgroup2 cgroup2 rw\n`;
    expect(detectCgroups(places(mount, '0::/docker/abc/harness\n'))).toMatchObject({
      kind: 'v2',
      folder: join(folder, 'v2'),
    });
  });

  it('is nowhere where processes alone are handed on, and says how to come by it', () => {
    put('v2/service', { ...HANDED, 'cgroup.subtree_control': 'pids\n' });
    put('v2/service/harness', HANDED);
    rmSync(join(folder, 'v2/service/harness/cgroup.subtree_control'));
    const found = detectCgroups(places(V2(), '0::/service/harness\n'));
    expect(found).toMatchObject({ kind: 'none' });
    expect(JSON.stringify(found)).toContain('Delegate=memory pids');
  });

  it('is in version 1 where only that is there, for processes', () => {
    put('pids/session', { 'cgroup.procs': '' });
    const groups = '8:pids:/session\n4:memory:/elsewhere\n0::/\n';
    expect(detectCgroups(places(V1(), groups))).toEqual({
      kind: 'v1-pids',
      folder: join(folder, 'pids/session'),
    });
  });

  it('is nowhere without a cgroup file system', () => {
    expect(detectCgroups(places('', '0::/\n'))).toMatchObject({ kind: 'none' });
    expect(
      detectCgroups({ mountinfo: join(folder, 'gone'), cgroup: join(folder, 'gone') }),
    ).toMatchObject({ kind: 'none' });
  });

  it.skipIf(process.geteuid?.() === 0)('is nowhere where it may not be written', async () => {
    put('pids', { 'cgroup.procs': '' });
    await chmod(join(folder, 'pids'), 0o555);
    expect(detectCgroups(places(V1(), '8:pids:/\n'))).toMatchObject({ kind: 'none' });
  });
});

describe("a job's group, on a double of the file system", () => {
  const facts = (): CgroupFacts => ({ kind: 'v2', folder });
  const limits = { processes: 17, memoryBytes: 123_456_789 };
  const content = (procs: string, name: string) => readFileSync(join(dirname(procs), name), 'utf8');

  it('has its bounds before anything is in it, and takes the whole group when memory runs out', async () => {
    const files = doubleFiles({ 'memory.swap.max': 'max' });
    const group = makeCgroup(facts(), limits, files);
    if (group === null) throw new Error('none');
    expect(content(group.procs, 'pids.max')).toBe('17');
    expect(content(group.procs, 'memory.max')).toBe('123456789');
    expect(content(group.procs, 'memory.swap.max')).toBe('0');
    expect(content(group.procs, 'memory.oom.group')).toBe('1');
    expect(basename(dirname(group.procs))).toBe(group.name);
    expect(group.ranOutOfMemory()).toBe(false);
    writeFileSync(join(dirname(group.procs), 'memory.events'), 'low 0\noom 1\noom_kill 3\n');
    expect(group.ranOutOfMemory()).toBe(true);
    await group.remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is ended at one stroke where the kernel can', () => {
    const group = makeCgroup(facts(), limits, doubleFiles({ 'cgroup.kill': '' }));
    group?.kill();
    expect(content(group?.procs ?? '', 'cgroup.kill')).toBe('1');
  });

  it('says when something in it lives on', async () => {
    const group = makeCgroup(facts(), limits, doubleFiles());
    writeFileSync(group?.procs ?? '', '4711\n');
    await expect(group?.remove()).rejects.toThrow(/can't be removed \(EBUSY\)/);
  });

  it('is left by nobody when a bound is refused', () => {
    const files = doubleFiles();
    const refusing: CgroupFiles = {
      ...files,
      make: (path) => {
        files.make(path);
        // A folder where the file should be can't be written to.
        mkdirSync(join(path, 'memory.max'));
      },
    };
    expect(() => makeCgroup(facts(), limits, refusing)).toThrow('EISDIR');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is removed at the next opening when its harness is gone, and no other is', async () => {
    const files = doubleFiles();
    const [namespace = '', pid = '', start = ''] = thisHolder().split('-');
    const gone = `holdfast-${namespace}-${pid}-${Number(start) - 1}-00000000`;
    const mine = `holdfast-${thisHolder()}-00000000`;
    const elsewhere = `holdfast-1-${pid}-${start}-00000000`;
    for (const name of [gone, mine, elsewhere, 'system.slice']) files.make(join(folder, name));
    writeFileSync(join(folder, 'plain-file'), '');
    await removeStaleCgroups(facts(), files);
    expect(readdirSync(folder).toSorted()).toEqual(
      [mine, elsewhere, 'system.slice', 'plain-file'].toSorted(),
    );
  });

  it('is not made where there is no place for it', () => {
    expect(makeCgroup({ kind: 'none', why: 'no' }, limits)).toBeNull();
  });
});

const here = detectCgroups();

describe.skipIf(here.kind === 'none')("a job's group on this machine", () => {
  it('goes with what still runs in it, when its harness is gone', async () => {
    if (here.kind === 'none') throw new Error('none');
    const [namespace = '', pid = '', start = ''] = thisHolder().split('-');
    const gone = `${namespace}-${pid}-${Number(start) - 1}`;
    const group = join(here.folder, `holdfast-${gone}-${randomUUID().slice(0, 8)}`);
    mkdirSync(group);
    const enter = 'echo 0 > "$0" && echo in && exec sleep 1000';
    const sleeper = spawn('/bin/sh', ['-c', enter, join(group, 'cgroup.procs')]);
    const ended = once(sleeper, 'exit');
    await once(sleeper.stdout, 'data');
    await removeStaleCgroups(here);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(group)).toBe(false);
  });

  it('bounds processes, those of root too', async () => {
    const group = makeCgroup(here, { processes: 3, memoryBytes: 256 * 1024 * 1024 });
    if (group === null) throw new Error('none');
    try {
      const forks = 'for n in 1 2 3 4 5 6; do sleep 0.2 & done; echo all';
      const enter = 'echo 0 > "$0" && exec /bin/sh -c "$1"';
      const bare = spawnSync('/bin/sh', ['-c', forks], { encoding: 'utf8' });
      expect(bare.stdout.trim()).toBe('all');
      const inside = spawnSync('/bin/sh', ['-c', enter, group.procs, forks], { encoding: 'utf8' });
      expect(inside.stdout).toBe('');
      expect(inside.stderr).toMatch(/fork/i);
      await new Promise((resolve) => setTimeout(resolve, 300));
    } finally {
      await group.remove();
    }
    expect(existsSync(dirname(group.procs))).toBe(false);
  });
});
