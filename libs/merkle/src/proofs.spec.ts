import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendLeaf,
  consistencyProof,
  EMPTY_FRONTIER,
  HASH_BYTES,
  inclusionProof,
  leafHash,
  nodeHash,
  nodesOfTiles,
  parseTilePath,
  rootOf,
  tilePath,
  tilesOf,
  TILE_WIDTH,
  verifyConsistency,
  verifyInclusion,
} from './index.ts';
import { grownTree, sha256 } from './testing/grown-tree.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const decoded = (base64: string): Uint8Array => Buffer.from(base64, 'base64');

interface Vectors {
  readonly inclusion: readonly {
    readonly name: string;
    readonly leafIdx: number;
    readonly treeSize: number;
    readonly root: string;
    readonly leafHash: string;
    readonly proof: readonly string[];
    readonly wantErr: boolean;
  }[];
  readonly consistency: readonly {
    readonly name: string;
    readonly size1: number;
    readonly size2: number;
    readonly root1: string;
    readonly root2: string;
    readonly proof: readonly string[];
    readonly wantErr: boolean;
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('./testdata/rfc6962-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

/** MTH(D[n]) as RFC 6962 writes it down, without any of the code under test but the two hashes. */
const treeHash = (leaves: readonly Uint8Array[]): Uint8Array => {
  const [first] = leaves;
  if (first === undefined) return sha256(new Uint8Array());
  if (leaves.length === 1) return leafHash(sha256, first);
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return nodeHash(sha256, treeHash(leaves.slice(0, left)), treeHash(leaves.slice(left)));
};

const leavesOf = (count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, at) => sha256(Buffer.from(String(at))));

const LEAVES = leavesOf(600).map((leaf) => leafHash(sha256, leaf));
const TREE = grownTree(LEAVES);

describe('the published vectors', () => {
  it.each(vectors.inclusion.map((vector) => [vector.name, vector] as const))(
    'of inclusion: %s',
    (_, { leafIdx, treeSize, root, leafHash: leaf, proof, wantErr }) => {
      const claim = {
        leafIndex: leafIdx,
        treeSize,
        leafHash: decoded(leaf),
        root: decoded(root),
      };
      expect(verifyInclusion(sha256, claim, proof.map(decoded))).toBe(!wantErr);
    },
  );

  it.each(vectors.consistency.map((vector) => [vector.name, vector] as const))(
    'of consistency: %s',
    (_, { size1, size2, root1, root2, proof, wantErr }) => {
      const claim = { size1, size2, root1: decoded(root1), root2: decoded(root2) };
      expect(verifyConsistency(sha256, claim, proof.map(decoded))).toBe(!wantErr);
    },
  );
});

describe('the root', () => {
  // RFC 6962's tree over the leaves of the reference tests.
  it('of the reference leaves is the published one', () => {
    const inputs = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ];
    const frontier = inputs.reduce(
      (edge, input) => appendLeaf(sha256, edge, leafHash(sha256, Buffer.from(input, 'hex'))),
      EMPTY_FRONTIER,
    );
    expect(hex(rootOf(sha256, frontier))).toBe(
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    );
    expect(hex(rootOf(sha256, EMPTY_FRONTIER))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('is that of the definition at every size', () => {
    for (let size = 0; size <= 130; size += 1)
      expect(hex(TREE.roots[size]!)).toBe(hex(treeHash(leavesOf(size))));
  });
});

describe('proofs', () => {
  const sizes = fc
    .tuple(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }))
    .map(([a, b]) => (a <= b ? { small: a, large: b } : { small: b, large: a }));

  it('of inclusion hold for every leaf, and for no other', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ large }, pick) => {
        const leafIndex = pick % large;
        const proof = inclusionProof(sha256, TREE.read, leafIndex, large);
        const claim = {
          leafIndex,
          treeSize: large,
          leafHash: LEAVES[leafIndex]!,
          root: TREE.roots[large]!,
        };
        expect(verifyInclusion(sha256, claim, proof)).toBe(true);
        const other = (leafIndex + 1) % large;
        if (other !== leafIndex) {
          expect(verifyInclusion(sha256, { ...claim, leafIndex: other }, proof)).toBe(false);
          expect(verifyInclusion(sha256, { ...claim, leafHash: LEAVES[other]! }, proof)).toBe(
            false,
          );
        }
        expect(verifyInclusion(sha256, { ...claim, root: TREE.roots[large - 1]! }, proof)).toBe(
          false,
        );
      }),
    );
  });

  it('of consistency hold between any two sizes, and not with a byte changed', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ small, large }, pick) => {
        const proof = consistencyProof(sha256, TREE.read, small, large);
        const claim = {
          size1: small,
          size2: large,
          root1: TREE.roots[small]!,
          root2: TREE.roots[large]!,
        };
        expect(verifyConsistency(sha256, claim, proof)).toBe(true);
        if (proof.length === 0) return;
        const at = pick % proof.length;
        const altered = proof.map((node, place) => {
          const copy = Uint8Array.from(node);
          if (place === at) copy[pick % HASH_BYTES]! ^= 1;
          return copy;
        });
        expect(verifyConsistency(sha256, claim, altered)).toBe(false);
        expect(verifyConsistency(sha256, claim, proof.slice(0, -1))).toBe(false);
        expect(verifyConsistency(sha256, claim, [...proof, proof[0]!])).toBe(false);
      }),
    );
  });

  it('are refused where there is nothing to prove', () => {
    expect(() => inclusionProof(sha256, TREE.read, 5, 5)).toThrow(RangeError);
    expect(() => inclusionProof(sha256, TREE.read, -1, 5)).toThrow(RangeError);
    expect(() => consistencyProof(sha256, TREE.read, 0, 5)).toThrow(RangeError);
    expect(() => consistencyProof(sha256, TREE.read, 6, 5)).toThrow(RangeError);
  });
});

describe('tiles', () => {
  it.each([
    [{ level: 0, index: 0, width: TILE_WIDTH }, 'tile/0/000'],
    [{ level: 1, index: 1_234_067, width: TILE_WIDTH }, 'tile/1/x001/x234/067'],
    [{ level: 0, index: 1000, width: 7 }, 'tile/0/x001/000.p/7'],
    [{ level: 'entries', index: 999, width: 255 }, 'tile/entries/999.p/255'],
  ] as const)('are served where C2SP says: %o', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each([
    ...['', 'tile', 'tile/0', 'tile/0/0', 'tile/0/0000', 'tile/0/000/', 'tile/0/000/000', '0/000'],
    ...['tile/00/000', 'tile/64/000', 'tile/-1/000', 'tile/entry/000', 'tile/0/x000/000'],
    ...['tile/0/000.p/0', 'tile/0/000.p/01', 'tile/0/000.p/256', 'tile/0/000.p/', 'tile/0/000.p'],
    ...['tile/0/x001/x234', 'tile/0/X001/000', 'tile/0/000\n', `tile/0/${'x999/'.repeat(9)}999`],
  ])('have no path like %j', (path) => {
    expect(parseTilePath(path)).toBeNull();
  });

  it('cover the tree', () => {
    expect([...tilesOf(0)]).toEqual([]);
    expect([...tilesOf(70_000)].filter(({ width }) => width < TILE_WIDTH)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
  });

  it('give every hash that a proof asks for', () => {
    const bytes = (level: number, index: number): Uint8Array => {
      const hashes: Uint8Array[] = [];
      for (let at = 0; at < TILE_WIDTH; at += 1) {
        const first = (index * TILE_WIDTH + at + 1) * 2 ** (8 * level);
        if (first > 600) break;
        hashes.push(TREE.read(8 * level, index * TILE_WIDTH + at));
      }
      return Uint8Array.from(Buffer.concat(hashes));
    };
    const read = nodesOfTiles(sha256, bytes);
    for (const [small, large] of [
      [1, 600],
      [255, 256],
      [256, 600],
      [257, 599],
      [599, 600],
    ] as const)
      expect(consistencyProof(sha256, read, small, large)).toEqual(
        consistencyProof(sha256, TREE.read, small, large),
      );
    expect(() => read(0, 600)).toThrow(RangeError);
  });
});
