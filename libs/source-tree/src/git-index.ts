import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';

/** What the index (staging area) holds for one path. */
export interface IndexEntry {
  readonly path: string;
  readonly mode: string;
  readonly oid: string;
  /** 0, or 1 to 3 while a merge is unresolved. */
  readonly stage: number;
}

/** Fixed part of an entry: times, device, owner, size (40), oid (20), flags (2). */
const FIXED = 62;

/** The number that git writes before a path of version 4: how much of the path before it to drop. */
const readVarint = (bytes: Buffer, start: number): { value: number; next: number } => {
  let at = start;
  let byte = bytes.readUInt8(at++);
  let value = byte & 0x7f;
  while (byte & 0x80) {
    byte = bytes.readUInt8(at++);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, next: at };
};

/**
 * The entries of a `.git/index` of version 2, 3 or 4. Refused: other versions, split and sparse indexes.
 * Source: git's Documentation/gitformat-index. isomorphic-git reads versions 2 and 3, and drops the stages.
 */
export const parseIndex = (bytes: Buffer): Result<readonly IndexEntry[], string> => {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof RangeError) return refused('it is cut off');
    throw error;
  }
};

const parse = (bytes: Buffer): Result<readonly IndexEntry[], string> => {
  if (bytes.toString('latin1', 0, 4) !== 'DIRC') return refused('it does not start with DIRC');
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) return refused(`it has version ${version}`);
  const count = bytes.readUInt32BE(8);
  const entries: IndexEntry[] = [];
  let at = 12;
  let previous = Buffer.alloc(0);
  for (let i = 0; i < count; i++) {
    const start = at;
    const flags = bytes.readUInt16BE(start + FIXED - 2);
    at = start + FIXED + (flags & 0x4000 ? 2 : 0);
    let kept = Buffer.alloc(0);
    if (version === 4) {
      const drop = readVarint(bytes, at);
      kept = previous.subarray(0, previous.length - drop.value);
      at = drop.next;
    }
    const end = bytes.indexOf(0, at);
    if (end < 0) return refused('it is cut off');
    const path = Buffer.concat([kept, bytes.subarray(at, end)]);
    previous = path;
    at = version === 4 ? end + 1 : start + Math.ceil((end - start + 1) / 8) * 8;
    entries.push({
      path: path.toString('utf8'),
      mode: bytes
        .readUInt32BE(start + 24)
        .toString(8)
        .padStart(6, '0'),
      oid: bytes.toString('hex', start + 40, start + 60),
      stage: (flags >> 12) & 3,
    });
  }
  while (at + 8 <= bytes.length - 20) {
    const name = bytes.toString('latin1', at, at + 4);
    if (name === 'link') return refused('it is a split index (git update-index --no-split-index)');
    if (name === 'sdir')
      return refused('it is a sparse index (git sparse-checkout reapply --no-sparse-index)');
    at += 8 + bytes.readUInt32BE(at + 4);
  }
  return ok(entries);
};
