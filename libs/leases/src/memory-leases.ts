import type { Leases } from './port.ts';

/** Leases among the tasks of one process. */
export const memoryLeases = (): Leases => {
  const held = new Set<string>();
  let tokens = 0;
  return {
    acquire: async (name) => {
      if (held.has(name)) return null;
      held.add(name);
      tokens += 1;
      const lost = new AbortController();
      return {
        name,
        token: tokens,
        lost: lost.signal,
        renew: async () => undefined,
        release: async () => {
          held.delete(name);
          lost.abort();
        },
      };
    },
  };
};
