import type { SandboxLayer } from '#libs/harness';
import { ABSENT, FORBIDDEN } from '../seccomp-table.ts';
import { numberOn } from '../seccomp.ts';
import type { SandboxFacts, SandboxOutcome } from '../types.ts';
import type { Bait } from './bait.ts';
import type { Met, Probed } from './probe.ts';

/** How a trial of a layer ended. */
export interface Judgement {
  /** `untried`: it does not even succeed without the layer, so that a refusal proves nothing. */
  readonly state: 'holds' | 'broken' | 'untried';
  /** What was tried and what became of it, in one or two sentences. */
  readonly found: string;
}

/** All that the trials saw. */
export interface Seen {
  readonly facts: SandboxFacts;
  readonly bait: Pick<Bait, 'targets' | 'secret' | 'writable' | 'reached' | 'victimLives'>;
  readonly inside: Probed;
  /** Inside, behind a filter that lets every call through. */
  readonly unfiltered: Probed;
  /** The same without a sandbox. */
  readonly outside: Probed;
  /** Connections and datagrams that came while the two probes were inside. */
  readonly arrived: number;
  readonly environment: readonly string[];
  /** What a fresh program's descriptors lead to. */
  readonly descriptors: readonly string[];
  readonly processes: { readonly limit: number; readonly started: number; readonly bare: number };
  /** How many of six processes a group of three lets start; null where there are no groups. */
  readonly grouped: number | null;
  readonly memory: SandboxOutcome;
  readonly scratch: Readonly<Record<string, string>>;
  readonly flood: SandboxOutcome;
  readonly odd: SandboxOutcome;
  readonly clock: {
    readonly outcome: SandboxOutcome;
    readonly survivors: number;
    readonly bare: number;
  };
  /** Whether the host's process lived on when all that the program could see were killed. */
  readonly killedAll: boolean;
  /** Writing where Landlock alone is in the way, in a sandbox without it. */
  readonly withoutLandlock: Met;
}

const holds = (found: string): Judgement => ({ state: 'holds', found });
const broken = (found: string): Judgement => ({ state: 'broken', found });
const untried = (found: string): Judgement => ({ state: 'untried', found });

/** Holds where `good`; where the same attempt fails without the layer too, that it failed proves nothing. */
const judged = (good: boolean, found: string, control = true): Judgement =>
  !good
    ? broken(found)
    : control
      ? holds(found)
      : untried(`${found}, but so it is without a sandbox`);

/** How a program ended, for people. */
const ending = ({ ended, exitCode, signal }: SandboxOutcome): string =>
  ended === 'exited'
    ? `refused, ended with ${exitCode}`
    : ended === 'signalled'
      ? `ended by ${signal}`
      : ended;

const failed = (met: Met, success: string): boolean => met !== success && met !== null;

/** Calls that are made with zeros: none of them does anything then, wherever it is made. */
const HARMLESS = [
  ...['unshare', 'kcmp', 'add_key', 'keyctl', 'bpf', 'io_uring_setup', 'process_vm_readv'],
  ...['name_to_handle_at', 'open_tree', 'fsopen', 'memfd_create'],
] as const;

const REFUSED_CALLS: Readonly<Record<string, readonly [number | null, number | null]>> = {
  ...FORBIDDEN,
  ...ABSENT,
};

/** The numbers of the calls that the filter refuses by name, or of those alone that do no harm outside. */
export const callNumbers = (
  architecture: SandboxFacts['architecture'],
  which: 'all' | 'harmless',
): readonly number[] =>
  Object.entries(REFUSED_CALLS).flatMap(([name, numbers]) => {
    const number = numberOn(architecture, numbers);
    const isWanted = which === 'all' || HARMLESS.some((each) => each === name);
    return number === null || !isWanted ? [] : [number];
  });

/** EPERM, ENOSYS: what the filter says. */
const REFUSALS = ['1', '38'];

const through = ({ calls }: Probed): readonly string[] | null =>
  calls === null
    ? null
    : Object.entries(calls)
        .filter(([, answer]) => !REFUSALS.includes(answer))
        .map(([number]) => number);

const nameOf = (architecture: SandboxFacts['architecture'], number: string): string =>
  Object.entries(REFUSED_CALLS).find(
    ([, numbers]) => numberOn(architecture, numbers) === Number(number),
  )?.[0] ?? number;

const namespace =
  (kind: string, what: (seen: Seen) => { good: boolean; found: string; control?: boolean }) =>
  (seen: Seen): Judgement => {
    const { good, found, control } = what(seen);
    const own = seen.inside.namespaces[kind];
    const apart = own !== undefined && own !== seen.outside.namespaces[kind];
    return judged(good && apart, apart ? found : `it is the host's; ${found}`, control);
  };

const list = (met: Readonly<Record<string, Met>>): string =>
  Object.entries(met)
    .map(([what, how]) => `${what} ${how ?? 'nothing'}`)
    .join(', ');

const seccomp = ({ facts, inside, outside }: Seen): Judgement => {
  const terminal = `filter mode ${inside.status.Seccomp ?? 'unknown'}`;
  const mode = inside.status.Seccomp === '2';
  const leaked = through(inside);
  const free = through(outside);
  const tools = [inside.netlink, inside.personality];
  const byTools = failed(inside.netlink, 'listed') && failed(inside.personality, 'done');
  const said = `a netlink socket ${tools[0] ?? ''}, another personality ${tools[1] ?? ''}`;
  if (leaked === null || free === null)
    return judged(
      mode && byTools,
      `${terminal}; ${said}; no perl here to try the others`,
      outside.netlink === 'listed',
    );
  const tried = Object.keys(inside.calls ?? {}).length;
  const pushing = inside.pushInput === 1 || inside.pushInput === null;
  const names = leaked.map((number) => nameOf(facts.architecture, number));
  return judged(
    mode &&
      byTools &&
      leaked.length === 0 &&
      pushing &&
      tried === callNumbers(facts.architecture, 'all').length,
    leaked.length === 0
      ? `${tried} calls made, none let through; ${said}, input pushed into a terminal: ${pushing ? 'refused' : 'not refused'} (outside: ${free.length} of ${Object.keys(outside.calls ?? {}).length} go through)`
      : `${tried} calls made, let through: ${names.join(', ')}; ${terminal}; ${said}`,
    free.length > 0 && outside.netlink === 'listed',
  );
};

/** What became of each layer that was there to be tried. */
export const JUDGES: Readonly<Record<SandboxLayer, (seen: Seen) => Judgement>> = {
  'own-user': ({ facts, inside }) => {
    const uids = inside.status.Uid ?? '';
    return judged(
      uids.split(/\s+/).every((uid) => uid === String(facts.user)) &&
        failed(inside.becomeRoot, 'done'),
      `user ${uids.split(/\s+/)[0] ?? 'unknown'} of the host; becoming root: ${inside.becomeRoot ?? ''}`,
    );
  },
  'no-capabilities': ({ unfiltered: inside }) => {
    const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
    const held = sets.filter((set) => !/^0+$/.test(inside.status[set] ?? ''));
    return judged(
      held.length === 0 && inside.device !== 'done' && failed(inside.giveAway, 'done'),
      `${held.length === 0 ? 'all five sets empty' : `${held.join(', ')} not empty`}; giving a file away: ${inside.giveAway ?? ''}, a device node: ${inside.device ?? ''}, chroot: ${inside.chroot ?? ''}`,
    );
  },
  'no-new-privileges': ({ inside }) =>
    judged(
      inside.status.NoNewPrivs === '1' && inside.suid === 0,
      `set for good; set-user-id bits act on ${inside.suid} of ${inside.mounts} mounts`,
    ),
  'user-namespace': namespace('user', ({ unfiltered: inside, outside }) => ({
    good:
      Object.values(inside.newNamespaces).every((met) => met !== 'done') && inside.mount !== 'done',
    found: `${inside.users.split('\n').length} user mapped; new namespaces: ${list(inside.newNamespaces)}; a mount: ${inside.mount ?? ''}`,
    control: outside.newNamespaces.user === 'done',
  })),
  'pid-namespace': namespace('pid', ({ inside, outside, bait, killedAll }) => ({
    good:
      !inside.victimSeen &&
      failed(inside.victimSignalled, 'signalled') &&
      killedAll &&
      bait.victimLives(),
    found: `${inside.processes} processes seen; signalling one of the host: ${inside.victimSignalled ?? ''}; after killing all that it sees, that one ${bait.victimLives() ? 'lives' : 'is dead'}`,
    control: outside.victimSeen && outside.victimSignalled === 'signalled',
  })),
  'no-network': ({ inside, outside, arrived }) =>
    judged(
      arrived === 0 &&
        failed(inside.tcp, 'reached') &&
        failed(inside.udp, 'sent') &&
        failed(inside.abstract, 'reached'),
      `this machine by TCP: ${inside.tcp ?? ''}, UDP: ${inside.udp ?? ''}, an abstract socket: ${inside.abstract ?? ''}; ${arrived} arrived (outside: all do)`,
      outside.tcp === 'reached' && outside.udp === 'sent' && outside.abstract === 'reached',
    ),
  'network-namespace': namespace('net', ({ unfiltered: { interfaces, tcp, abstract } }) => ({
    good:
      (interfaces.join() === 'lo' || interfaces.length === 0) &&
      failed(tcp, 'reached') &&
      failed(abstract, 'reached'),
    found: `interfaces: ${interfaces.join(', ') || 'none'}; this machine with no filter in the way by TCP: ${tcp ?? ''}, an abstract socket: ${abstract ?? ''}`,
  })),
  'ipc-namespace': namespace('ipc', ({ inside, outside }) => ({
    good: !inside.shared,
    found: "an object in the host's shared memory is not seen",
    control: outside.shared,
  })),
  'uts-namespace': namespace('uts', ({ inside, outside }) => ({
    good: inside.hostname !== outside.hostname && failed(inside.setHostname, 'written'),
    found: `the host is called ${inside.hostname} there; renaming it: ${inside.setHostname ?? ''}`,
  })),
  'cgroup-namespace': namespace('cgroup', ({ inside }) => ({
    good: inside.cgroups.every((path) => path === '/'),
    found: 'it stands at the root of every hierarchy that it sees',
  })),
  'mount-namespace': namespace('mnt', ({ inside, outside }) => {
    const readable = Object.entries(inside.read).filter(([, met]) => met === 'read');
    const bare = Object.values(outside.read).filter((met) => met === 'read').length;
    const tried = Object.keys(inside.read).length;
    return {
      good: readable.length === 0,
      found:
        readable.length === 0
          ? `${tried} places tried, secrets, homes and other processes' files among them: none read (outside: ${bare})`
          : `read: ${readable.map(([path]) => path).join(', ')}`,
      control: bare > 0,
    };
  }),
  'read-only-files': ({ inside, outside }) => {
    const written = Object.entries(inside.write).filter(([, met]) => met === 'written');
    return judged(
      written.length === 0,
      written.length === 0
        ? `${Object.keys(inside.write).length} places outside /out and /tmp tried: none written, a file of mode 666 that it is shown neither`
        : `written: ${written.map(([path]) => path).join(', ')}`,
      Object.values(outside.write).every((met) => met === 'written'),
    );
  },
  landlock: ({ inside, withoutLandlock }) =>
    judged(
      failed(inside.comm, 'written'),
      `writing below /proc, where nothing else is in the way: ${inside.comm ?? ''} (without it: ${withoutLandlock ?? ''})`,
      withoutLandlock === 'written',
    ),
  seccomp,
  'own-environment': ({ inside, environment }) => {
    // Landlock keeps it from looking at processes that began before it.
    const none = inside.firstEnvironment === 0 || inside.firstEnvironment === 'EACCES';
    return judged(
      inside.environment.join() === environment.toSorted().join() && none,
      `${inside.environment.join(', ')}; of the first process's: ${inside.firstEnvironment === 0 ? 'nothing' : (inside.firstEnvironment ?? '')}`,
    );
  },
  'closed-descriptors': ({ descriptors }) => {
    const strange = descriptors.filter(
      (target) =>
        !/^(?:\/dev\/null|(?:socket|pipe):\[\d+\]|anon_inode:.*|\/proc\/\d+\/fd|ENOENT)$/.test(
          target,
        ),
    );
    return judged(
      strange.length === 0,
      strange.length === 0
        ? `${descriptors.length} descriptors, none of them a file of the host`
        : `it holds ${strange.join(', ')}`,
    );
  },
  'memory-limit': ({ memory }) =>
    judged(
      memory.ended !== 'timed-out' && memory.exitCode !== 0 && memory.durationMs < 9000,
      `asking for ever more: ${ending(memory)} after ${memory.durationMs} ms`,
    ),
  'memory-cgroup': ({ memory }) =>
    judged(
      memory.ended === 'memory-exceeded' && memory.durationMs < 9000,
      `asking for ever more: ${ending(memory)} after ${memory.durationMs} ms`,
    ),
  'process-limit': ({ processes: { limit, started, bare } }) =>
    judged(
      started < limit,
      `100 processes asked for, ${started} started under a limit of ${limit} (outside: ${bare})`,
      bare === 100,
    ),
  'process-cgroup': ({ grouped }) =>
    judged(
      grouped !== null && grouped < 6,
      `6 processes of the harness's own user asked for in a group of 3: ${grouped ?? 'no group'} started`,
    ),
  'cpu-limit': ({ inside }) =>
    judged(
      /^\d+$/.test(inside.ceilings.cpu ?? ''),
      `at most ${inside.ceilings.cpu ?? 'unlimited'} s of processor for each process`,
    ),
  'file-size-limit': ({ inside, scratch }) =>
    judged(
      /^\d+$/.test(inside.ceilings.file ?? '') &&
        scratch.sparse !== 'made' &&
        inside.ceilings.core === '0',
      `a file of 1 GiB with nothing in it: ${scratch.sparse ?? 'unknown'}; core files of ${inside.ceilings.core ?? 'any'} bytes`,
    ),
  'output-limit': ({ flood, odd }) =>
    judged(
      flood.ended === 'output-too-large' &&
        flood.files.length === 0 &&
        odd.files.map(({ path }) => path).join() === 'plain' &&
        odd.refusedFiles.length === 4,
      `2 MB where 0.1 may be: ${flood.ended}; of a link, a pipe, a folder, a set-user-id file, a hard link and a device ${odd.files.length - 1} taken`,
    ),
  'scratch-limit': ({ scratch: { tmp, shm } }) =>
    judged(
      Number(tmp) < 3 && Number(shm) < 3,
      `4 files of 30 MiB: ${tmp ?? 'unknown'} fit into /tmp, ${shm ?? 'unknown'} into /dev/shm`,
    ),
  'time-limit': ({ clock: { outcome, survivors, bare } }) =>
    judged(
      outcome.ended === 'timed-out' && outcome.durationMs < 5000 && survivors === 0,
      `0.2 s given, ${outcome.ended} and dead after ${outcome.durationMs} ms; of 2 daemons ${survivors} left (without a sandbox: ${bare})`,
      bare === 2,
    ),
};
