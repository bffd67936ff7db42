import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSourceTree } from './open-source-tree.ts';
import type { Pin, SourceTree } from './port.ts';
import { bad, git, good, makeStudy, temporaryFolder } from './testing.ts';
import { EMPTY_TREE } from './tree-format.ts';

let home: ReturnType<typeof temporaryFolder>;
let bare: string;
let trees: SourceTree;
let pin: Pin;

beforeEach(async () => {
  home = temporaryFolder();
  bare = join(home.path, 'objects.git');
  trees = await openSourceTree({ dir: bare });
  pin = good(await trees.pinStudy({ folder: makeStudy(home.path).folder, program: 'program' }));
});
afterEach(() => home.remove());

const attempt = (number: number, rate: string) =>
  trees.writeAttempt({
    runId: 'r-1',
    number,
    base: { commit: pin.pinCommit, tree: pin.tree },
    edits: [{ path: 'hyperparameters.json', content: rate }],
    message: 'Try',
    trailers: {},
    time: '2026-11-23T10:00:00.000Z',
  });

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const loose = (oid: string): string => join(bare, 'objects', oid.slice(0, 2), oid.slice(2));
const looseObjects = (): string[] =>
  readdirSync(join(bare, 'objects'))
    .filter((name) => name.length === 2)
    .flatMap((name) => readdirSync(join(bare, 'objects', name)).map((rest) => name + rest));

const hashObject = (type: string, content: string | Uint8Array): string => {
  const file = join(home.path, 'object');
  writeFileSync(file, content);
  return git(bare, 'hash-object', '-w', '--literally', '-t', type, file);
};

describe('artefacts', () => {
  it('are blobs in a tree that a ref holds, with SHA-256 and length', async () => {
    const files = {
      'predictions.csv': text('a,b\n'),
      'logs/out.txt': text(''),
      'ü.bin': Uint8Array.of(255),
    };
    const stored = good(await trees.writeArtefacts({ ref: 'runs/r-1/trainings/t-1', files }));
    expect(git(bare, 'rev-parse', 'refs/holdfast/runs/r-1/trainings/t-1')).toBe(stored.tree);
    expect(stored.files.map(({ path }) => path)).toEqual([
      'logs/out.txt',
      'predictions.csv',
      'ü.bin',
    ]);
    for (const { path, oid, sha256, bytes } of stored.files) {
      const content = files[path as keyof typeof files];
      expect(Buffer.from(good(await trees.readFile(oid)))).toEqual(Buffer.from(content));
      expect(git(bare, 'rev-parse', `${stored.tree}:${path}`)).toBe(oid);
      expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
      expect(bytes).toBe(content.length);
    }
    expect(good(await trees.writeArtefacts({ ref: 'runs/r-1/trainings/t-1', files }))).toEqual(
      stored,
    );
  });

  it('survive git gc, as every attempt does, and those that were written over', async () => {
    const first = good(await trees.writeArtefacts({ ref: 'runs/r-1/t', files: { a: text('1') } }));
    const second = good(await trees.writeArtefacts({ ref: 'runs/r-1/t', files: { a: text('2') } }));
    const attempts = [];
    for (const number of [0, 1, 2])
      attempts.push(good(await attempt(number, `{"rate":${number}}`)));
    git(bare, 'gc', '-q', '--prune=now');
    expect(looseObjects()).toEqual([]);
    const oids = [
      first.tree,
      second.tree,
      first.files[0]?.oid ?? '',
      ...attempts.map(({ commit }) => commit),
    ];
    expect((await trees.readObjects(oids)).map(({ state }) => state)).toEqual(
      oids.map(() => 'present'),
    );
    expect((await trees.listRefs('runs')).map(({ name }) => name)).toEqual([
      'runs/r-1/attempts/0',
      'runs/r-1/attempts/1',
      'runs/r-1/attempts/2',
      'runs/r-1/t',
    ]);
    for (const [number, { commit }] of attempts.entries()) {
      expect(await trees.readRef(`runs/r-1/attempts/${number}`)).toBe(commit);
    }
    // Going on in a packed repository: the packed objects serve as base, new ones are loose.
    expect(good(await attempt(3, '{"rate":3}')).changed).toHaveLength(1);
    expect(await trees.listRefs('runs')).toHaveLength(5);
    git(bare, 'fsck', '--full', '--strict');
  });

  it('refuses names and refs that cannot be', async () => {
    const code = async (ref: string, name: string) =>
      bad(await trees.writeArtefacts({ ref, files: { [name]: text('x') } })).code;
    expect(await code('runs/../x', 'a')).toBe('bad-ref-name');
    expect(await code('refs/heads/main', 'a')).toBe('bad-ref-name');
    expect(await code('runs/r', '../a')).toBe('bad-path');
    good(await attempt(0, '1'));
    expect(await code('runs/r-1', 'a')).toBe('ref-conflict');
    expect(await code('runs/r-1/attempts/0/x', 'a')).toBe('ref-conflict');
    git(bare, 'pack-refs', '--all', '--prune');
    expect(await code('runs/r-1', 'a')).toBe('ref-conflict');
    expect(await code('runs/r-1/attempts/0/x', 'a')).toBe('ref-conflict');
  });
});

describe('refs', () => {
  it('are set, moved, read and listed below refs/holdfast', async () => {
    expect(await trees.readRef('accepted/pay')).toBeNull();
    expect(good(await trees.setRef('accepted/pay', pin.pinCommit)).before).toBeNull();
    expect(git(bare, 'rev-parse', 'refs/holdfast/accepted/pay')).toBe(pin.pinCommit);
    const { commit } = good(await attempt(1, '2'));
    expect(good(await trees.setRef('accepted/pay', commit)).before).toBe(pin.pinCommit);
    expect(good(await trees.setRef('accepted/pay', commit)).before).toBe(commit);
    good(await trees.setRef('accepted/payroll', commit));
    expect(await trees.listRefs('accepted/pay')).toEqual([]);
    expect(await trees.listRefs('accepted')).toHaveLength(2);
    expect((await trees.listRefs()).length).toBe(5);
  });

  it('never dangle, and never clash', async () => {
    expect(bad(await trees.setRef('x', '1'.repeat(40))).code).toBe('object-absent');
    expect(bad(await trees.setRef('../x', pin.pinCommit)).code).toBe('bad-ref-name');
    good(await trees.setRef('x', pin.pinCommit));
    expect(bad(await trees.setRef('x/y', pin.pinCommit)).code).toBe('ref-conflict');
    writeFileSync(loose(pin.pinCommit), 'junk');
    expect(bad(await trees.setRef('z', pin.pinCommit)).code).toBe('object-corrupt');
  });

  it('that were cut off count as absent and are written anew', async () => {
    const { commit } = good(await attempt(1, '2'));
    truncateSync(join(bare, 'refs/holdfast/runs/r-1/attempts/1'), 20);
    expect(await trees.readRef('runs/r-1/attempts/1')).toBeNull();
    good(await attempt(1, '2'));
    expect(await trees.readRef('runs/r-1/attempts/1')).toBe(commit);
  });
});

describe('reading objects', () => {
  it('tells present from absent from corrupt', async () => {
    const { oid } = good(await trees.writeArtefacts({ ref: 'a', files: { a: text('hello') } }))
      .files[0] ?? { oid: '' };
    expect(await trees.readObject(oid)).toEqual({
      state: 'present',
      oid,
      type: 'blob',
      content: text('hello'),
    });
    expect((await trees.readObject('1'.repeat(40))).state).toBe('absent');
    expect((await trees.readObject('HEAD')).state).toBe('absent');
    expect((await trees.readObject(EMPTY_TREE)).state).toBe('present');
    const whole = readFileSync(loose(oid));
    for (const [why, bytes] of [
      ['cut off', whole.subarray(0, whole.length - 5)],
      ['without its checksum', whole.subarray(0, whole.length - 4)],
      ['with bytes after its end', Buffer.concat([whole, Buffer.from('x')])],
      ['empty', Buffer.alloc(0)],
      ['no zlib stream', Buffer.from('junk')],
      ['other content', deflateSync('blob 5\0hellO')],
      ['other type', deflateSync('tree 5\0hello')],
      ['wrong length', deflateSync('blob 6\0hello')],
      ['one byte flipped', Buffer.from(whole.map((byte, at) => (at === 8 ? byte ^ 1 : byte)))],
    ] as [string, Buffer][]) {
      rmSync(loose(oid));
      writeFileSync(loose(oid), bytes);
      expect([why, (await trees.readObject(oid)).state]).toEqual([why, 'corrupt']);
      expect(bad(await trees.readFile(oid)).code).toBe('object-corrupt');
    }
    rmSync(loose(oid));
    expect((await trees.readObject(oid)).state).toBe('absent');
  });

  it('sees a pack that was altered after it was read', async () => {
    git(bare, 'gc', '-q', '--prune=now');
    expect((await trees.readObject(pin.pinCommit)).state).toBe('present');
    const packs = join(bare, 'objects/pack');
    const pack = join(packs, readdirSync(packs).find((name) => name.endsWith('.pack')) ?? '');
    chmodSync(pack, 0o644);
    const bytes = readFileSync(pack);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(pack, bytes);
    expect((await trees.readObject(pin.pinCommit)).state).toBe('corrupt');
    expect((await trees.readObjects([pin.pinCommit]))[0]?.state).toBe('corrupt');
  });

  it('refuses the wrong type and text that is not UTF-8', async () => {
    expect(bad(await trees.readFile(pin.tree)).code).toBe('wrong-type');
    expect(bad(await trees.readTree(pin.pinCommit)).code).toBe('wrong-type');
    const latin1 = hashObject('blob', Uint8Array.of(0xe9));
    expect(bad(await trees.readText(latin1)).code).toBe('not-text');
    const entry = (name: string): Buffer =>
      Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.alloc(20, 1)]);
    const unsorted = hashObject('tree', Buffer.concat([entry('b'), entry('a')]));
    expect(bad(await trees.readTree(unsorted)).code).toBe('bad-tree');
  });
});

describe('materialising a tree', () => {
  it('writes files that cannot be changed into a fresh folder', async () => {
    const folder = join(home.path, 'work/tree');
    expect(good(await trees.materialise(pin.tree, folder)).files).toBe(5);
    expect(readFileSync(join(folder, 'features/deep/note.txt'), 'utf8')).toBe('ü\n');
    expect(statSync(join(folder, 'train.mjs')).mode & 0o777).toBe(0o444);
    expect(statSync(join(folder, 'features')).mode & 0o777).toBe(0o755);
    expect(bad(await trees.materialise(pin.tree, folder)).code).toBe('folder-not-empty');
  });

  it.each([
    ['a symlink', '120000', 'link'],
    ['a submodule', '160000', 'module'],
    ['a name that leaves the folder', '100644', '..'],
    ['a git folder', '100644', '.git'],
    ['a name with a backslash', '100644', 'a\\b'],
  ])('refuses %s before it writes anything', async (_, mode, name) => {
    const blob = hashObject('blob', '/etc/passwd');
    const tree = hashObject(
      'tree',
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(blob, 'hex')]),
    );
    const folder = join(home.path, 'bad');
    expect(bad(await trees.materialise(tree, folder)).code).toBe('bad-entry');
    expect(existsSync(folder)).toBe(false);
  });

  it('refuses a tree with a blob missing or damaged before it writes anything', async () => {
    const oid = git(bare, 'rev-parse', `${pin.tree}:model.mjs`);
    rmSync(loose(oid));
    const folder = join(home.path, 'bad');
    expect(bad(await trees.materialise(pin.tree, folder)).code).toBe('object-absent');
    writeFileSync(loose(oid), 'junk');
    expect(bad(await trees.materialise(pin.tree, folder)).code).toBe('object-corrupt');
    expect(existsSync(folder)).toBe(false);
  });
});

describe('diffs', () => {
  it('report executable bits, symlinks and submodules as what they are', async () => {
    const blob = git(bare, 'rev-parse', `${pin.tree}:model.mjs`);
    const tree = (mode: string) =>
      hashObject('tree', Buffer.concat([Buffer.from(`${mode} x\0`), Buffer.from(blob, 'hex')]));
    const kinds = async (a: string, b: string) =>
      good(await trees.diffTrees(tree(a), tree(b))).map(({ kind, before, after }) => [
        kind,
        before?.mode,
        after?.mode,
      ]);
    expect(await kinds('100644', '100755')).toEqual([['modified', '100644', '100755']]);
    expect(await kinds('100644', '120000')).toEqual([['type-changed', '100644', '120000']]);
    expect(await kinds('160000', '100644')).toEqual([['type-changed', '160000', '100644']]);
    expect(await kinds('100644', '100644')).toEqual([]);
  });

  it('read only what differs, and say what is missing there', async () => {
    const { tree } = good(await attempt(1, 'other'));
    rmSync(loose(git(bare, 'rev-parse', `${pin.tree}:features`)));
    expect(good(await trees.diffTrees(pin.tree, tree))).toHaveLength(1);
    expect(bad(await trees.diffTrees(pin.tree, EMPTY_TREE)).code).toBe('object-absent');
  });
});

describe('after a crash', () => {
  it('mends every truncated object when the same thing is written again', async () => {
    const artefacts = { ref: 'runs/r-1/t', files: { a: text('1'), b: text('2') } };
    const known = new Set(looseObjects());
    const first = good(await attempt(1, 'other'));
    const stored = good(await trees.writeArtefacts(artefacts));
    const written = looseObjects().filter((oid) => !known.has(oid));
    expect(written).toHaveLength(6);
    for (const oid of written) {
      truncateSync(loose(oid), Math.floor(statSync(loose(oid)).size / 2));
      expect(good(await attempt(1, 'other'))).toEqual(first);
      expect(good(await trees.writeArtefacts(artefacts))).toEqual(stored);
      expect((await trees.readObject(oid)).state).toBe('present');
    }
    git(bare, 'fsck', '--full', '--strict');
  });

  it('opens a repository whose making was cut short at any file', async () => {
    const dir = join(home.path, 'cut.git');
    for (const cut of ['HEAD', 'config', 'refs', 'objects']) {
      await openSourceTree({ dir });
      rmSync(join(dir, cut), { recursive: true });
      if (cut !== 'HEAD') rmSync(join(dir, 'HEAD'), { force: true });
      if (cut !== 'HEAD') rmSync(join(dir, 'config'), { force: true });
      await openSourceTree({ dir });
      git(dir, 'fsck', '--full', '--strict');
    }
  });

  it('clears scratch files that a dead process left, and no fresh ones', async () => {
    const scratch = join(bare, 'holdfast-scratch');
    mkdirSync(scratch, { recursive: true });
    writeFileSync(join(scratch, 'fresh'), 'x');
    writeFileSync(join(scratch, 'old'), 'x');
    const { utimes } = await import('node:fs/promises');
    await utimes(join(scratch, 'old'), 0, 0);
    await openSourceTree({ dir: bare });
    expect(readdirSync(scratch)).toEqual(['fresh']);
  });
});
