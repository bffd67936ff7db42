import type { FoundObject, Hash, ReadObject } from './ports.ts';

export type ObjectType = 'blob' | 'tree' | 'commit';

export interface TreeEntry {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
}

export const FOLDER = '40000';
/** Files, runnable files, files as old git wrote them; a symbolic link's target is a blob as well. */
export const BLOBS: readonly string[] = ['100644', '100755', '100664', '120000'];

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The name that git gives an object: SHA-1 of its type, length, NUL and content. */
export const objectId = (type: ObjectType, content: Uint8Array, sha1: Hash): string => {
  const header = utf8.encode(`${type} ${String(content.length)}\0`);
  const whole = new Uint8Array(header.length + content.length);
  whole.set(header);
  whole.set(content, header.length);
  return sha1(whole);
};

const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** Made at once, not piece by piece: every entry of every tree comes by here. */
const hex = (bytes: Uint8Array, from: number, to: number): string => {
  const codes: number[] = [];
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]!;
    codes.push(DIGITS[byte >> 4]!, DIGITS[byte & 15]!);
  }
  return String.fromCharCode(...codes);
};

/** The entries of a git tree; null where the bytes are none. */
export const treeEntries = (content: Uint8Array): readonly TreeEntry[] | null => {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const nul = space < 0 ? -1 : content.indexOf(0, space + 1);
    if (nul < 0 || nul + 21 > content.length) return null;
    entries.push({
      mode: text.decode(content.subarray(at, space)),
      name: text.decode(content.subarray(space + 1, nul)),
      oid: hex(content, nul + 1, nul + 21),
    });
    at = nul + 21;
  }
  return entries;
};

/** The tree of a commit, which git reads from its first line only; null where the bytes are no commit. */
export const commitTree = (content: Uint8Array): string | null =>
  /^tree ([0-9a-f]{40})\n/.exec(text.decode(content.subarray(0, 46)))?.[1] ?? null;

/** The parents of a commit, in its order; null where the bytes are no commit. */
export const commitParents = (content: Uint8Array): readonly string[] | null => {
  const lines = /^tree [0-9a-f]{40}\n((?:parent [0-9a-f]{40}\n)*)author /.exec(
    text.decode(content),
  );
  return lines === null ? null : (lines[1]?.match(/[0-9a-f]{40}/g) ?? []);
};

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a blob; null where its bytes are no UTF-8. */
export const textOf = (content: Uint8Array): string | null => {
  try {
    return strict.decode(content);
  } catch {
    return null;
  }
};

export type Inspected =
  | { readonly ok: true; readonly content: Uint8Array }
  | { readonly ok: false; readonly fault: string };

/** Reads an object and hashes it again; absent and altered are told apart. */
export type Inspect = (type: ObjectType, oid: string, what: string) => Promise<Inspected>;

/** Objects kept at most, and the most bytes of each: several checks look at the same ones soon after each other. */
const KEPT = 2_048;
const SMALL = 8 * 1024;

export const objectInspector = (read: ReadObject | null, sha1: Hash): Inspect => {
  const kept = new Map<string, { readonly type: ObjectType; readonly content: Uint8Array }>();
  return async (type, oid, what) => {
    const fault = (found: string): Inspected => ({
      ok: false,
      fault: `${what} (${type} ${oid}) ${found}`,
    });
    const known = kept.get(oid);
    if (known?.type === type) return { ok: true, content: known.content };
    if (read === null) return fault('was not looked at: there are no objects at hand');
    let object: FoundObject;
    try {
      object = await read(oid);
    } catch (error) {
      return fault(`can't be read: ${String(error)}`);
    }
    if (object.state === 'absent') return fault('is absent');
    if (object.state === 'corrupt') return fault(`is altered: ${object.reason}`);
    if (object.type !== type) return fault(`is altered: it is a ${object.type}`);
    const { content } = object;
    const found = objectId(type, content, sha1);
    if (found !== oid) return fault(`is altered: it hashes to ${found}`);
    if (content.length <= SMALL) {
      if (kept.size === KEPT) kept.clear();
      kept.set(oid, { type, content });
    }
    return { ok: true, content };
  };
};
