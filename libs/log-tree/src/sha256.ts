import { hash } from 'node:crypto';
import { HASH_BYTES, type Sha256 } from '#libs/merkle';

/** SHA-256 by Node, for trees. A Buffer of its own for each hash costs more than hashing does: text does not. */
export const sha256: Sha256 = (bytes) => {
  const text = hash('sha256', bytes, 'binary');
  const digest = new Uint8Array(HASH_BYTES);
  for (let at = 0; at < HASH_BYTES; at += 1) digest[at] = text.charCodeAt(at);
  return digest;
};
