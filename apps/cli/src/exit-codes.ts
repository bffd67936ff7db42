import type { Refusal } from '#libs/kernel';

/** What the shell is told. */
export const EXIT = {
  /** Verified, or done. */
  done: 0,
  /** A verdict is BLOCK, or a run was halted. */
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
  'unsupported-platform',
  'log-unreadable',
  'interrupted',
  'lost-race',
]);

/** Errors by name that mean broken infrastructure, not a bug. */
const BROKEN = new Set(['SandboxUnavailable', 'EventLogUnavailable']);

export const exitCodeOf = ({ code }: Refusal): ExitCode =>
  UNREACHABLE.has(code) ? EXIT.unreachable : EXIT.badInput;

export const isBroken = (error: unknown): error is Error =>
  error instanceof Error &&
  (BROKEN.has(error.name) ||
    ['ENOSPC', 'EACCES', 'EROFS', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? ''));
