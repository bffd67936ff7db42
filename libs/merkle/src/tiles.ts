import { HASH_BYTES, nodeHash, type Sha256 } from './hashing.ts';
import type { ReadNode } from './proofs.ts';

/** Levels of the tree that a tile spans, and the hashes of a full one (C2SP tlog-tiles). */
export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/** A tile of a tree: `width` hashes side by side, from index·256 on, of the tree's level 8·`level`. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 256, or from 1 to 255 for the partial tile at the right edge. */
  readonly width: number;
}

/** What a log serves beside its checkpoint: a tile, or the entries whose hashes are a tile of level 0. */
export interface ServedTile extends Omit<Tile, 'level'> {
  readonly level: number | 'entries';
}

/**
 * Where a tile is served below the log's prefix: `tile/0/x001/x234/067`, with `.p/7` where it is partial; entries at
 * `tile/entries/…`.
 */
export const tilePath = ({ level, index, width }: ServedTile): string => {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/[0-9]{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
};

const TILE_PATH = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/;
/** A level of the tree is one of 64 that a size of 64 bits can have. */
const MOST_LEVELS = 64;

/** What is served at a path, as {@link tilePath} writes it; null where that is no path of a tile. */
export const parseTilePath = (path: string): ServedTile | null => {
  const [, level = '', digits = '', width] = TILE_PATH.exec(path) ?? [];
  const tile: ServedTile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(digits.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const isTile =
    tile.width > 0 &&
    (tile.level === 'entries' || tile.level < MOST_LEVELS) &&
    Number.isSafeInteger(tile.index * TILE_WIDTH);
  // Each has one path: no zeroes before a number, no width of a full tile.
  return isTile && tilePath(tile) === path ? tile : null;
};

/** The tiles that hold a tree of so many leaves, level by level. */
export const tilesOf = function* (treeSize: number): Generator<Tile> {
  for (let level = 0, hashes = treeSize; hashes > 0; level += 1) {
    const full = Math.floor(hashes / TILE_WIDTH);
    for (let index = 0; index < full; index += 1) yield { level, index, width: TILE_WIDTH };
    if (hashes % TILE_WIDTH > 0) yield { level, index: full, width: hashes % TILE_WIDTH };
    hashes = full;
  }
};

/** The hashes of a tile, one after the other; `width` of them or more. May throw where it can't be read. */
export type ReadTile = (level: number, index: number) => Uint8Array;

/** Reads the hashes of perfect subtrees out of tiles: those between two levels of tiles are made of the lower ones. */
export const nodesOfTiles = (sha256: Sha256, read: ReadTile): ReadNode => {
  const node = (level: number, index: number): Uint8Array => {
    if (level % TILE_HEIGHT > 0)
      return nodeHash(sha256, node(level - 1, 2 * index), node(level - 1, 2 * index + 1));
    const tile = read(level / TILE_HEIGHT, Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    if (tile.length < at + HASH_BYTES)
      throw new RangeError(
        `tile ${level / TILE_HEIGHT}/${Math.floor(index / TILE_WIDTH)} lacks hash ${index % TILE_WIDTH}`,
      );
    return tile.subarray(at, at + HASH_BYTES);
  };
  return node;
};
