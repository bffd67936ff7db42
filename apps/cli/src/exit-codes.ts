import type { Refusal } from '#libs/kernel';

/** What the shell is told. */
export const EXIT = {
  /** Verified, or done. */
  done: 0,
  /** A verdict is BLOCK, a run was halted, or the notary refuses to sign the log. */
  blocked: 1,
  /** Usage or bad input. */
  badInput: 2,
  /** Something that is needed cannot be reached: the sandbox, the log, the disk. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const UNREACHABLE = new Set([
  'sandbox-missing',
  'sandbox-too-old',
  'sandbox-does-not-work',
  'sandbox-too-weak',
  'unsupported-platform',
  'log-unreadable',
  'event-store-unreachable',
  'event-store-unsuitable',
  'devices-unreadable',
  'interrupted',
  'lost-race',
  'notary-elsewhere',
]);

/** Errors by name that mean broken infrastructure, not a bug. */
const BROKEN = new Set([
  'StreamGone',
  'SandboxUnavailable',
  'EventLogUnavailable',
  'ViewsUnavailable',
  'LeasesUnavailable',
  'DatabaseUnavailable',
]);

export const exitCodeOf = ({ code }: Refusal): ExitCode =>
  code === 'notary-alarm' ? EXIT.blocked : UNREACHABLE.has(code) ? EXIT.unreachable : EXIT.badInput;

/** SQLite's primary result codes (sqlite.org/rescode.html): busy, read-only, I/O error, full, cannot open. */
const BROKEN_SQLITE = new Set([5, 8, 10, 13, 14]);

const sqliteCode = (error: Error): number | null => {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null;
};

export const isBroken = (error: unknown): error is Error =>
  error instanceof Error &&
  (BROKEN.has(error.name) ||
    ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO'].includes(
      (error as NodeJS.ErrnoException).code ?? '',
    ) ||
    BROKEN_SQLITE.has(sqliteCode(error) ?? 0));

/** What to say of broken infrastructure: of a database's own few words, what they are about. */
export const brokenMessage = (error: Error): string =>
  sqliteCode(error) === null
    ? error.message
    : `the views can't be read or written: ${error.message}; see whether the disk is full, then try again (holdfast run --resume goes on with a run)`;
