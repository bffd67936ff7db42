/** SHA-256 of bytes, which it does not keep; passed in, so that the same code runs on a server, in the terminal and in a browser. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Bytes of a hash. */
export const HASH_BYTES = 32;

/** Keeps a leaf from passing for a node, and the other way round (RFC 6962, section 2.1). */
const LEAF = 0x00;
const NODE = 0x01;

/** The hash of the tree without leaves: that of nothing (RFC 6962, section 2.1). */
export const emptyRoot = (sha256: Sha256): Uint8Array => sha256(new Uint8Array());

/** MTH({d}) = SHA-256(0x00 || d). */
export const leafHash = (sha256: Sha256, leaf: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(1 + leaf.length);
  bytes[0] = LEAF;
  bytes.set(leaf, 1);
  return sha256(bytes);
};

/** What a node is hashed from, used again for each: memory of its own would cost as much as hashing does. */
const children = new Uint8Array(1 + 2 * HASH_BYTES);

/** SHA-256(0x01 || left || right). */
export const nodeHash = (sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array => {
  const length = 1 + left.length + right.length;
  // A proof by a stranger may hold what is no hash.
  const bytes = length === children.length ? children : new Uint8Array(length);
  bytes[0] = NODE;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.length);
  return sha256(bytes);
};

export const sameHash = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);
