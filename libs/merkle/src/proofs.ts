import { HASH_BYTES, nodeHash, sameHash, type Sha256 } from './hashing.ts';

/**
 * The hash of a perfect subtree that the tree holds: of the leaves from index·2^level on, 2^level of them. May throw
 * where it can't be read.
 */
export type ReadNode = (level: number, index: number) => Uint8Array;

const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

const isPowerOfTwo = (n: number): boolean => 2 ** Math.round(Math.log2(n)) === n;

/** The largest power of two below n, for n > 1: where a tree of n leaves splits. */
const splitOf = (n: number): number => {
  // The logarithm is rounded: of a number just below a power of two it may be that power's.
  const power = 2 ** Math.floor(Math.log2(n));
  return power >= n ? power / 2 : power;
};

/** MTH of the leaves from `start`, `count` of them; `start` is a multiple of the least power of two ≥ count. */
const subtreeHash = (sha256: Sha256, read: ReadNode, start: number, count: number): Uint8Array => {
  if (isPowerOfTwo(count)) return read(Math.round(Math.log2(count)), start / count);
  const left = splitOf(count);
  return nodeHash(
    sha256,
    subtreeHash(sha256, read, start, left),
    subtreeHash(sha256, read, start + left, count - left),
  );
};

/**
 * The audit path of a leaf: from its sibling up to the child of the root (RFC 6962, section 2.1.1).
 * @throws RangeError where the tree has no such leaf
 */
export const inclusionProof = (
  sha256: Sha256,
  read: ReadNode,
  leafIndex: number,
  treeSize: number,
): readonly Uint8Array[] => {
  if (!isSize(leafIndex) || leafIndex >= treeSize)
    throw new RangeError(`no leaf ${leafIndex} in a tree of ${treeSize}`);
  const path = (at: number, start: number, count: number): readonly Uint8Array[] => {
    if (count === 1) return [];
    const left = splitOf(count);
    return at < left
      ? [...path(at, start, left), subtreeHash(sha256, read, start + left, count - left)]
      : [...path(at - left, start + left, count - left), subtreeHash(sha256, read, start, left)];
  };
  return path(leafIndex, 0, treeSize);
};

/**
 * Shows that the tree of `size1` leaves is the beginning of that of `size2` (RFC 6962, section 2.1.2). Empty where
 * both are equal.
 * @throws RangeError for a tree without leaves, of which every tree is the continuation
 */
export const consistencyProof = (
  sha256: Sha256,
  read: ReadNode,
  size1: number,
  size2: number,
): readonly Uint8Array[] => {
  if (!isSize(size1) || !isSize(size2) || size1 === 0 || size1 > size2)
    throw new RangeError(`nothing to prove of ${size1} leaves in a tree of ${size2}`);
  const subproof = (
    old: number,
    start: number,
    count: number,
    isWhole: boolean,
  ): readonly Uint8Array[] => {
    if (old === count) return isWhole ? [] : [subtreeHash(sha256, read, start, count)];
    const left = splitOf(count);
    return old <= left
      ? [
          ...subproof(old, start, left, isWhole),
          subtreeHash(sha256, read, start + left, count - left),
        ]
      : [
          ...subproof(old - left, start + left, count - left, false),
          subtreeHash(sha256, read, start, left),
        ];
  };
  return subproof(size1, 0, size2, true);
};

const isOdd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);

/**
 * Whether `proof` shows that the leaf with this hash stands at `leafIndex` of the tree with this root
 * (RFC 9162, section 2.1.3.2).
 */
export const verifyInclusion = (
  sha256: Sha256,
  claim: {
    readonly leafIndex: number;
    readonly treeSize: number;
    readonly leafHash: Uint8Array;
    readonly root: Uint8Array;
  },
  proof: readonly Uint8Array[],
): boolean => {
  const { leafIndex, treeSize, leafHash: leaf, root } = claim;
  if (!isSize(leafIndex) || !isSize(treeSize) || leafIndex >= treeSize) return false;
  if (leaf.length !== HASH_BYTES) return false;
  let at = leafIndex;
  let last = treeSize - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash = nodeHash(sha256, sibling, hash);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      hash = nodeHash(sha256, hash, sibling);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && sameHash(hash, root);
};

/**
 * Whether `proof` shows that the tree of `size1` leaves with `root1` is the beginning of the tree of `size2` leaves
 * with `root2` (RFC 9162, section 2.1.4.2). A tree is shown to be its own continuation by an empty proof; of a tree
 * without leaves nothing can be shown, and the answer is no.
 */
export const verifyConsistency = (
  sha256: Sha256,
  claim: {
    readonly size1: number;
    readonly size2: number;
    readonly root1: Uint8Array;
    readonly root2: Uint8Array;
  },
  proof: readonly Uint8Array[],
): boolean => {
  const { size1, size2, root1, root2 } = claim;
  if (!isSize(size1) || !isSize(size2) || size1 > size2) return false;
  if (size1 === 0) return false;
  if (size1 === size2) return proof.length === 0 && sameHash(root1, root2);
  const [first, ...rest] = isPowerOfTwo(size1) ? [root1, ...proof] : proof;
  if (first === undefined || proof.length === 0) return false;
  let at = size1 - 1;
  let last = size2 - 1;
  while (isOdd(at)) {
    at = half(at);
    last = half(last);
  }
  let older = first;
  let newer = first;
  for (const hash of rest) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      older = nodeHash(sha256, hash, older);
      newer = nodeHash(sha256, hash, newer);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      newer = nodeHash(sha256, newer, hash);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && sameHash(older, root1) && sameHash(newer, root2);
};
