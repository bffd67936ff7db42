import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { LAYERS_BY_DEFAULT, SANDBOX_LAYERS, type SandboxLayer } from '#libs/harness';
import { detectSandbox } from '../detect.ts';
import { layersOf } from '../layers.ts';
import { sandboxOn } from '../sandbox.ts';
import type { SandboxFacts } from '../types.ts';
import { layBait } from './bait.ts';
import { JUDGES, type Seen } from './judge.ts';
import type { Probed } from './probe.ts';
import { layerTrials, see } from './trials.ts';

let facts: SandboxFacts;
let seen: Seen;
beforeAll(async () => {
  const detected = await detectSandbox();
  if (!detected.ok) throw new Error(detected.error.message);
  facts = detected.value;
  const bait = await layBait();
  try {
    seen = await see(facts, await sandboxOn(facts), bait);
    // What it says after the bait is gone would be of no use.
    const lived = bait.victimLives();
    seen = { ...seen, bait: { ...bait, victimLives: () => lived } };
  } finally {
    await bait.remove();
  }
}, 30_000);

/** The layers of this machine; the others can't be tried on it. */
const on = () =>
  layersOf(facts)
    .filter((state) => state.on)
    .map(({ layer }) => layer);

it('every layer that this machine has holds, and what is made for the trials goes', async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('holdfast-doctor-'));
  const before = left();
  const trials = await layerTrials(facts);
  expect(trials.map(({ layer }) => layer)).toEqual(SANDBOX_LAYERS);
  for (const { layer, state, by, byDefault, found } of trials) {
    expect([layer, state, found]).toEqual([
      layer,
      on().includes(layer) ? 'holds' : 'absent',
      found,
    ]);
    expect(by === null).toBe(state === 'absent');
    expect(byDefault).toBe(LAYERS_BY_DEFAULT.includes(layer));
  }
  for (const layer of LAYERS_BY_DEFAULT) expect(on()).toContain(layer);
  expect(left()).toEqual(before);
}, 30_000);

const inside =
  (change: Partial<Probed>) =>
  (honest: Seen): Seen => ({
    ...honest,
    inside: { ...honest.inside, ...change },
  });
/** The same behind a filter that lets everything through. */
const unfiltered =
  (change: Partial<Probed>) =>
  (honest: Seen): Seen => ({ ...honest, unfiltered: { ...honest.unfiltered, ...change } });
const status = (change: Record<string, string>) => (honest: Seen) =>
  inside({ status: { ...honest.inside.status, ...change } })(
    unfiltered({ status: { ...honest.unfiltered.status, ...change } })(honest),
  );
const sharing = (kind: string) => (honest: Seen) =>
  inside({
    namespaces: { ...honest.inside.namespaces, [kind]: honest.outside.namespaces[kind] ?? null },
  })(honest);
const ending =
  (what: 'memory' | 'flood' | 'odd', change: Partial<Seen['memory']>) =>
  (honest: Seen): Seen => ({ ...honest, [what]: { ...honest[what], ...change } });
const scratch =
  (change: Record<string, string>) =>
  (honest: Seen): Seen => ({
    ...honest,
    scratch: { ...honest.scratch, ...change },
  });

/** What would be seen if a layer had a hole. */
const HOLES: readonly (readonly [SandboxLayer, string, (honest: Seen) => Seen])[] = [
  ['own-user', "the harness's user", status({ Uid: '0\t0\t0\t0' })],
  ['own-user', 'root at will', inside({ becomeRoot: 'done' })],
  ['no-capabilities', 'one left', status({ CapEff: '0000000000000001' })],
  ['no-capabilities', 'one in the bounding set', status({ CapBnd: '000001ffffffffff' })],
  ['no-capabilities', 'device nodes', unfiltered({ device: 'done' })],
  ['no-capabilities', 'files given away', unfiltered({ giveAway: 'done' })],
  ['no-new-privileges', 'not set', status({ NoNewPrivs: '0' })],
  ['no-new-privileges', 'a mount with set-user-id', inside({ suid: 1 })],
  ['user-namespace', "the host's", sharing('user')],
  ['user-namespace', 'further ones', unfiltered({ newNamespaces: { user: 'done' } })],
  ['user-namespace', 'mounts', unfiltered({ mount: 'done' })],
  ['pid-namespace', "the host's", sharing('pid')],
  ['pid-namespace', 'a process of the host seen', inside({ victimSeen: true })],
  ['pid-namespace', 'one signalled', inside({ victimSignalled: 'signalled' })],
  [
    'pid-namespace',
    'one killed',
    (honest) => ({ ...honest, bait: { ...honest.bait, victimLives: () => false } }),
  ],
  ['no-network', 'TCP', inside({ tcp: 'reached' })],
  ['no-network', 'UDP', inside({ udp: 'sent' })],
  ['no-network', 'an abstract socket', inside({ abstract: 'reached' })],
  ['no-network', 'something that arrived', (honest) => ({ ...honest, arrived: 1 })],
  ['network-namespace', "the host's", sharing('net')],
  ['network-namespace', 'an interface', unfiltered({ interfaces: ['lo', 'eth0'] })],
  ['network-namespace', 'the loopback of the host', unfiltered({ tcp: 'reached' })],
  ['ipc-namespace', "the host's", sharing('ipc')],
  ['ipc-namespace', 'shared memory of the host', inside({ shared: true })],
  ['uts-namespace', "the host's", sharing('uts')],
  ['uts-namespace', 'a new name', inside({ setHostname: 'written' })],
  ['cgroup-namespace', "the host's", sharing('cgroup')],
  ['cgroup-namespace', 'a path of the host', inside({ cgroups: ['/', '/system.slice'] })],
  ['mount-namespace', "the host's", sharing('mnt')],
  [
    'mount-namespace',
    'a secret',
    (honest) => inside({ read: { ...honest.inside.read, [honest.bait.secret]: 'read' } })(honest),
  ],
  [
    'read-only-files',
    'a file written',
    (honest) => inside({ write: { ...honest.inside.write, '/usr/new': 'written' } })(honest),
  ],
  ['landlock', 'writing below /proc', inside({ comm: 'written' })],
  ['seccomp', 'no filter', status({ Seccomp: '0' })],
  [
    'seccomp',
    'a call let through',
    (honest) => inside({ calls: { ...honest.inside.calls, 101: 'ok' } })(honest),
  ],
  [
    'seccomp',
    'a call let through to the kernel',
    (honest) => inside({ calls: { ...honest.inside.calls, 101: '14' } })(honest),
  ],
  ['seccomp', 'calls that were not tried', inside({ calls: {} })],
  ['seccomp', 'netlink', inside({ netlink: 'listed' })],
  ['seccomp', 'another personality', inside({ personality: 'done' })],
  ['seccomp', 'input into a terminal', inside({ pushInput: 25 })],
  [
    'own-environment',
    'a variable',
    (honest) => inside({ environment: [...honest.inside.environment, 'TOKEN'] })(honest),
  ],
  ['own-environment', "the first process's", inside({ firstEnvironment: 12 })],
  [
    'closed-descriptors',
    'a file',
    (honest) => ({ ...honest, descriptors: ['/dev/null', '/etc/shadow'] }),
  ],
  ['memory-limit', 'as much as it liked', ending('memory', { exitCode: 0 })],
  [
    'memory-limit',
    'time to fill the host',
    ending('memory', { ended: 'timed-out', exitCode: null }),
  ],
  ['memory-cgroup', 'as much as it liked', ending('memory', { ended: 'exited', exitCode: 0 })],
  [
    'process-limit',
    'all of them',
    (honest) => ({ ...honest, processes: { ...honest.processes, started: 100 } }),
  ],
  [
    'process-limit',
    'nobody knows how many',
    (honest) => ({ ...honest, processes: { ...honest.processes, started: Number.NaN } }),
  ],
  ['process-cgroup', 'all of them', (honest) => ({ ...honest, grouped: 6 })],
  ['process-cgroup', 'no group', (honest) => ({ ...honest, grouped: null })],
  ['cpu-limit', 'no bound', inside({ ceilings: { cpu: 'unlimited' } })],
  ['cpu-limit', 'nothing said', inside({ ceilings: {} })],
  ['file-size-limit', 'a large file', scratch({ sparse: 'made' })],
  [
    'file-size-limit',
    'core files',
    (honest) => inside({ ceilings: { ...honest.inside.ceilings, core: 'unlimited' } })(honest),
  ],
  ['output-limit', 'a flood', ending('flood', { ended: 'exited' })],
  [
    'output-limit',
    'odd files',
    (honest) =>
      ending('odd', { files: [...honest.odd.files, { path: 'link', content: new Uint8Array() }] })(
        honest,
      ),
  ],
  ['scratch-limit', 'a large /tmp', scratch({ tmp: '4' })],
  ['scratch-limit', 'a large /dev/shm', scratch({ shm: '4' })],
  ['scratch-limit', 'nobody knows how much', scratch({ shm: '', tmp: 'unknown' })],
  ['time-limit', 'a daemon', (honest) => ({ ...honest, clock: { ...honest.clock, survivors: 1 } })],
  [
    'time-limit',
    'more time',
    (honest) => ({
      ...honest,
      clock: { ...honest.clock, outcome: { ...honest.clock.outcome, ended: 'exited' } },
    }),
  ],
];

describe('a hole is seen', () => {
  it.each(HOLES)('in %s: %s', (layer, _, change) => {
    expect(JUDGES[layer](change(seen)).state).toBe('broken');
  });

  it('in each layer', () => {
    expect(new Set(HOLES.map(([layer]) => layer))).toEqual(new Set(SANDBOX_LAYERS));
  });
});

const outside =
  (change: Partial<Probed>) =>
  (honest: Seen): Seen => ({
    ...honest,
    outside: { ...honest.outside, ...change },
  });

describe('an attempt that fails without the sandbox too shows nothing', () => {
  it.each<readonly [SandboxLayer, (honest: Seen) => Seen]>([
    ['no-network', outside({ tcp: 'ECONNREFUSED' })],
    ['pid-namespace', outside({ victimSignalled: 'EPERM' })],
    ['user-namespace', outside({ newNamespaces: { user: 'refused' } })],
    ['ipc-namespace', outside({ shared: false })],
    ['mount-namespace', outside({ read: {} })],
    ['read-only-files', outside({ write: { there: 'EACCES' } })],
    ['seccomp', outside({ calls: { 272: '1' } })],
    ['process-limit', (honest) => ({ ...honest, processes: { ...honest.processes, bare: 12 } })],
    ['time-limit', (honest) => ({ ...honest, clock: { ...honest.clock, bare: 0 } })],
  ])('of %s', (layer, change) => {
    const judgement = JUDGES[layer](change(seen));
    expect(judgement.state).toBe('untried');
    expect(judgement.found).toContain('but so it is without a sandbox');
  });
});
