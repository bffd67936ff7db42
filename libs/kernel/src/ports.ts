/** Time, passed in so that the core stays pure. */
export interface Clock {
  /** Now, RFC 3339, UTC, milliseconds. */
  readonly now: () => string;
}

export const systemClock: Clock = { now: () => new Date().toISOString() };
