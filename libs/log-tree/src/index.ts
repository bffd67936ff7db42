/** The Merkle tree of the log, kept in files beside it. */
export {
  openLogTree,
  readLogTree,
  type Leaf,
  type LogTree,
  type LogTreeReader,
} from './log-tree.ts';
export { sha256 } from './sha256.ts';
