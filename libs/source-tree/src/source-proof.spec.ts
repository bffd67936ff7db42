import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSourceTree } from './open-source-tree.ts';
import type { Pin } from './port.ts';
import { checkSourceProof } from './source-proof.ts';
import type { SourceProof } from './source-proof.ts';
import { bad, git, good, makeStudy, temporaryFolder } from './testing.ts';
import { toHex } from '#libs/kernel';
import { MODES, parseTree, serialiseTree } from './tree-format.ts';

const sha1 = (bytes: Uint8Array): Uint8Array => createHash('sha1').update(bytes).digest();

const home = temporaryFolder();
afterAll(home.remove);

let pin: Pin;
let proof: SourceProof;

beforeAll(async () => {
  const { folder } = makeStudy(home.path, 'studies/pay');
  const trees = await openSourceTree({ dir: `${home.path}/objects.git` });
  pin = good(await trees.pinStudy({ folder, program: 'program' }));
  proof = good(await trees.readSourceProof(pin.proof));
});

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

const codes = (claim: Partial<Parameters<typeof checkSourceProof>[0]>): string[] =>
  bad(checkSourceProof({ ...pin, proof, ...claim }, sha1)).map(({ code }) => code);

describe('the source proof', () => {
  it('leads from the commit to the program without the study repository', () => {
    expect(proof.trees).toHaveLength(3);
    expect(pin.path).toBe('studies/pay/program');
    const checked = good(checkSourceProof({ ...pin, proof }, sha1));
    expect(checked.rootTree).toBe(git(`${home.path}/study`, 'rev-parse', 'HEAD^{tree}'));
  });

  it('is refused with any byte of the commit changed', () => {
    for (let at = 0; at < proof.commit.length; at++) {
      const commit = flipped(proof.commit, at);
      expect(codes({ proof: { ...proof, commit } })).toContain('commit-altered');
    }
  });

  it('is refused with any byte of any tree changed: mode, name, separator or oid', () => {
    for (const [depth, bytes] of proof.trees.entries()) {
      for (let at = 0; at < bytes.length; at++) {
        const trees = proof.trees.with(depth, flipped(bytes, at));
        expect(codes({ proof: { ...proof, trees } })).toContain('tree-altered');
      }
    }
  });

  it('is refused for another commit, path or tree, with the reason', () => {
    expect(codes({ commit: '0'.repeat(40) })).toEqual(['commit-altered']);
    expect(codes({ tree: '0'.repeat(40) })).toEqual(['tree-differs']);
    expect(codes({ path: 'studies/pay/other' })).toEqual(['folder-missing']);
    expect(codes({ path: 'studies/pay' })).toEqual(['wrong-length', 'tree-differs']);
    expect(codes({ path: 'studies/pay/program/features' })).toEqual(['wrong-length']);
    expect(codes({ path: 'studies/pay/holdfast.yaml' })).toEqual(['folder-missing']);
    expect(codes({ path: '' })).toContain('bad-path');
    expect(codes({ path: 'studies/../pay' })).toContain('bad-path');
  });

  it('is refused with a tree missing, added, swapped or cut off', () => {
    const [root = new Uint8Array(), second = new Uint8Array()] = proof.trees;
    expect(codes({ proof: { ...proof, trees: proof.trees.slice(0, 2) } })).toEqual([
      'wrong-length',
    ]);
    expect(codes({ proof: { ...proof, trees: [...proof.trees, root] } })).toEqual(['wrong-length']);
    expect(codes({ proof: { ...proof, trees: proof.trees.with(0, second) } })).toContain(
      'tree-altered',
    );
    const cut = root.subarray(0, root.length - 1);
    expect(codes({ proof: { ...proof, trees: proof.trees.with(0, cut) } })).toEqual([
      'tree-altered',
      'tree-malformed',
    ]);
  });

  it('reads the tree from the first line of the commit only', () => {
    const commit = new TextEncoder().encode(
      `parent ${'1'.repeat(40)}\ntree ${'2'.repeat(40)}\nauthor A <a@b> 1 +0000\n\nx\n`,
    );
    expect(codes({ proof: { ...proof, commit } })).toEqual(['commit-altered', 'commit-malformed']);
  });
});

describe('the format of trees', () => {
  const oid = 'a'.repeat(40);
  const entry = (name: string, mode: string = MODES.file) => ({ name, mode, oid });
  const raw = (...parts: string[]): Uint8Array =>
    Buffer.concat(parts.map((part) => Buffer.concat([Buffer.from(`${part}\0`), Buffer.alloc(20)])));

  it('sorts a folder as if its name ended in a slash', () => {
    const bytes = serialiseTree([entry('a', MODES.folder), entry('a.b'), entry('a-'), entry('a0')]);
    expect(good(parseTree(bytes)).map(({ name }) => name)).toEqual(['a-', 'a.b', 'a', 'a0']);
  });

  it.each([
    ['a padded mode', raw('040000 a')],
    ['an unknown mode', raw('100600 a')],
    ['an empty name', raw('100644 ')],
    ['a name with a slash', raw('100644 a/b')],
    ['entries out of order', raw('100644 b', '100644 a')],
    ['a name twice', raw('100644 a', '100644 a')],
    ['a file and a folder of one name', raw('100644 a', '40000 a')],
    ['a cut oid', raw('100644 a').subarray(0, -1)],
    ['no separator', Buffer.from('100644')],
  ])('refuses %s', (_, bytes) => {
    expect(parseTree(bytes).ok).toBe(false);
  });

  it('keeps a name that is not UTF-8 as bytes', () => {
    const bytes = Buffer.concat([Buffer.from('100644 \xff\0', 'latin1'), Buffer.alloc(20)]);
    const [found] = good(parseTree(bytes));
    expect(found?.name).toBeNull();
    expect(toHex(found?.nameBytes ?? new Uint8Array())).toBe('ff');
  });
});
