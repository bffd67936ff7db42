import type { Lease, LeaseClock } from './port.ts';

/** What a lease asks of where it is kept. */
export interface Keeping {
  readonly renew: () => Promise<boolean>;
  readonly release: () => Promise<void>;
}

export interface Granted {
  readonly name: string;
  readonly token: number;
  readonly ttlMs: number;
  /** When it was asked for: it counts from then on, since the answer may have taken its time. */
  readonly since: Moment;
}

/** A time by both clocks. */
export interface Moment {
  readonly wall: number;
  readonly steady: number;
}

export const momentOf = (clock: LeaseClock): Moment => ({
  wall: clock.wall(),
  steady: clock.steady(),
});

/** A lease in the hand of its holder. Its time is over when either clock says so: an error on the safe side. */
export const leaseOf = (
  { name, token, ttlMs, since }: Granted,
  keeping: Keeping,
  clock: LeaseClock,
): Lease => {
  const lost = new AbortController();
  let from = since;
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  const end = (): void => {
    over = true;
    clearTimeout(timer);
  };
  const lose = (why: string): void => {
    if (over) return;
    end();
    lost.abort(new Error(`the lease "${name}" (token ${token}) is lost: ${why}`));
  };
  const left = (): number => {
    const now = momentOf(clock);
    return ttlMs - Math.max(now.wall - from.wall, now.steady - from.steady);
  };
  const held = (): boolean => {
    if (!over && left() <= 0) lose(`it was not renewed within ${ttlMs} ms`);
    return !over;
  };
  // A clock may have been set forward meanwhile: looked at now and then, not only at the end.
  const watch = (): void => {
    if (!held()) return;
    timer = setTimeout(watch, Math.min(left(), ttlMs / 4));
    timer.unref();
  };
  watch();

  return {
    name,
    token,
    held,
    lost: lost.signal,
    renew: async () => {
      if (!held()) return false;
      const asked = momentOf(clock);
      const renewed = await keeping.renew();
      // It may have run out, or have been released, while the answer was on its way.
      if (!held()) return false;
      if (renewed) from = asked;
      else lose('somebody else holds it, or it had run out where it is kept');
      return renewed;
    },
    release: async () => {
      if (over) return;
      end();
      await keeping.release();
    },
  };
};
