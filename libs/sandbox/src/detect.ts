import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ok, type Refusal, refused, type Result } from '#libs/kernel';
import { detectCgroups } from './cgroups.ts';
import { contain } from './contain.ts';
import { LANDLOCK } from './arguments.ts';
import { assemble, seccompProgram } from './seccomp.ts';
import {
  type LandlockFacts,
  type SandboxFacts,
  type SandboxRefusalCode,
  SandboxUnavailable,
} from './types.ts';

/** The user and group that programs get when the harness is root: high, and nobody's on common systems. */
export const PROGRAM_USER = 64738;

/** The first with --disable-userns, without which a program can make namespaces of its own. */
const OLDEST = [0, 8, 0];

const HOW_TO_GET =
  'install it: apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora)';

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const olderThan = (version: string, oldest: readonly number[]): boolean => {
  const parts = version.split('.').map(Number);
  for (const [place, least] of oldest.entries()) {
    const part = parts[place] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
};

const refuse = (code: SandboxRefusalCode, message: string) => refused({ code, message });

/** What to try when namespaces are forbidden: the switches of common systems. */
const NAMESPACE_ADVICE =
  'User namespaces must be allowed for the user that runs Holdfast: look at sysctl user.max_user_namespaces, ' +
  'kernel.unprivileged_userns_clone (Debian) and kernel.apparmor_restrict_unprivileged_userns (Ubuntu); ' +
  'in a container, at its seccomp profile.';

/**
 * Finds out whether this machine can run programs contained, by running one. Reads nothing but the system, and
 * leaves nothing behind. Takes about 20 ms.
 *
 * @param folders Where to look for bubblewrap; never taken from PATH, which a caller may not control.
 */
export const detectSandbox = async (
  folders: readonly string[] = ['/usr/bin', '/usr/local/bin'],
): Promise<Result<SandboxFacts, Refusal<SandboxRefusalCode>>> => {
  const { platform, arch } = process;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    return refuse(
      'unsupported-platform',
      `found ${platform} on ${arch}, the sandbox needs Linux on x64 or arm64: run there, or in a virtual machine`,
    );
  }

  let bwrap: string | null = null;
  for (const folder of folders) {
    if (bwrap === null && (await isExecutable(join(folder, 'bwrap'))))
      bwrap = join(folder, 'bwrap');
  }
  if (bwrap === null) {
    return refuse(
      'sandbox-missing',
      `bubblewrap is missing (no bwrap in ${folders.join(', ')}), and nothing runs without a sandbox: ${HOW_TO_GET}`,
    );
  }
  for (const tool of ['/bin/sh', '/usr/bin/env', '/usr/bin/prlimit', '/usr/bin/setpriv']) {
    if (!(await isExecutable(tool))) {
      return refuse(
        'sandbox-missing',
        `${tool} is missing, the sandbox is started with it: install util-linux, coreutils and a shell`,
      );
    }
  }

  const { stdout } = await promisify(execFile)(bwrap, ['--version'], { env: {} });
  const version = /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? '0';
  if (olderThan(version, OLDEST)) {
    return refuse(
      'sandbox-too-old',
      `found bubblewrap ${version}, expected ${OLDEST.join('.')} or newer: ${HOW_TO_GET}`,
    );
  }

  const user = process.geteuid?.() ?? 0;
  const changesUser = user === 0;
  const facts: SandboxFacts = {
    bwrap,
    version,
    kernel: release(),
    architecture: arch,
    user: changesUser ? PROGRAM_USER : user,
    group: changesUser ? PROGRAM_USER : (process.getegid?.() ?? 0),
    changesUser,
    cgroupNamespace: existsSync('/proc/self/ns/cgroup'),
    cgroups: detectCgroups(),
    landlock: await detectLandlock(),
  };
  const trial = await tryOut(facts);
  return trial === null
    ? ok(facts)
    : refuse(
        'sandbox-does-not-work',
        `bubblewrap is there, but a trial run failed: ${trial}. ${NAMESPACE_ADVICE}`,
      );
};

/** Whether `setpriv` (util-linux 2.40 and newer) can ask the kernel for Landlock: tried on a program that does nothing. */
const detectLandlock = async (): Promise<LandlockFacts> => {
  const [setpriv, ...rules] = LANDLOCK;
  const run = promisify(execFile);
  try {
    await run(setpriv, [...rules.slice(0, 4), '/bin/true'], { env: {} });
    return { kind: 'setpriv' };
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string };
    const version = await run(setpriv, ['--version'], { env: {} });
    return /unrecognized option|unknown option/.test(stderr)
      ? {
          kind: 'none',
          why: `found ${version.stdout.trim()}, expected 2.40 or newer, whose setpriv asks the kernel for it; take a newer system`,
        }
      : {
          kind: 'none',
          why: `the kernel refuses it (${stderr.trim().split('\n')[0] ?? 'no reason given'}); look at lsm= of its command line`,
        };
  }
};

/** Null when a program that does nothing ran well. */
const tryOut = async (facts: SandboxFacts): Promise<string | null> => {
  try {
    const filter = assemble(seccompProgram(facts.architecture));
    const { ended, exitCode, stderr } = await contain(
      facts,
      filter,
      {
        command: ['/usr/bin/env'],
        readOnly: [],
        outputFiles: { maxFiles: 1, maxBytes: 1 },
        limits: { seconds: 10, memoryMb: 64, processes: 8, openFiles: 64, logBytes: 10_000 },
      },
      [],
    );
    return ended === 'exited' && exitCode === 0
      ? null
      : `it ended as ${ended} with ${exitCode} (${stderr.trim()})`;
  } catch (error) {
    if (error instanceof SandboxUnavailable) return error.message;
    throw error;
  }
};
