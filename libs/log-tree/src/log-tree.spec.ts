import { hash } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  appendLeaf,
  EMPTY_FRONTIER,
  leafHash,
  rootOf,
  tilesOf,
  verifyConsistency,
  verifyInclusion,
} from '#libs/merkle';
import { sha256 } from '../../merkle/src/testing/grown-tree.ts';
import { openLogTree, readLogTree, type Leaf } from './index.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const LEAVES: readonly Leaf[] = Array.from({ length: 70_000 }, (_, at) => ({
  position: at * 3 + 1,
  hash: hash('sha256', String(at), 'hex'),
}));
const leafOf = (at: number): Uint8Array => leafHash(sha256, Buffer.from(LEAVES[at]!.hash, 'hex'));

/** The root by the frontier alone, without any file. */
const rootAt = (size: number): string => {
  let frontier = EMPTY_FRONTIER;
  for (let at = 0; at < size; at += 1) frontier = appendLeaf(sha256, frontier, leafOf(at));
  return hex(rootOf(sha256, frontier));
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-log-tree-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const grown = (size: number, batch = 999) => {
  const tree = openLogTree(folder);
  for (let at = tree.size; at < size; at += batch)
    tree.append(LEAVES.slice(at, Math.min(size, at + batch)));
  return tree;
};

describe('the tree of the log', () => {
  it.each([0, 1, 2, 255, 256, 257, 1000, 65_536, 70_000])(
    'of %i leaves has the root of RFC 6962',
    (size) => {
      const tree = grown(size);
      expect(tree.size).toBe(size);
      expect(hex(tree.root(size))).toBe(rootAt(size));
      tree.close();
      const again = openLogTree(folder);
      expect(hex(again.root(size))).toBe(rootAt(size));
      expect(again.newest).toBe(size === 0 ? null : LEAVES[size - 1]!.position);
      again.close();
    },
  );

  it('proves every leaf and every earlier size', () => {
    const tree = grown(70_000);
    const root = tree.root(70_000);
    for (const at of [0, 1, 255, 256, 4095, 65_535, 65_536, 69_999]) {
      const claim = { leafIndex: at, treeSize: 70_000, leafHash: leafOf(at), root };
      expect(verifyInclusion(sha256, claim, tree.inclusion(at, 70_000))).toBe(true);
    }
    for (const size of [1, 256, 300, 65_536, 65_537]) {
      const claim = { size1: size, size2: 70_000, root1: tree.root(size), root2: root };
      expect(verifyConsistency(sha256, claim, tree.consistency(size, 70_000))).toBe(true);
    }
    expect(() => tree.root(70_001)).toThrow(RangeError);
    expect(() => tree.inclusion(70_000, 70_001)).toThrow(RangeError);
    expect(() => tree.consistency(1, 70_001)).toThrow(RangeError);
    tree.close();
  });

  it('finds a leaf by its place in the log', () => {
    const tree = grown(1000);
    expect([1, 4, 2998].map((position) => tree.indexOf(position))).toEqual([0, 1, 999]);
    expect([0, 2, 2999, 3001].map((position) => tree.indexOf(position))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    tree.close();
  });

  it('holds the tiles of C2SP', () => {
    const tree = grown(70_000);
    for (const { level, index, width } of tilesOf(70_000))
      expect(tree.tile(level, index).length).toBe(width * 32);
    expect(tree.tile(0, 274).length).toBe(0);
    tree.close();
  });

  it('takes leaves in log order only, and hashes only', () => {
    const tree = grown(10);
    expect(() => {
      tree.append([LEAVES[9]!]);
    }).toThrow(RangeError);
    expect(() => {
      tree.append([{ position: 1000, hash: 'no hash' }]);
    }).toThrow(RangeError);
    expect(tree.size).toBe(10);
    tree.close();
  });

  it.each([1, 256, 300, 65_536, 69_999])(
    'gives the tiles of the tree of %i leaves that a root holds, and no others',
    (size) => {
      const tree = grown(70_000);
      const signed = { size, root: tree.root(size) };
      for (const { level, index, width } of tilesOf(size)) {
        const proven = tree.provenTile({ level, index }, signed);
        expect(proven).toEqual(tree.tile(level, index).subarray(0, width * 32));
        expect(tree.provenTile({ level, index }, { size, root: tree.root(size + 1) })).toBeNull();
      }
      tree.close();
    },
  );

  it('gives no tile with another hash than the root was made of, whichever it is', () => {
    grown(70_000).close();
    const signed = { size: 70_000, root: Buffer.from(rootAt(70_000), 'hex') };
    const tiles = [
      { level: 0, index: 3 },
      { level: 0, index: 273 },
      { level: 1, index: 0 },
      { level: 1, index: 1 },
      { level: 2, index: 0 },
    ];
    for (const { level, index } of tiles) {
      const path = join(folder, `level-${level}`);
      const kept = readFileSync(path);
      const last = Math.min(kept.length, (index + 1) * 256 * 32);
      for (const at of [index * 256 * 32, last - 1]) {
        const changed = Buffer.from(kept);
        changed[at]! ^= 1;
        writeFileSync(path, changed);
        const reader = readLogTree(folder)!;
        expect([level, index, at, reader.provenTile({ level, index }, signed)]).toEqual([
          ...[level, index, at],
          null,
        ]);
        reader.close();
      }
      writeFileSync(path, kept);
    }
    const reader = readLogTree(folder)!;
    for (const tile of tiles) expect(reader.provenTile(tile, signed)).not.toBeNull();
    reader.close();
    truncateSync(join(folder, 'level-1'), 32);
    const lacking = readLogTree(folder)!;
    expect(() => lacking.provenTile({ level: 0, index: 0 }, signed)).toThrow(RangeError);
    lacking.close();
  });

  it('is cut, and grows again to the same', () => {
    const tree = grown(70_000);
    tree.cut(300);
    expect(hex(tree.root(300))).toBe(rootAt(300));
    tree.append(LEAVES.slice(300, 70_000));
    expect(hex(tree.root(70_000))).toBe(rootAt(70_000));
    tree.close();
  });

  it('mends whatever a crash cut off', () => {
    grown(70_000).close();
    const names = readdirSync(folder);
    for (const name of names) {
      const { size } = statSync(join(folder, name));
      truncateSync(join(folder, name), Math.max(0, size - 37));
      const tree = grown(70_000);
      expect(hex(tree.root(70_000))).toBe(rootAt(70_000));
      tree.close();
    }
    expect(names.sort()).toEqual(['level-0', 'level-1', 'level-2', 'positions']);
  });

  it('holds no hash of leaves that are gone, on no level', () => {
    grown(1000).close();
    truncateSync(join(folder, 'level-0'), 100 * 32);
    const tree = grown(600);
    expect(hex(tree.root(600))).toBe(rootAt(600));
    expect(tree.tile(1, 0)).toHaveLength(2 * 32);
    tree.close();
  });

  it('is read while it is written, and changed by no reader', () => {
    expect(readLogTree(folder)).toBeNull();
    const tree = grown(700);
    const reader = readLogTree(folder)!;
    tree.append(LEAVES.slice(700, 1000));
    expect(reader.size).toBe(700);
    expect(hex(reader.root(700))).toBe(rootAt(700));
    expect(reader.positionOf(699)).toBe(LEAVES[699]!.position);
    expect(reader.positionOf(700)).toBeNull();
    expect(reader.indexOf(LEAVES[300]!.position)).toBe(300);
    expect(reader.tile(5, 0)).toHaveLength(0);
    reader.close();
    // What a writer is about to write is not a reader's to mend.
    truncateSync(join(folder, 'level-0'), 999 * 32 + 7);
    readLogTree(folder)!.close();
    expect(statSync(join(folder, 'level-0')).size).toBe(999 * 32 + 7);
    expect(hex(tree.root(1000))).toBe(rootAt(1000));
    tree.close();
  });
});
