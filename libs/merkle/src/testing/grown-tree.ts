import { hash } from 'node:crypto';
import { appendLeaf, EMPTY_FRONTIER, rootOf } from '../frontier.ts';
import { emptyRoot, type Sha256 } from '../hashing.ts';
import type { ReadNode } from '../proofs.ts';

export const sha256: Sha256 = (bytes) => Uint8Array.from(hash('sha256', bytes, 'buffer'));

/** A tree that keeps what appending told it, and its root at every size. */
export interface GrownTree {
  readonly read: ReadNode;
  readonly roots: readonly Uint8Array[];
}

/** Grows a tree leaf by leaf (their leaf hashes). */
export const grownTree = (leaves: readonly Uint8Array[]): GrownTree => {
  const nodes = new Map<string, Uint8Array>();
  const roots = [emptyRoot(sha256)];
  let frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) {
    frontier = appendLeaf(sha256, frontier, leaf, (level, index, node) => {
      nodes.set(`${level}/${index}`, node);
    });
    roots.push(rootOf(sha256, frontier));
  }
  const read: ReadNode = (level, index) => {
    const node = nodes.get(`${level}/${index}`);
    if (node === undefined) throw new Error(`no node ${level}/${index}`);
    return node;
  };
  return { read, roots };
};
