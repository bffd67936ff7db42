import { fromHex, type ArtefactRef } from '#libs/kernel';
import { objectId } from '../git-objects.ts';
import type { ObjectType } from '../git-objects.ts';
import type { FoundObject, Hash, ReadObject } from '../ports.ts';

/** Git objects in memory, hashed as git hashes them. */
export interface GitStore {
  readonly objects: Map<string, { readonly type: ObjectType; readonly content: Uint8Array }>;
  readonly blob: (text: string) => string;
  /** A tree of files (text) and folders (a tree's oid, under a name that ends in a slash). */
  readonly tree: (files: Readonly<Record<string, string>>) => string;
  readonly commit: (tree: string, parent: string | null, message: string) => string;
  readonly artefact: (path: string, text: string) => ArtefactRef;
  /** The raw bytes of an object that is there. */
  readonly content: (oid: string) => Uint8Array;
  readonly raw: (type: ObjectType, content: Uint8Array) => string;
  readonly readObject: ReadObject;
}

const utf8 = new TextEncoder();

export const gitStore = (sha1: Hash, sha256: Hash): GitStore => {
  const objects: GitStore['objects'] = new Map();
  const raw = (type: ObjectType, content: Uint8Array): string => {
    const oid = objectId(type, content, sha1);
    objects.set(oid, { type, content });
    return oid;
  };
  const blob = (text: string): string => raw('blob', utf8.encode(text));
  const readObject = (oid: string): Promise<FoundObject> => {
    const object = objects.get(oid);
    return Promise.resolve(
      object === undefined ? { state: 'absent' } : { state: 'present', ...object },
    );
  };
  return {
    objects,
    raw,
    blob,
    tree: (files) => {
      const bytes = Object.entries(files)
        .map(([name, value]) => {
          const folder = name.endsWith('/');
          return {
            key: name,
            name: name.replace('/', ''),
            folder,
            oid: folder ? value : blob(value),
          };
        })
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .flatMap(({ name, folder, oid }) => [
          ...utf8.encode(`${folder ? '40000' : '100644'} ${name}\0`),
          ...fromHex(oid),
        ]);
      return raw('tree', Uint8Array.from(bytes));
    },
    commit: (tree, parent, message) => {
      const parents = parent === null ? '' : `parent ${parent}\n`;
      const who = 'Holdfast <holdfast@localhost> 1767225600 +0000';
      return raw(
        'commit',
        utf8.encode(`tree ${tree}\n${parents}author ${who}\ncommitter ${who}\n\n${message}\n`),
      );
    },
    artefact: (path, text) => {
      const content = utf8.encode(text);
      return { path, oid: raw('blob', content), sha256: sha256(content), bytes: content.length };
    },
    content: (oid) => {
      const object = objects.get(oid);
      if (object === undefined) throw new Error(`no object ${oid}`);
      return object.content;
    },
    readObject,
  };
};
