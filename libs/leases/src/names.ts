const LONGEST_NAME = 200;
const LONGEST_TTL_MS = 24 * 60 * 60 * 1_000;

/** Throws when a name or a time is none: a bug of the caller. */
export const requireLeasable = (name: string, ttlMs: number): void => {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > LONGEST_NAME)
    throw new RangeError(
      `found ${JSON.stringify(name.slice(0, LONGEST_NAME))} as a lease's name; expected 1 to ${LONGEST_NAME} printable ASCII characters without spaces`,
    );
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1 || ttlMs > LONGEST_TTL_MS)
    throw new RangeError(
      `found ${ttlMs} ms as the time of lease ${name}; expected a whole number from 1 to ${LONGEST_TTL_MS}`,
    );
};
