import { fromHex, ok, refused, toHex } from '#libs/kernel';
import type { Result } from '#libs/kernel';

/**
 * Git's object names and its tree format, as pure functions of bytes: they run in the browser too.
 * Source: git's Documentation (gitformat-pack, git-hash-object) and tree-walk.c.
 */

/** SHA-1 of some bytes, passed in so that this file needs no crypto of its own. */
export type Sha1 = (bytes: Uint8Array) => Uint8Array;

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';

export const MODES = {
  folder: '040000',
  file: '100644',
  executable: '100755',
  symlink: '120000',
  submodule: '160000',
} as const;

/** The tree without entries; git knows it even where it is not stored. */
export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export interface TreeEntry {
  readonly name: string;
  /** Six octal digits, e.g. `100644`. */
  readonly mode: string;
  readonly oid: string;
}

/** An entry as it was read: `name` is null when its bytes are not UTF-8. */
export interface ParsedTreeEntry {
  readonly name: string | null;
  readonly nameBytes: Uint8Array;
  readonly mode: string;
  readonly oid: string;
}

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const OID = /^[0-9a-f]{40}$/;

export const isOid = (value: string): boolean => OID.test(value);

export const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** What git hashes and deflates: the header, then the content. */
export const wrapped = (type: ObjectType, content: Uint8Array): Uint8Array =>
  concat([utf8.encode(`${type} ${content.length}\0`), content]);

/** The name under which git stores an object. */
export const objectId = (type: ObjectType, content: Uint8Array, sha1: Sha1): string =>
  toHex(sha1(wrapped(type, content)));

/** The text of UTF-8 bytes, or null when they are not UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string | null => {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
};

export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
};

/** Git's order of paths: by the bytes of their UTF-8. */
export const comparePaths = (a: string, b: string): number =>
  compareBytes(utf8.encode(a), utf8.encode(b));

/** Git sorts a folder as if its name ended in a slash. */
const sortKey = (nameBytes: Uint8Array, mode: string): Uint8Array =>
  mode === MODES.folder ? concat([nameBytes, Uint8Array.of(0x2f)]) : nameBytes;

/** Modes that git has written into trees; 100664 is old, read and never written by us. */
const STORED_MODES = new Map([
  ['40000', MODES.folder],
  ['100644', MODES.file],
  ['100755', MODES.executable],
  ['120000', MODES.symlink],
  ['160000', MODES.submodule],
  ['100664', '100664'],
]);

/**
 * The entries of a git tree, read strictly: known modes only, names that are not empty and hold no slash, git's
 * order without duplicates, nothing left over. The refusal says what is wrong and at which byte.
 */
export const parseTree = (bytes: Uint8Array): Result<readonly ParsedTreeEntry[], string> => {
  const entries: ParsedTreeEntry[] = [];
  const names = new Set<string>();
  let previous: Uint8Array | null = null;
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const nul = space < 0 ? -1 : bytes.indexOf(0, space + 1);
    if (nul < 0 || nul + 21 > bytes.length) return refused(`the entry at byte ${at} is cut off`);
    const written = decodeUtf8(bytes.subarray(at, space)) ?? '';
    const mode = STORED_MODES.get(written);
    if (mode === undefined) {
      return refused(`the entry at byte ${at} has the unknown mode ${JSON.stringify(written)}`);
    }
    const nameBytes = bytes.subarray(space + 1, nul);
    if (nameBytes.length === 0 || nameBytes.includes(0x2f)) {
      return refused(`the entry at byte ${at} has an empty name or one with a slash`);
    }
    const key = sortKey(nameBytes, mode);
    const nameKey = toHex(nameBytes);
    if ((previous !== null && compareBytes(previous, key) >= 0) || names.has(nameKey)) {
      return refused(`the entry at byte ${at} is out of order or a duplicate`);
    }
    previous = key;
    names.add(nameKey);
    entries.push({
      name: decodeUtf8(nameBytes),
      nameBytes,
      mode,
      oid: toHex(bytes, nul + 1, nul + 21),
    });
    at = nul + 21;
  }
  return ok(entries);
};

/** The bytes of a git tree, in git's order. */
export const serialiseTree = (entries: readonly TreeEntry[]): Uint8Array =>
  concat(
    entries
      .map((entry) => ({ ...entry, key: sortKey(utf8.encode(entry.name), entry.mode) }))
      .sort((a, b) => compareBytes(a.key, b.key))
      .flatMap(({ name, mode, oid }) => [
        utf8.encode(`${mode.replace(/^0/, '')} ${name}\0`),
        fromHex(oid),
      ]),
  );
