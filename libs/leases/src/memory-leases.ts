import { leaseOf, momentOf } from './lease.ts';
import { requireLeasable } from './names.ts';
import { systemLeaseClock, type LeaseClock, type Leases } from './port.ts';

interface Entry {
  readonly token: number;
  readonly ttlMs: number;
  expiresAt: number;
}

/** Leases among those who share this object: for one process, and for tests. */
export const memoryLeases = (clock: LeaseClock = systemLeaseClock): Leases => {
  const entries = new Map<string, Entry>();
  return {
    acquire: async (name, ttlMs) => {
      requireLeasable(name, ttlMs);
      const since = momentOf(clock);
      const found = entries.get(name);
      const now = since.steady;
      if (found !== undefined && found.expiresAt > now) return null;
      const entry: Entry = { token: (found?.token ?? 0) + 1, ttlMs, expiresAt: now + ttlMs };
      entries.set(name, entry);
      const mine = (): boolean => entries.get(name) === entry;
      return leaseOf(
        { name, token: entry.token, ttlMs, since },
        {
          renew: async () => {
            const at = clock.steady();
            if (!mine() || entry.expiresAt <= at) return false;
            entry.expiresAt = at + ttlMs;
            return true;
          },
          release: async () => {
            if (mine()) entry.expiresAt = Number.NEGATIVE_INFINITY;
          },
        },
        clock,
      );
    },
    close: () => Promise.resolve(),
  };
};
