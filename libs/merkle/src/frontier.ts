import { emptyRoot, nodeHash, type Sha256 } from './hashing.ts';

/**
 * The right edge of a growing tree: the roots of the perfect subtrees that its leaves fall into, largest first, one for
 * each 1 in the binary form of `size`. All that is needed to append and to know the root; at most 53 hashes.
 */
export interface Frontier {
  readonly size: number;
  readonly roots: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, roots: [] };

/** A perfect subtree that has come to be: the hash of the leaves from index·2^level on, 2^level of them. */
export type OnNode = (level: number, index: number, hash: Uint8Array) => void;

/**
 * The frontier after one more leaf (its leaf hash). Tells each perfect subtree that it completes, the leaf itself
 * first, so that whoever stores the tree computes no hash twice.
 */
export const appendLeaf = (
  sha256: Sha256,
  { size, roots }: Frontier,
  leaf: Uint8Array,
  onNode: OnNode = () => undefined,
): Frontier => {
  const kept = [...roots];
  let hash = leaf;
  onNode(0, size, hash);
  for (let level = 0, index = size; index % 2 === 1; level += 1, index = (index - 1) / 2) {
    const left = kept.pop();
    if (left === undefined) throw new RangeError(`a frontier of ${size} leaves lacks a root`);
    hash = nodeHash(sha256, left, hash);
    onNode(level + 1, (index - 1) / 2, hash);
  }
  return { size: size + 1, roots: [...kept, hash] };
};

/** The Merkle Tree Hash of all leaves (RFC 6962, section 2.1). */
export const rootOf = (sha256: Sha256, { roots }: Frontier): Uint8Array => {
  const last = roots.at(-1);
  return last === undefined
    ? emptyRoot(sha256)
    : roots.slice(0, -1).reduceRight((right, left) => nodeHash(sha256, left, right), last);
};
