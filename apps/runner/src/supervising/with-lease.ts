import { keepRenewed, type Leases } from '#libs/leases';

/** How long a lease lasts unrenewed: a runner that was killed holds its runs up for no longer. */
const LEASE_MS = 15_000;

/**
 * Does the work while holding the lease of this name; `held` when somebody else has it. The work's signal aborts when
 * the lease is lost or the process stops.
 */
export const withLease = async <T>(
  leases: Leases,
  name: string,
  stopping: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  ttlMs = LEASE_MS,
): Promise<T | 'held'> => {
  const lease = await leases.acquire(name, ttlMs);
  if (lease === null) return 'held';
  const stopRenewing = keepRenewed(lease, ttlMs);
  try {
    return await work(AbortSignal.any([stopping, lease.lost]));
  } finally {
    stopRenewing();
    // Unreturned it runs out by itself.
    await lease.release().catch(() => undefined);
  }
};
