import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { SHA256_HEX } from '#libs/kernel';
import {
  appendLeaf,
  consistencyProof,
  HASH_BYTES,
  inclusionProof,
  leafHash,
  nodeHash,
  nodesOfTiles,
  rootOf,
  sameHash,
  TILE_HEIGHT,
  TILE_WIDTH,
  type Frontier,
} from '#libs/merkle';
import { sha256 } from './sha256.ts';

/** An event of the log as a leaf: what the tree hashes is the chain hash of the event. */
export interface Leaf {
  /** Where the event stands in the log. */
  readonly position: number;
  /** The event's chain hash, 64 hex digits. */
  readonly hash: string;
}

/**
 * The tree of the log, kept in files: the hashes of each eighth level one after the other, which are the tiles of
 * C2SP tlog-tiles, and the position of each leaf. All of it derives from the log and can be made again.
 * One process writes; it holds the notary's lease.
 */
export interface LogTree extends LogTreeReader {
  /** Adds leaves in log order. @throws RangeError for a position that isn't after the newest */
  append(leaves: readonly Leaf[]): void;
  /** Drops all leaves from `size` on. */
  cut(size: number): void;
}

/** The tree as somebody reads it while the notary writes: what was there when it was opened. */
export interface LogTreeReader {
  readonly size: number;
  /** Position of the newest leaf; null for none. */
  readonly newest: number | null;
  /** The leaf's index, or null where the tree has no leaf of this position. */
  indexOf(position: number): number | null;
  /** Where a leaf's event stands in the log, or null where the tree has no such leaf. */
  positionOf(leafIndex: number): number | null;
  /** Merkle Tree Hash of the first `size` leaves. */
  root(size: number): Uint8Array;
  inclusion(leafIndex: number, size: number): readonly Uint8Array[];
  consistency(size1: number, size2: number): readonly Uint8Array[];
  /** The hashes of a tile, as far as they are there; empty where there are none. */
  tile(level: number, index: number): Uint8Array;
  /**
   * The hashes that a tile has of the first `size` leaves, if their tree with this root holds them; null where it holds
   * others. Reads no tiles but those above it and the last of each level.
   * @throws RangeError where the files lack one of those
   */
  provenTile(
    tile: { readonly level: number; readonly index: number },
    signed: { readonly size: number; readonly root: Uint8Array },
  ): Uint8Array | null;
  close(): void;
}

const POSITION_BYTES = 8;

/** A file of records of one length, of which a last one that was cut off is none. */
interface Records {
  readonly count: () => number;
  readonly read: (from: number, count: number) => Uint8Array;
  readonly append: (bytes: Uint8Array) => void;
  readonly cut: (count: number) => void;
  readonly close: () => void;
}

const openRecords = (path: string, bytesOfOne: number, isWriter: boolean): Records => {
  const file = openSync(path, isWriter ? 'a+' : 'r', 0o600);
  let count = Math.floor(fstatSync(file).size / bytesOfOne);
  if (isWriter) ftruncateSync(file, count * bytesOfOne);
  return {
    count: () => count,
    read: (from, wanted) => {
      const there = Math.max(0, Math.min(wanted, count - from));
      const bytes = new Uint8Array(there * bytesOfOne);
      let at = 0;
      while (at < bytes.length) {
        const got = readSync(file, bytes, at, bytes.length - at, from * bytesOfOne + at);
        if (got === 0) throw new Error(`${path} is shorter than it was`);
        at += got;
      }
      return bytes;
    },
    append: (bytes) => {
      let at = 0;
      while (at < bytes.length) at += writeSync(file, bytes, at);
      count += bytes.length / bytesOfOne;
    },
    cut: (kept) => {
      count = Math.min(count, kept);
      ftruncateSync(file, count * bytesOfOne);
    },
    close: () => {
      closeSync(file);
    },
  };
};

const hashOf = (hex: string): Uint8Array => {
  if (!SHA256_HEX.test(hex)) throw new RangeError(`no chain hash: ${hex.slice(0, 80)}`);
  return Buffer.from(hex, 'hex');
};

/** Opens the tree in a folder, or makes it. What a crash left half-written is cut off: it is added again. */
export const openLogTree = (folder: string): LogTree => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return open(folder, true);
};

/**
 * Opens the tree to read it, and changes no file: its notary may be writing. Null where there is none. It answers for
 * every size that was signed; of what the notary is adding it may lack hashes.
 */
export const readLogTree = (folder: string): LogTreeReader | null =>
  existsSync(join(folder, 'level-0')) && existsSync(join(folder, 'positions'))
    ? open(folder, false)
    : null;

const open = (folder: string, isWriter: boolean): LogTree => {
  const positions = openRecords(join(folder, 'positions'), POSITION_BYTES, isWriter);
  const levels: Records[] = [];
  const fileOf = (at: number): string => join(folder, `level-${at}`);
  const level = (at: number): Records =>
    (levels[at] ??= openRecords(fileOf(at), HASH_BYTES, isWriter));

  const tile = (at: number, index: number): Uint8Array =>
    isWriter || existsSync(fileOf(at))
      ? level(at).read(index * TILE_WIDTH, TILE_WIDTH)
      : new Uint8Array();

  /** The tile that was read last of each level: proofs and roots look at few. */
  const cached = new Map<number, { readonly index: number; readonly bytes: Uint8Array }>();
  const tileOnce = (at: number, index: number): Uint8Array => {
    const known = cached.get(at);
    if (known?.index === index) return known.bytes;
    const bytes = tile(at, index);
    cached.set(at, { index, bytes });
    return bytes;
  };
  const node = nodesOfTiles(sha256, tileOnce);

  /** A tile's hash, out of the tile below and not out of its own place. */
  const joinedBelow = (height: number, index: number): Uint8Array =>
    nodeHash(sha256, node(height - 1, 2 * index), node(height - 1, 2 * index + 1));

  const frontierOf = (size: number): Frontier => {
    const roots: Uint8Array[] = [];
    let start = 0;
    for (let height = Math.floor(Math.log2(Math.max(1, size))) + 1; height >= 0; height -= 1) {
      const width = 2 ** height;
      if (Math.floor(size / width) % 2 === 0) continue;
      roots.push(Uint8Array.from(node(height, start / width)));
      start += width;
    }
    return { size, roots };
  };

  const provenTile: LogTreeReader['provenTile'] = ({ level: at, index }, { size, root }) => {
    // What is given is what was looked at: the file may change in between.
    const bytes = tileOnce(at, index);
    const width = Math.floor(size / TILE_WIDTH ** at) - index * TILE_WIDTH;
    if (width < TILE_WIDTH) {
      // The last tiles of the levels are what the root is made of.
      const isHeld = sameHash(rootOf(sha256, frontierOf(size)), root);
      return isHeld ? bytes.subarray(0, Math.max(0, width) * HASH_BYTES) : null;
    }
    const joined = joinedBelow((at + 1) * TILE_HEIGHT, index);
    const above = { level: at + 1, index: Math.floor(index / TILE_WIDTH) };
    const place = (index % TILE_WIDTH) * HASH_BYTES;
    const said = provenTile(above, { size, root })?.subarray(place, place + HASH_BYTES);
    return said !== undefined && sameHash(joined, said) ? bytes : null;
  };

  const cut = (size: number): void => {
    cached.clear();
    positions.cut(size);
    for (let at = 0, hashes = size; at === 0 || hashes > 0 || levels[at] !== undefined; at += 1) {
      level(at).cut(hashes);
      hashes = Math.floor(hashes / TILE_WIDTH);
    }
  };

  // A level above that lacks what the one below completes is made again from there.
  const whole = Math.min(positions.count(), level(0).count());
  // Levels that are there hold no hash of what is cut: it would stand where another one belongs.
  for (let at = 1; isWriter && existsSync(fileOf(at)); at += 1) level(at);
  if (isWriter) cut(whole);
  for (let at = 1, hashes = Math.floor(whole / TILE_WIDTH); isWriter && hashes > 0; at += 1) {
    for (let index = level(at).count(); index < hashes; index += 1)
      level(at).append(joinedBelow(at * TILE_HEIGHT, index));
    cached.clear();
    hashes = Math.floor(hashes / TILE_WIDTH);
  }
  let frontier = isWriter ? frontierOf(whole) : { size: whole, roots: [] };

  const positionAt = (index: number): number => {
    const bytes = positions.read(index, 1);
    return new DataView(bytes.buffer).getFloat64(0);
  };
  const newest = (): number | null => (frontier.size === 0 ? null : positionAt(frontier.size - 1));

  return {
    get size() {
      return frontier.size;
    },
    get newest() {
      return newest();
    },
    append: (leaves) => {
      let last = newest() ?? -1;
      const added = leaves.map(({ position, hash: chainHash }) => {
        if (!Number.isSafeInteger(position) || position <= last)
          throw new RangeError(`a leaf at position ${position} after one at ${last}`);
        last = position;
        return { position, leaf: leafHash(sha256, hashOf(chainHash)) };
      });
      const written: Uint8Array[][] = [];
      for (const { leaf } of added)
        frontier = appendLeaf(sha256, frontier, leaf, (height, _, hashed) => {
          if (height % TILE_HEIGHT === 0) (written[height / TILE_HEIGHT] ??= []).push(hashed);
        });
      const places = new Uint8Array(added.length * POSITION_BYTES);
      const view = new DataView(places.buffer);
      added.forEach(({ position }, at) => {
        view.setFloat64(at * POSITION_BYTES, position);
      });
      positions.append(places);
      written.forEach((hashes, at) => {
        level(at).append(Buffer.concat(hashes));
      });
      cached.clear();
    },
    positionOf: (leafIndex) =>
      Number.isSafeInteger(leafIndex) && leafIndex >= 0 && leafIndex < frontier.size
        ? positionAt(leafIndex)
        : null,
    indexOf: (position) => {
      let low = 0;
      let high = frontier.size;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (positionAt(middle) < position) low = middle + 1;
        else high = middle;
      }
      return low < frontier.size && positionAt(low) === position ? low : null;
    },
    root: (size) => {
      if (!Number.isSafeInteger(size) || size < 0 || size > frontier.size)
        throw new RangeError(`no root of ${size} leaves in a tree of ${frontier.size}`);
      return rootOf(sha256, isWriter && size === frontier.size ? frontier : frontierOf(size));
    },
    inclusion: (leafIndex, size) => {
      if (size > frontier.size)
        throw new RangeError(`no tree of ${size} leaves in one of ${frontier.size}`);
      return inclusionProof(sha256, node, leafIndex, size).map((each) => Uint8Array.from(each));
    },
    consistency: (size1, size2) => {
      if (size2 > frontier.size)
        throw new RangeError(`no tree of ${size2} leaves in one of ${frontier.size}`);
      return consistencyProof(sha256, node, size1, size2).map((each) => Uint8Array.from(each));
    },
    tile,
    provenTile,
    cut: (size) => {
      cut(size);
      frontier = frontierOf(Math.min(size, frontier.size));
    },
    close: () => {
      positions.close();
      for (const each of levels) each.close();
    },
  };
};
