import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyInclusion } from '#libs/merkle';
import { sha256 } from '../../merkle/src/testing/grown-tree.ts';
import { headLeaf, streamHeads } from './index.ts';

const hex = (text: string): string => hash('sha256', text);
const digest = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  hash('sha256', Buffer.concat(parts.map((part) => Buffer.from(part))), 'buffer');

/** Written out from the page of the format. */
const tagOf = (stream: string, first: string) => digest(`holdfast/stream/v1\n${stream}\n${first}`);
const leafOf = (stream: string, first: string, revision: number, last: string): Buffer => {
  const counted = Buffer.alloc(8);
  counted.writeBigUInt64BE(BigInt(revision));
  return digest(
    Uint8Array.of(0),
    tagOf(stream, first),
    Uint8Array.from(counted),
    Buffer.from(last, 'hex'),
  );
};
const node = (left: Buffer, right: Buffer) => digest(Uint8Array.of(1), left, right);

const events = (stream: string, count: number) =>
  Array.from({ length: count }, (_, revision) => ({
    stream,
    revision,
    hash: hex(`${stream} ${revision}`),
  }));

describe('the heads of streams', () => {
  it('are a tree of one leaf a stream, sorted by tag', () => {
    const heads = streamHeads(sha256);
    const counts = { 'run-1': 3, 'study-a': 1, 'finding-ü': 300 };
    for (const [stream, count] of Object.entries(counts)) events(stream, count).forEach(heads.see);
    const leaves = Object.entries(counts)
      .map(([stream, count]) => ({
        stream,
        tag: tagOf(stream, hex(`${stream} 0`)),
        leaf: leafOf(stream, hex(`${stream} 0`), count - 1, hex(`${stream} ${count - 1}`)),
      }))
      .sort((a, b) => Buffer.compare(a.tag, b.tag));
    const [a, b, c] = leaves.map(({ leaf }) => leaf) as [Buffer, Buffer, Buffer];
    const { streams, root, proofOf } = heads.tree();
    expect(streams).toBe(3);
    expect(Buffer.from(root)).toEqual(node(node(a, b), c));
    expect(leaves.map(({ stream }) => proofOf(stream)?.index)).toEqual([0, 1, 2]);
    expect(proofOf('run-2')).toBeNull();
  });

  it('are shown by a proof, and no other event is', () => {
    const heads = streamHeads(sha256);
    const all = Array.from({ length: 20 }, (_, at) => events(`run-${at}`, at + 1));
    all.flat().forEach(heads.see);
    const { streams: treeSize, root, proofOf } = heads.tree();
    for (const own of all) {
      const { stream, revision, hash: last } = own.at(-1)!;
      const { index: leafIndex, proof } = proofOf(stream)!;
      const holds = (changed: object): boolean => {
        const head = { stream, first: own[0]!.hash, revision, hash: last, ...changed };
        const claim = { leafIndex, treeSize, leafHash: headLeaf(sha256, head), root };
        return verifyInclusion(sha256, claim, proof);
      };
      expect(holds({})).toBe(true);
      expect(holds({ stream: 'run-99' })).toBe(false);
      expect(holds({ first: hex('another') })).toBe(false);
      expect(holds({ hash: hex('another') })).toBe(false);
      expect(holds({ revision: revision + 1 })).toBe(false);
      if (revision > 0) {
        const before = own.at(-2)!;
        expect(holds({ revision: before.revision, hash: before.hash })).toBe(false);
      }
    }
  });
});
