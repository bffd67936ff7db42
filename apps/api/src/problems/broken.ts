/** Errors by name that mean broken infrastructure, not a bug. */
const BROKEN: ReadonlySet<string> = new Set([
  'EventLogUnavailable',
  'ViewsUnavailable',
  'LeasesUnavailable',
  'ErasablesUnavailable',
  'SandboxUnavailable',
  'QueueUnavailable',
]);

/** The ledger holds what nobody wrote, or what this release can't read. */
const DAMAGED: ReadonlySet<string> = new Set(['CorruptEvent', 'UnknownEventVersion', 'StreamGone']);

/** Of files, disks and the network (errno(3)). */
const BROKEN_CODES: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EROFS',
  'EIO',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);

/** SQLite's primary result codes (sqlite.org/rescode.html): busy, read-only, I/O error, full, cannot open. */
const BROKEN_SQLITE: ReadonlySet<number> = new Set([5, 8, 10, 13, 14]);

export const isDamaged = (error: unknown): error is Error =>
  error instanceof Error && DAMAGED.has(error.name);

export const isBroken = (error: unknown): error is Error => {
  if (!(error instanceof Error)) return false;
  if (BROKEN.has(error.name)) return true;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof code === 'string' && BROKEN_CODES.has(code)) return true;
  return (
    code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' && BROKEN_SQLITE.has(errcode & 0xff)
  );
};
