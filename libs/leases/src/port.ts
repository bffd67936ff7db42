/**
 * Names that one holder at a time may act under: who drives a run, who projects the views. A lease saves work that two
 * would do twice; it never makes that work safe, since a holder that was paused learns late that it lost its lease. What
 * must not happen twice is kept from it by what is written: an expected revision, a position in the same transaction,
 * or the fencing token, of which a store takes none that is lower than one it has seen.
 *
 * Promises, held by the contract suite for every adapter: of all who ask for a free name at once, one gets it; the token
 * of a name grows with every new lease, for ever; a lease that is not renewed is free again after its time.
 */
export interface Leases {
  /**
   * Takes `name` for `ttlMs` milliseconds; null when somebody holds it. Throws LeasesUnavailable when nobody can tell.
   */
  readonly acquire: (name: string, ttlMs: number) => Promise<Lease | null>;
  /** Lets go of nothing: leases run out, unless they are released before. */
  readonly close: () => Promise<void>;
}

export interface Lease {
  readonly name: string;
  /** The fencing token: higher than that of every earlier lease of this name. */
  readonly token: number;
  /**
   * Prolongs it by its time from now on. False when it is lost. Throws LeasesUnavailable when nobody can tell; the lease
   * is held until its time is over all the same.
   */
  readonly renew: () => Promise<boolean>;
  /** Gives it back; `lost` does not abort then. Does nothing when it is lost already. */
  readonly release: () => Promise<void>;
  /**
   * Whether it is held as far as this process can know without asking: it was neither lost nor released, and its time is
   * not over by either clock. Ask it before each step, since a process that was stopped hears of nothing.
   */
  readonly held: () => boolean;
  /** Aborts when the lease is lost: its time is over, or another holder was found. Stop what it stands for at once. */
  readonly lost: AbortSignal;
}

/** Nobody can tell who holds what: the leases' database is down, refuses, is full or locked. */
export class LeasesUnavailable extends Error {
  override readonly name = 'LeasesUnavailable';
}

/** Milliseconds of two clocks, since each has times when it lies. */
export interface LeaseClock {
  /** The time of day, as on the wall: it jumps when it is set. */
  readonly wall: () => number;
  /** Grows steadily, but stands still on a machine that sleeps. */
  readonly steady: () => number;
}

export const systemLeaseClock: LeaseClock = {
  wall: () => Date.now(),
  steady: () => performance.now(),
};
