import type { Lease } from './port.ts';

/** How many times a lease is renewed within its time: one or two may fail. */
const RENEWALS = 3;

/**
 * Renews a lease again and again, until it is lost or the returned function is called. A renewal that fails is tried
 * again at the next turn: what counts is whether one gets through in time.
 */
export const keepRenewed = (lease: Lease, ttlMs: number): (() => void) => {
  let under = false;
  const timer = setInterval(() => {
    if (under) return;
    under = true;
    lease
      .renew()
      .catch(() => undefined)
      .finally(() => {
        under = false;
      });
  }, ttlMs / RENEWALS);
  timer.unref();
  const stop = (): void => clearInterval(timer);
  lease.lost.addEventListener('abort', stop, { once: true });
  return stop;
};
