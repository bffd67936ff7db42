import { v5 } from 'uuid';

/** The namespace of every id that Holdfast derives (a fixed random UUID). */
const HOLDFAST = '6f1f5a0e-3c8b-4f0e-9a57-1d1f0c2b9e44';

/**
 * An id (UUID version 5, RFC 9562) that derives from its parts: the same parts give the same id, so a retry
 * of the same command sends the same ids.
 */
export const deriveId = (...parts: readonly (string | number)[]): string =>
  v5(JSON.stringify(parts), HOLDFAST);

/** The id of the nth event of a command. */
export const eventId = (commandId: string, ordinal: number): string =>
  deriveId('event', commandId, ordinal);
