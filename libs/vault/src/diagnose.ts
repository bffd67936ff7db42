import { open } from 'node:fs/promises';
import type { DataPolicy } from '#libs/harness';

/** Beginnings of files that are often given in place of CSV or Parquet. */
const BEGINNINGS: readonly (readonly [bytes: readonly number[], reason: string])[] = [
  [[0xff, 0xfe], 'it is UTF-16: save it as UTF-8'],
  [[0xfe, 0xff], 'it is UTF-16: save it as UTF-8'],
  [[0x1f, 0x8b], 'it is compressed with gzip: unpack it'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'it is compressed with zstd: unpack it'],
  [[0x50, 0x4b, 0x03, 0x04], 'it is a zip file or a spreadsheet: export it'],
  [[0x50, 0x41, 0x52, 0x45], 'its footer is encrypted: decrypt it'],
  [[0x50, 0x41, 0x52, 0x31], 'it is Parquet'],
];

/** What DuckDB's message says, put without the line that it quotes. */
const MESSAGES: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    /maximum[_ ]line[_ ]size|line size of/i,
    'a line is longer than 2,000,000 bytes: a quote that is not closed, or a document in a field',
  ],
  [
    /invalid unicode|not utf-8|utf-?8 encoded/i,
    'it has bytes that are not UTF-8, as Latin-1 has: save it as UTF-8',
  ],
  [
    /unterminated quote|quote should be followed/i,
    'a quote is not closed, or not doubled within a field',
  ],
  [
    /expected number of columns|too many columns|missing columns|columns.*(found|expected)/i,
    'a line has other fields than the header',
  ],
  [/encrypt/i, 'it is encrypted: decrypt it'],
  [/out of memory/i, 'it needs more than the 1 GB of memory that a vault may take'],
];

/** What a file is instead of the format that the policy names, by how it begins; null: nothing speaks against it. */
export const foreignFormat = async (
  path: string,
  format: DataPolicy['format'],
): Promise<string | null> => {
  const head = await beginning(path);
  const isParquet = (reason: string) => format === 'parquet' && reason.endsWith('Parquet');
  const known = BEGINNINGS.find(
    ([bytes, reason]) => bytes.every((byte, i) => head[i] === byte) && !isParquet(reason),
  );
  if (known !== undefined) return known[1];
  return format !== 'parquet' && head.includes(0)
    ? 'it has zero bytes, as UTF-16 has: save it as UTF-8'
    : null;
};

/** Why DuckDB can't read a file, in words without any of its text; null when nothing is known beyond its message. */
export const whyUnreadable = (message: string): string | null =>
  MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? null;

const beginning = async (path: string): Promise<Uint8Array> => {
  const file = await open(path, 'r');
  try {
    const buffer = new Uint8Array(512);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};
