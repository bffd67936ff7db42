import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { openObjectStore, sha1 } from './object-store.ts';
import type { ReadRefusal } from './port.ts';
import { EMPTY_TREE, isOid, MODES, objectId, parseTree } from './tree-format.ts';
import type { ObjectType } from './tree-format.ts';

/** An object of somebody else's, as it was found: nothing of it is believed. */
export type ForeignObject =
  | { readonly state: 'present'; readonly type: string; readonly content: Uint8Array }
  | { readonly state: 'absent' }
  | { readonly state: 'corrupt'; readonly reason: string };

/** Objects that one gathering may keep, so that trees made to be endless come to an end. */
const MOST_OBJECTS = 100_000;
const TYPES: readonly string[] = ['blob', 'tree', 'commit'] satisfies readonly ObjectType[];

/**
 * Copies objects, and all that trees among them hold, into the bare repository at `dir`, making it when it is not
 * there. Each is hashed: one that is absent or does not hash to its name is refused, and nothing was kept then.
 * Submodules are not followed.
 *
 * @returns how many objects were kept
 */
export const gatherObjects = async (
  dir: string,
  roots: readonly string[],
  read: (oid: string) => Promise<ForeignObject>,
): Promise<Result<number, ReadRefusal>> => {
  const found = new Map<string, { readonly type: ObjectType; readonly content: Uint8Array }>();
  const queue = [...roots];
  for (let oid = queue.pop(); oid !== undefined; oid = queue.pop()) {
    if (found.has(oid)) continue;
    if (found.size === MOST_OBJECTS)
      return corrupt(oid, `it is one of more than ${MOST_OBJECTS}, expected a program's tree`);
    const object: ForeignObject = isOid(oid) ? await read(oid) : { state: 'absent' };
    if (oid === EMPTY_TREE && object.state === 'absent') {
      found.set(oid, { type: 'tree', content: new Uint8Array() });
      continue;
    }
    if (object.state === 'absent')
      return refused({ code: 'object-absent', message: `the object ${oid} is not there` });
    if (object.state === 'corrupt') return corrupt(oid, object.reason);
    if (!TYPES.includes(object.type)) return corrupt(oid, `it is a ${object.type}`);
    const type = object.type as ObjectType;
    const hashed = objectId(type, object.content, sha1);
    if (hashed !== oid) return corrupt(oid, `it hashes to ${hashed}`);
    found.set(oid, { type, content: object.content });
    if (type !== 'tree') continue;
    const entries = parseTree(object.content);
    if (!entries.ok)
      return refused({
        code: 'bad-tree',
        message: `the tree ${oid} cannot be read: ${entries.error}`,
      });
    for (const entry of entries.value) if (entry.mode !== MODES.submodule) queue.push(entry.oid);
  }
  const store = await openObjectStore(dir);
  await store.write((writer) => {
    // What is named comes before what names it.
    for (const { type, content } of [...found.values()].reverse()) writer.put(type, content);
  });
  return ok(found.size);
};

const corrupt = (oid: string, reason: string) =>
  refused({ code: 'object-corrupt' as const, message: `the object ${oid} is damaged: ${reason}` });
