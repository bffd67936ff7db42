import { createHash, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { SPLITS, type DataPolicy, type Split } from '#libs/harness';

/** Length of a split key. */
export const SPLIT_KEY_BYTES = 32;

/** A new key to split rows with: 32 random bytes. One for each data digest, made when the study is registered. */
export const newSplitKey = (): Uint8Array => new Uint8Array(randomBytes(SPLIT_KEY_BYTES));

/**
 * What may be published of a split key, so that nobody can change it later: SHA-256, lower-case hex, of the ASCII
 * text `holdfast/split-key/v1`, a zero byte and the key. It hides the key, which is random.
 */
export const splitCommitment = (key: Uint8Array): string =>
  createHash('sha256').update('holdfast/split-key/v1\0').update(checked(key)).digest('hex');

/**
 * Assigns rows to splits: HMAC-SHA256 (RFC 2104) of the row id (UTF-8) under the key, its first 8 bytes as a
 * fraction of 2^64, and that share of the way through train, dev, check and sealed. So a row's split depends on
 * its id and the key alone, and without the key nobody can tell it.
 */
export const splitter = (
  key: Uint8Array,
  shares: DataPolicy['split'],
): ((rowId: string) => Split) => {
  // As a key object: createHmac would convert the bytes anew for every row, at five times the cost.
  const secret = createSecretKey(checked(key));
  let end = 0;
  const ends = SPLITS.filter((split) => shares[split] > 0).map((split) => {
    end += shares[split];
    return { split, end };
  });
  const last = ends.at(-1);
  if (last === undefined) throw new RangeError('no split has a share of the rows');
  return (rowId) => {
    const mac = createHmac('sha256', secret).update(rowId, 'utf8').digest();
    // The top 53 of the 64 bits: as many as a number holds exactly, and never rounded up to 1.
    const fraction = (mac.readUInt32BE(0) * 2 ** 21 + (mac.readUInt32BE(4) >>> 11)) / 2 ** 53;
    return (ends.find(({ end }) => fraction * 100 < end) ?? last).split;
  };
};

const checked = (key: Uint8Array): Uint8Array => {
  if (key.length !== SPLIT_KEY_BYTES) {
    throw new RangeError(`a split key has ${SPLIT_KEY_BYTES} bytes, this one ${key.length}`);
  }
  return key;
};
