import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { csvOf, jsonLinesOf, parquetOf, type AnyColumns } from '#libs/exports';
import { pageSchema } from '../openapi/columns.ts';
import { ProblemFound } from '../problems/problems.ts';
import type { Slots } from './slots.ts';
import { dropStalled } from './stalled.ts';

export const FORMATS = ['json', 'csv', 'jsonl', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** Media types by format; the first is the one that is answered. */
const TYPES: Readonly<Record<Format, readonly [string, ...string[]]>> = {
  json: ['application/json'],
  csv: ['text/csv'],
  jsonl: ['application/jsonl', 'application/x-ndjson', 'application/jsonlines'],
  parquet: ['application/vnd.apache.parquet'],
};

/** The format that is asked for: by name, else by the Accept header (RFC 9110, section 12.5.1). */
export const formatOf = (asked: Format | undefined, accept: string | undefined): Format => {
  if (asked !== undefined) return asked;
  if (accept === undefined || accept.trim() === '') return 'json';
  const wanted = accept
    .split(',')
    .map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { type, q: q === undefined ? 1 : Number(q) };
    })
    .filter(({ q }) => q > 0)
    .sort((one, other) => other.q - one.q);
  for (const { type } of wanted) {
    const format = FORMATS.find((one) => TYPES[one].some((known) => covers(type, known)));
    if (format !== undefined) return format;
  }
  throw new ProblemFound(
    'not-acceptable',
    `found no format among ${accept.slice(0, 200)}, expected one of ${FORMATS.map((format) => TYPES[format][0]).join(', ')}`,
  );
};

const covers = (range: string, type: string): boolean =>
  range === '*/*' ||
  range === type ||
  (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));

export interface Export {
  readonly name: string;
  readonly columns: AnyColumns;
  readonly rows: AsyncIterable<object>;
}

/** Where a file goes, and what it may take for it. */
export interface FilePlace {
  readonly slots: Slots;
  readonly subject: string;
  readonly reply: FastifyReply;
  /** How long a reader may take nothing. */
  readonly stallMs: number;
}

/**
 * Takes a place for a file until its reader has it, is gone, or has not read for too long; gives the function that
 * frees it.
 */
export const placeForFile = ({ slots, subject, reply, stallMs }: FilePlace): (() => void) => {
  const leave = slots.take(subject);
  dropStalled(reply, stallMs, () => undefined);
  return leave;
};

/** Sends rows as a file, as fast as its reader takes them. One that breaks off is no whole answer, and seen to be none. */
export const sendExport = (
  format: Exclude<Format, 'json'>,
  { name, columns, rows }: Export,
  place: FilePlace,
): StreamableFile => {
  const { reply } = place;
  const leave = placeForFile(place);
  const stream =
    format === 'csv'
      ? csvOf(columns, rows)
      : format === 'jsonl'
        ? jsonLinesOf(columns, rows)
        : Readable.from(
            later(() => parquetOf(columns, rows)),
            { objectMode: false },
          );
  stream.once('close', leave);
  void reply.headers({ 'cache-control': 'no-store', vary: 'Authorization, Accept' });
  return new StreamableFile(stream, {
    type: TYPES[format][0],
    disposition: `attachment; filename="${name}.${format}"`,
  });
};

async function* later(make: () => Promise<Readable>): AsyncGenerator<Buffer> {
  for await (const chunk of await make()) yield chunk as Buffer;
}

/** A page is for those who look, a file for those who take all: a file has no pages. */
export const refusePaging = (request: FastifyRequest): void => {
  const { limit, cursor } = request.query as { limit?: unknown; cursor?: unknown };
  const { url } = request;
  const errors = [
    ...(cursor === undefined ? [] : ['cursor']),
    // The default of `limit` is nothing that was asked for.
    ...(limit !== undefined && /[?&]limit=/.test(url) ? ['limit'] : []),
  ].map((parameter) => ({ parameter, detail: 'belongs to pages of JSON; a file holds every row' }));
  if (errors.length > 0)
    throw new ProblemFound('request-invalid', 'a file has no pages', { errors });
};

const binary = { type: 'string', format: 'binary' } as const;

/** The document's word on rows in every format; `more` is what a page says besides. */
export const ApiRows = (columns: AnyColumns, more: Readonly<Record<string, object>> = {}) =>
  applyDecorators(
    ApiProduces('application/json'),
    ApiOkResponse({
      description: 'A page as JSON, or every row as a file',
      headers: {
        ETag: { schema: { type: 'string' }, description: 'Of a page' },
        Link: { schema: { type: 'string' }, description: 'The next page, where there is one' },
      },
      content: {
        'application/json': { schema: pageSchema(columns, more) },
        [TYPES.csv[0]]: { schema: { type: 'string' } },
        [TYPES.jsonl[0]]: { schema: { type: 'string' } },
        [TYPES.parquet[0]]: { schema: binary },
      },
    }),
  );
