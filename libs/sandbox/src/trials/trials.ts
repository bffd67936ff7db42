import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { LAYERS_BY_DEFAULT, type SandboxLayer } from '#libs/harness';
import type { Refusal } from '#libs/kernel';
import { DEFAULT_ENVIRONMENT } from '../arguments.ts';
import { makeCgroup } from '../cgroups.ts';
import { detectSandbox } from '../detect.ts';
import { layersOf } from '../layers.ts';
import { assemble, LET_THROUGH } from '../seccomp.ts';
import { sandboxOn } from '../sandbox.ts';
import type {
  CgroupFacts,
  Sandbox,
  SandboxFacts,
  SandboxJob,
  SandboxOutcome,
  SandboxRefusalCode,
} from '../types.ts';
import { layBait, type Bait } from './bait.ts';
import { callNumbers, JUDGES, type Seen } from './judge.ts';
import { PROBE, type Met, type Probed, type ProbeTargets } from './probe.ts';

/** What became of a layer when it was tried. */
export interface LayerTrial {
  readonly layer: SandboxLayer;
  /**
   * `absent`: not on this machine. `untried`: the attempt fails even without the layer, so that nothing is shown.
   */
  readonly state: 'holds' | 'broken' | 'absent' | 'untried';
  /** What was tried and what became of it; of an absent layer why it is not there and what to do. */
  readonly found: string;
  /** What makes the layer; null for an absent one. */
  readonly by: string | null;
  /** Whether a study demands it unless it says otherwise. */
  readonly byDefault: boolean;
}

export interface SandboxTrials {
  /** What the sandbox is, or why there is none. */
  readonly sandbox:
    | { readonly ok: true; readonly facts: SandboxFacts }
    | { readonly ok: false; readonly refusal: Refusal<SandboxRefusalCode> };
  /** One for each layer, in the order of reports; empty without a sandbox. */
  readonly layers: readonly LayerTrial[];
}

const LIMITS = { seconds: 10, memoryMb: 256, processes: 40, openFiles: 256, logBytes: 50_000 };
const OUTPUT = { maxFiles: 10, maxBytes: 100_000 };
const NODE = { from: process.execPath, to: '/runtime/node' };

const shell = (sandbox: Sandbox, script: string, more: Partial<SandboxJob> = {}) =>
  sandbox.run({
    command: ['/bin/sh', '-c', script],
    readOnly: [],
    outputFiles: OUTPUT,
    limits: LIMITS,
    ...more,
  });

/** A Node program without a sandbox and without an environment: what it prints. */
const bare = (script: string, ...args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', script, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { NODE_V8_COVERAGE: undefined },
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });

const node = (sandbox: Sandbox, bait: Bait, script: string, ...args: readonly string[]) =>
  sandbox.run({
    command: ['/runtime/node', '-e', script, ...args],
    readOnly: [NODE, { from: bait.shown, to: '/program' }],
    outputFiles: OUTPUT,
    limits: LIMITS,
  });

const parsed = (text: string, outcome: SandboxOutcome | null = null): Probed => {
  try {
    return JSON.parse(text) as Probed;
  } catch {
    const why = outcome === null ? 'nothing' : `${outcome.ended}: ${outcome.stderr.slice(0, 500)}`;
    throw new Error(`the probe did not say what it found (${why})`);
  }
};

/** Places that a program has of its own, or is shown: reading them is no escape. */
const OPEN_PLACES = /^\/(?:(?:tmp|dev|dev\/shm|proc|out)?$|(?:usr|bin|sbin|lib\w*)(?:\/|$))/;

/** Places of the host that hold what is nobody's business. */
const secretPlaces = (bait: Bait): readonly string[] => [
  ...[bait.secret, '/etc/shadow', '/etc/passwd', '/etc/hosts', '/root', '/home', '/var', '/boot'],
  ...[homedir(), process.cwd()].filter((path) => !OPEN_PLACES.test(path)),
  ...['/sys/kernel', '/proc/1/root/etc/passwd', '/proc/kcore'],
  `/proc/${bait.targets.victim}/environ`,
];

const targetsOf = (bait: Bait, where: 'inside' | 'outside', facts: SandboxFacts): ProbeTargets => ({
  ...bait.targets,
  read: secretPlaces(bait),
  ...(where === 'inside'
    ? {
        write: [
          ...['/program/writable', '/program/new', '/runtime/node', '/new', '/usr/new', '/etc/new'],
          ...['/dev/new', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/sys/new'],
        ],
        scratch: '/tmp',
        calls: callNumbers(facts.architecture, 'all'),
      }
    : {
        write: [bait.writable],
        scratch: bait.scratch,
        calls: callNumbers(facts.architecture, 'harmless'),
      }),
});

/** Starts so many processes that only sleep, and prints how many it could. */
const STARTS = `
const { spawn } = require('node:child_process');
const started = [];
const stop = () => { for (const child of started) child.kill('SIGKILL'); console.log(started.length); process.exit(0); };
for (let n = 0; n < 100; n += 1) {
  try {
    const child = spawn('/bin/sleep', ['5'], { stdio: 'ignore' });
    child.on('error', () => undefined);
    if (child.pid === undefined) break;
    started.push(child);
  } catch { break; }
}
stop();
`;

const MEMORY_BOMB = `const kept = []; for (;;) kept.push(Buffer.alloc(16 << 20, 1));`;

const SCRATCH = `
try() { if "$@" 2>/dev/null; then echo made; else echo refused; fi; }
fits() { n=0; while [ $n -lt 4 ] && fallocate -l 30M "$1/$n" 2>/dev/null; do n=$((n+1)); done; echo $n; rm -f "$1"/[0-3]; }
echo "tmp $(fits /tmp)"
echo "shm $(fits /dev/shm)"
echo "sparse $(try truncate -s 1G /tmp/sparse)"
`;

const ODD_FILES = `
cd /out; echo fine > plain; ln -s /etc/passwd link; mkfifo pipe; mkdir folder; echo x > setuid; chmod 4755 setuid
ln /program/writable hard 2>/dev/null; mknod device c 1 3 2>/dev/null; true
`;

/** Two children that leave their parents, their session and all that belongs to it. */
const daemons = (marker: string): string =>
  `(setsid sh -c 'trap "" TERM HUP; sleep ${marker} & exit 0' &); (nohup sleep ${marker} >/dev/null 2>&1 &); `;

/** Host pids of sleepers by their odd number of seconds. */
const sleepers = (marker: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8') === `sleep\0${marker}\0`;
      } catch {
        return false;
      }
    })
    .map(Number);

const tryClock = async (sandbox: Sandbox): Promise<Seen['clock']> => {
  const [free, held] = [`86400.${randomInt(1e9)}`, `86400.${randomInt(1e9)}`];
  spawnSync('/bin/sh', ['-c', `${daemons(free)} sleep 0.05`], { stdio: 'ignore', env: {} });
  const found = sleepers(free);
  for (const pid of found) process.kill(pid, 'SIGKILL');
  const outcome = await shell(sandbox, `${daemons(held)} sleep 60`, {
    limits: { ...LIMITS, seconds: 0.2 },
  });
  return { outcome, survivors: sleepers(held).length, bare: found.length };
};

/** Tried with the harness's own processes: a group counts them whoever they belong to. */
const tryGroup = async (facts: CgroupFacts): Promise<number | null> => {
  const group = makeCgroup(facts, { processes: 3, memoryBytes: 256 * 1024 * 1024 });
  if (group === null) return null;
  const forks = 'n=0; while [ $n -lt 6 ]; do sleep 0.05 & n=$((n+1)); echo $n; done; wait';
  const enter = 'echo 0 > "$0" && exec /bin/sh -c "$1"';
  const { stdout } = spawnSync('/bin/sh', ['-c', enter, group.procs, forks], {
    encoding: 'utf8',
    env: {},
    timeout: 5000,
  });
  await group.remove();
  return stdout.trim().split('\n').filter(Boolean).length;
};

const tryWithoutLandlock = async (facts: SandboxFacts): Promise<Met> => {
  if (facts.landlock.kind === 'none') return null;
  const without = await sandboxOn({
    ...facts,
    landlock: { kind: 'none', why: 'left out for a trial' },
  });
  const { exitCode } = await shell(without, 'echo x > /proc/self/comm');
  return exitCode === 0 ? 'written' : 'refused';
};

/** Makes every trial; what to think of it is {@link JUDGES}' business. */
export const see = async (facts: SandboxFacts, sandbox: Sandbox, bait: Bait): Promise<Seen> => {
  const outsideTargets = JSON.stringify(targetsOf(bait, 'outside', facts));
  const before = bait.reached();
  const probed = await node(sandbox, bait, PROBE, JSON.stringify(targetsOf(bait, 'inside', facts)));
  // Behind a filter that lets everything through: what the others hold must not be the filter's doing.
  const unfilteredTargets = { ...targetsOf(bait, 'inside', facts), calls: [] };
  const reprobed = await node(
    await sandboxOn(facts, assemble(LET_THROUGH)),
    bait,
    PROBE,
    JSON.stringify(unfilteredTargets),
  );
  const after = bait.reached();
  const inside = parsed(probed.stdout, probed);
  const outside = parsed(await bare(PROBE, outsideTargets));
  // Without a control group, which bounds processes as well: one layer must not stand in for another.
  const ungrouped = await sandboxOn({
    ...facts,
    cgroups: { kind: 'none', why: 'left out for a trial' },
  });
  const started = await node(ungrouped, bait, STARTS);
  const scratch = await shell(sandbox, SCRATCH);
  const descriptors = await shell(sandbox, 'for f in /proc/self/fd/*; do readlink $f; done; true');
  const killing = await shell(sandbox, 'kill -KILL -1; true');
  const { processes } = LIMITS;
  return {
    ...{ facts, bait, inside, outside, unfiltered: parsed(reprobed.stdout, reprobed) },
    arrived: after.connections + after.datagrams - before.connections - before.datagrams,
    environment: Object.keys(DEFAULT_ENVIRONMENT),
    descriptors: descriptors.stdout.trim().split('\n'),
    processes: {
      limit: processes,
      started: Number(started.stdout.trim() || Number.NaN),
      bare: Number((await bare(STARTS)).trim() || Number.NaN),
    },
    grouped: await tryGroup(facts.cgroups),
    memory: await sandbox.run({
      command: ['/runtime/node', '-e', MEMORY_BOMB],
      readOnly: [NODE],
      outputFiles: OUTPUT,
      limits: { ...LIMITS, memoryMb: 64 },
    }),
    scratch: Object.fromEntries(
      scratch.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    ),
    flood: await shell(sandbox, 'head -c 2000000 /dev/zero > /out/big; sleep 5'),
    odd: await shell(sandbox, ODD_FILES, {
      readOnly: [{ from: bait.shown, to: '/program' }],
    }),
    clock: await tryClock(sandbox),
    killedAll: killing.ended === 'exited' || killing.ended === 'signalled',
    withoutLandlock: await tryWithoutLandlock(facts),
  };
};

/**
 * Tries to break each layer of this machine's sandbox (`holdfast doctor`): a program inside attempts what the layer is to
 * stop, and where it can be done without harm the same is attempted without the sandbox, since a barrier that nobody
 * could pass anyway proves nothing. Takes one to two seconds; what it makes on the host it removes.
 */
export const sandboxTrials = async (): Promise<SandboxTrials> => {
  const detected = await detectSandbox();
  if (!detected.ok) return { sandbox: { ok: false, refusal: detected.error }, layers: [] };
  const facts = detected.value;
  return { sandbox: { ok: true, facts }, layers: await layerTrials(facts) };
};

/** {@link sandboxTrials} on facts that hold. */
export const layerTrials = async (facts: SandboxFacts): Promise<readonly LayerTrial[]> => {
  const sandbox = await sandboxOn(facts);
  const bait = await layBait();
  try {
    const seen = await see(facts, sandbox, bait);
    return layersOf(facts).map((state) => {
      const { layer } = state;
      const byDefault = LAYERS_BY_DEFAULT.includes(layer);
      return state.on
        ? { layer, byDefault, by: state.by, ...JUDGES[layer](seen) }
        : { layer, byDefault, by: null, state: 'absent' as const, found: state.why };
    });
  } finally {
    await bait.remove();
  }
};
