import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gatherObjects, type ForeignObject } from './gather-objects.ts';
import { openSourceTree } from './open-source-tree.ts';
import type { Pin, SourceTree } from './port.ts';
import { bad, good, makeStudy, temporaryFolder } from './testing.ts';
import { EMPTY_TREE } from './tree-format.ts';

let home: ReturnType<typeof temporaryFolder>;
let theirs: SourceTree;
let pin: Pin;
let dir: string;

beforeEach(async () => {
  home = temporaryFolder();
  theirs = await openSourceTree({ dir: join(home.path, 'theirs.git') });
  pin = good(await theirs.pinStudy({ folder: makeStudy(home.path).folder, program: 'program' }));
  dir = join(home.path, 'ours.git');
});
afterEach(() => home.remove());

const read = (oid: string): Promise<ForeignObject> => theirs.readObject(oid);
const kept = async () => (await openSourceTree({ dir })).readFiles(pin.tree);

describe('gathering objects', () => {
  it('copies a tree with every file in it, and what was asked for beside it', async () => {
    const files = good(await theirs.readTree(pin.tree));
    const other = good(
      await theirs.writeArtefacts({ ref: 'beside', files: { 'a.txt': Uint8Array.of(97) } }),
    ).files[0]!.oid;
    const count = good(await gatherObjects(dir, [pin.tree, other], read));
    expect(count).toBeGreaterThan(files.length + 1);
    expect(good(await kept())).toEqual(good(await theirs.readFiles(pin.tree)));
    expect(good(await (await openSourceTree({ dir })).readText(other))).toBe('a');
  });

  it('keeps nothing where an object does not hash to its name', async () => {
    const [file] = good(await theirs.readTree(pin.tree));
    const forged = async (oid: string): Promise<ForeignObject> => {
      const object = await read(oid);
      return oid === file!.oid && object.state === 'present'
        ? { ...object, content: Uint8Array.from([...object.content, 32]) }
        : object;
    };
    const refusal = bad(await gatherObjects(dir, [pin.tree], forged));
    expect(refusal).toMatchObject({ code: 'object-corrupt' });
    expect(refusal.message).toContain(`${file!.oid} is damaged: it hashes to`);
    expect(bad(await kept()).code).toBe('object-absent');
  });

  it('keeps nothing where one is missing, can’t be read, or is of a type that is none', async () => {
    const [file] = good(await theirs.readTree(pin.tree));
    for (const [instead, code] of [
      [{ state: 'absent' }, 'object-absent'],
      [{ state: 'corrupt', reason: 'its content is no base64' }, 'object-corrupt'],
      [{ state: 'present', type: 'tag', content: new Uint8Array() }, 'object-corrupt'],
    ] as const) {
      const without = (oid: string) => (oid === file!.oid ? Promise.resolve(instead) : read(oid));
      expect(bad(await gatherObjects(dir, [pin.tree], without)).code).toBe(code);
    }
    expect(bad(await gatherObjects(dir, ['../../etc'], read)).code).toBe('object-absent');
    expect(bad(await kept()).code).toBe('object-absent');
  });

  it('knows the empty tree, which nobody stores', async () => {
    const nothing = async (): Promise<ForeignObject> => ({ state: 'absent' });
    expect(good(await gatherObjects(dir, [EMPTY_TREE], nothing))).toBe(1);
  });
});
