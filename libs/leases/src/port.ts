/**
 * A right to do something that nobody else has at the same time, as long as clocks behave: it saves work, and safety
 * never rests on it.
 */
export interface Lease {
  readonly name: string;
  /** Grows with each change of holder. */
  readonly token: number;
  /** Aborts when the lease is lost, or could not be renewed in time. */
  readonly lost: AbortSignal;
  renew(): Promise<void>;
  release(): Promise<void>;
}

export interface Leases {
  /** Null while somebody else holds it. */
  acquire(name: string, ttlMs: number): Promise<Lease | null>;
}
