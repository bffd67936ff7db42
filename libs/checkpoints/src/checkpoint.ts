import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { HASH_BYTES } from '#libs/merkle';
import { fromBase64, toBase64 } from './base64.ts';
import { hasControls } from './signed-note.ts';

/** A log's tree at a size (C2SP tlog-checkpoint): what a note's text says. */
export interface Checkpoint {
  /** Names the log; a key of the same name signs it. */
  readonly origin: string;
  readonly size: number;
  /** Merkle Tree Hash of RFC 6962 of the first `size` leaves. */
  readonly root: Uint8Array;
  /** Further lines, which witnesses sign along and don't audit. Holdfast's commit to the heads of its streams. */
  readonly extensions: readonly string[];
}

const isLine = (line: string): boolean =>
  line !== '' && line.isWellFormed() && !line.includes('\n') && !hasControls(line);

/** The note's text: origin, size and root, a line each. @throws RangeError for what no checkpoint can say */
export const formatCheckpoint = ({ origin, size, root, extensions }: Checkpoint): string => {
  if (![origin, ...extensions].every(isLine))
    throw new RangeError('origin and extensions of a checkpoint are lines of text, none empty');
  if (!Number.isSafeInteger(size) || size < 0 || root.length !== HASH_BYTES)
    throw new RangeError(`no checkpoint of ${size} leaves with a root of ${root.length} bytes`);
  return `${[origin, String(size), toBase64(root), ...extensions].join('\n')}\n`;
};

export const parseCheckpoint = (text: string): Result<Checkpoint, Refusal<'malformed'>> => {
  const expected = 'expected origin, size and root hash, a line each';
  const malformed = (found: string) =>
    refused({ code: 'malformed' as const, message: `found ${found}, ${expected}` });
  if (!text.endsWith('\n')) return malformed('no newline at the end of a checkpoint');
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  if (![origin, ...extensions].every(isLine))
    return malformed('an empty line, or control characters, in a checkpoint');
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    return malformed(`the size ${JSON.stringify(size.slice(0, 40))} in a checkpoint`);
  const hash = fromBase64(root);
  if (hash?.length !== HASH_BYTES)
    return malformed(`the root ${JSON.stringify(root.slice(0, 80))} in a checkpoint`);
  return ok({ origin, size: Number(size), root: hash, extensions });
};
