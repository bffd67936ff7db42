/** The Merkle tree of RFC 6962 over hashes in log order: roots, proofs and tiles (C2SP tlog-tiles). Pure. */
export { appendLeaf, EMPTY_FRONTIER, rootOf, type Frontier, type OnNode } from './frontier.ts';
export { emptyRoot, HASH_BYTES, leafHash, nodeHash, sameHash, type Sha256 } from './hashing.ts';
export {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
  type ReadNode,
} from './proofs.ts';
export {
  nodesOfTiles,
  parseTilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilePath,
  tilesOf,
  type ReadTile,
  type ServedTile,
  type Tile,
} from './tiles.ts';
