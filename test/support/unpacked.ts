import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, inflateSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { temporaryFolder } from './prepared.ts';

const rowsOf = async (parquet: Buffer): Promise<Buffer> => {
  const folder = await temporaryFolder();
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const file = join(folder, 'rows.parquet');
    await writeFile(file, parquet);
    const read = await connection.runAndReadAll(`select * from read_parquet('${file}')`);
    return Buffer.from(JSON.stringify(read.getRowObjectsJson()));
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  }
};

/** The characters of a font's glyphs, from the table that it brings along. */
const charactersOf = (table: string): readonly string[] =>
  [...table.matchAll(/<[0-9a-f]+> <[0-9a-f]+> \[(.*)\]/g)].flatMap(([, range = '']) =>
    [...range.matchAll(/<([0-9a-f ]*)>/g)].map(([, units = '']) =>
      String.fromCharCode(...units.split(' ').map((unit) => parseInt(unit, 16))),
    ),
  );

/** All streams of a PDF, and what its pages say: their glyphs read by each of its fonts, one of which is theirs. */
const textOf = (pdf: Buffer): Buffer => {
  const streams = [...pdf.toString('latin1').matchAll(/stream\n([^]*?)\nendstream/g)].map(
    ([, stream = '']) => {
      const bytes = Buffer.from(stream, 'latin1');
      return (bytes[0] === 0x78 ? inflateSync(bytes) : bytes).toString('latin1');
    },
  );
  const fonts = streams.filter((stream) => stream.includes('begincmap')).map(charactersOf);
  const pages = streams
    .filter((stream) => stream.includes(' TJ'))
    .map((page) => [...page.matchAll(/<([0-9a-f]+)>/g)].map(([, glyphs]) => glyphs).join(''));
  const read = pages.flatMap((page) =>
    fonts.map((font) => page.replace(/.{4}/g, (glyph) => font[parseInt(glyph, 16)] ?? '')),
  );
  return Buffer.concat([pdf, Buffer.from([...streams, ...read].join('\n'))]);
};

/** What stands in a file: objects of git, archives, Parquet and PDF are compressed. */
export const unpacked = async (bytes: Buffer): Promise<Buffer> => {
  if (bytes[0] === 0x78) return inflateSync(bytes);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  const start = bytes.toString('latin1', 0, 4);
  if (start === 'PAR1') return rowsOf(bytes);
  return start === '%PDF' ? textOf(bytes) : bytes;
};
