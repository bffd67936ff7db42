/** What the probe is told to try. */
export interface ProbeTargets {
  readonly port: number;
  readonly udpPort: number;
  /** Name of an abstract socket of the host. */
  readonly abstract: string;
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** A process of the host, and its command line as /proc shows it. */
  readonly victim: number;
  readonly victimLine: string;
  /** A file in the host's /dev/shm. */
  readonly shared: string;
  /** An empty folder in which it may make things. */
  readonly scratch: string;
  /** System calls by number, made with zeros for arguments. */
  readonly calls: readonly number[];
}

/** What an attempt met: a word of success, or the system's code for the refusal. */
export type Met = string | number | null;

/** What the probe found, as it prints it. */
export interface Probed {
  readonly tcp: Met;
  readonly udp: Met;
  readonly abstract: Met;
  readonly netlink: Met;
  readonly interfaces: readonly string[];
  readonly read: Readonly<Record<string, Met>>;
  readonly write: Readonly<Record<string, Met>>;
  readonly status: Readonly<Record<string, string>>;
  readonly namespaces: Readonly<Record<string, Met>>;
  readonly processes: number;
  readonly victimSeen: boolean;
  readonly victimSignalled: Met;
  readonly environment: readonly string[];
  /** Bytes of the first process's environment. */
  readonly firstEnvironment: Met;
  readonly hostname: string;
  readonly setHostname: Met;
  readonly users: string;
  readonly shared: boolean;
  readonly cgroups: readonly string[];
  readonly comm: Met;
  readonly becomeRoot: Met;
  readonly giveAway: Met;
  readonly device: Met;
  readonly newNamespaces: Readonly<Record<string, Met>>;
  readonly mount: Met;
  readonly chroot: Met;
  readonly personality: Met;
  /** Mounts on which set-user-id bits act. */
  readonly suid: number;
  readonly mounts: number;
  /** What each call was answered: `ok` or an error number; null where no perl is there to make them. */
  readonly calls: Readonly<Record<string, string>> | null;
  /** The error number of pushing input into a terminal, tried on no terminal; null without a perl. */
  readonly pushInput: Met;
  /** Limits of a process that it can't raise, as /proc/self/limits says them. */
  readonly ceilings: Readonly<Record<string, string | undefined>>;
}

/**
 * Tries to get out of where it runs, and prints what became of each attempt as JSON. Run without a sandbox it does no
 * harm: it is the control, which shows that an attempt would succeed if nothing were in its way.
 */
export const PROBE = `
const fs = require('node:fs'), net = require('node:net'), os = require('node:os');
const { spawnSync } = require('node:child_process');
const targets = JSON.parse(process.argv[1]);
const attempt = (what) => { try { return what(); } catch (error) { return error.info?.code ?? error.code ?? error.message; } };
const tool = (file, ...args) => {
  const { status, error } = spawnSync(file, args, { stdio: 'ignore', timeout: 5000 });
  return error ? error.code : status === 0 ? 'done' : 'refused';
};
const text = (path) => attempt(() => fs.readFileSync(path, 'utf8'));
const each = (list, what) => Object.fromEntries(list.map((one) => [one, attempt(() => what(one))]));
const connects = (target) => new Promise((resolve) => {
  const socket = net.connect(target, () => { socket.destroy(); resolve('reached'); });
  socket.on('error', (error) => resolve(error.code));
});
const sends = (port) => new Promise((resolve) => {
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('error', (error) => resolve(error.code));
  try {
    socket.send('x', port, '127.0.0.1', (error) => { resolve(error ? error.code : 'sent'); socket.close(); });
  } catch (error) { resolve(error.code); }
});
const status = Object.fromEntries(text('/proc/self/status').split('\\n').map((line) => line.split(/:\\s*/, 2)));
const pids = fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name));
const mounts = text('/proc/self/mountinfo').trim().split('\\n').map((line) => line.split(' ')[5]);
const limits = text('/proc/self/limits').split('\\n');
const ceiling = (name) => limits.find((line) => line.startsWith(name))?.slice(name.length).trim().split(/\\s+/)[1];
const called = () => {
  const script = '$| = 1; for (@ARGV) { $! = 0; my $r = syscall($_ + 0, 0, 0, 0, 0, 0, 0); print "$_ ", ($r == -1 ? $! + 0 : "ok"), "\\\\n" }';
  const { error, stdout } = spawnSync('/usr/bin/perl', ['-e', script, ...targets.calls.map(String)], { encoding: 'utf8', timeout: 5000 });
  return error ? null : Object.fromEntries(stdout.trim().split('\\n').map((line) => line.split(' ')));
};
const pushes = () => {
  const { error, stdout } = spawnSync('/usr/bin/perl', ['-e', 'my $x = "x"; ioctl(STDIN, 0x5412, $x); print $! + 0'], { encoding: 'utf8', timeout: 5000, stdio: ['ignore', 'pipe', 'ignore'] });
  return error ? null : Number(stdout);
};
(async () => {
  const found = {
    tcp: await connects({ port: targets.port, host: '127.0.0.1' }),
    udp: await sends(targets.udpPort),
    abstract: await connects({ path: '\\0' + targets.abstract }),
    netlink: attempt(() => { try { os.networkInterfaces(); return 'listed'; } catch { return 'refused'; } }),
    interfaces: text('/proc/net/dev').trim().split('\\n').slice(2).map((line) => line.split(':')[0].trim()),
    read: each(targets.read, (path) => { fs.statSync(path).isDirectory() ? fs.readdirSync(path) : fs.readFileSync(path); return 'read'; }),
    write: each(targets.write, (path) => { fs.writeFileSync(path, 'x', { flag: 'a' }); return 'written'; }),
    status,
    namespaces: each(['user', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'mnt'], (kind) => fs.readlinkSync('/proc/self/ns/' + kind)),
    processes: pids.length,
    victimSeen: pids.some((pid) => text('/proc/' + pid + '/cmdline') === targets.victimLine),
    victimSignalled: attempt(() => { process.kill(targets.victim, 0); return 'signalled'; }),
    environment: Object.keys(process.env).sort(),
    firstEnvironment: attempt(() => fs.readFileSync('/proc/1/environ').length),
    hostname: os.hostname(),
    setHostname: attempt(() => { fs.writeFileSync('/proc/sys/kernel/hostname', os.hostname()); return 'written'; }),
    users: text('/proc/self/uid_map').trim(),
    shared: attempt(() => fs.readdirSync('/dev/shm').includes(targets.shared)) === true,
    cgroups: text('/proc/self/cgroup').trim().split('\\n').map((line) => line.split(':')[2]),
    comm: attempt(() => { fs.writeFileSync('/proc/self/comm', 'probe'); return 'written'; }),
    giveAway: attempt(() => { const file = targets.scratch + '/given'; fs.writeFileSync(file, ''); fs.chownSync(file, 0, 12345); return 'done'; }),
    device: tool('/usr/bin/mknod', targets.scratch + '/device', 'c', '1', '1'),
    newNamespaces: Object.fromEntries(['user', 'mount', 'net', 'pid'].map((kind) => [kind, tool('/usr/bin/unshare', '--' + kind, '/bin/true')])),
    mount: tool('/usr/bin/unshare', '--mount', '/usr/bin/mount', '-t', 'tmpfs', 'none', targets.scratch),
    chroot: tool('/usr/sbin/chroot', '/', '/bin/true'),
    personality: tool('/usr/bin/setarch', '-R', '/bin/true'),
    suid: mounts.filter((options) => !options.split(',').includes('nosuid')).length,
    mounts: mounts.length,
    calls: called(),
    pushInput: pushes(),
    ceilings: { cpu: ceiling('Max cpu time'), file: ceiling('Max file size'), core: ceiling('Max core file size') },
    becomeRoot: attempt(() => { process.setuid(0); return 'done'; }),
  };
  console.log(JSON.stringify(found));
  process.exit(0);
})();
`;
