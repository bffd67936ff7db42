/** The Merkle tree of the log, kept in files beside it. */
export { openLogTree, type Leaf, type LogTree } from './log-tree.ts';
