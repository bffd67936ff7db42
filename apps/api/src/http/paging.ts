import { createHash } from 'node:crypto';
import { ApiProperty } from '@nestjs/swagger';
import canonicalize from 'canonicalize';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemFound } from '../problems/problems.ts';
import { OneOf, WholeInUrl, Words } from './members.ts';

export const MOST_ROWS = 1000;
export const DEFAULT_ROWS = 100;

/** What every list takes. */
export class PageQuery {
  @WholeInUrl(1, MOST_ROWS, {
    about: 'Most rows of a page',
    optional: true,
    default: DEFAULT_ROWS,
  })
  limit?: number;

  @Words(512, {
    about: '`next` of the page before; it belongs to the same filter and order',
    optional: true,
  })
  cursor?: string;
}

export class OrderedPageQuery extends PageQuery {
  @OneOf(['oldest', 'newest'], {
    about: 'In the order of the log, from which end; default: oldest first',
    optional: true,
  })
  order?: 'oldest' | 'newest';
}

export class PageLinks {
  @ApiProperty({
    type: 'string',
    nullable: true,
    description:
      'Pass it as `cursor` to go on; null: that was all. The Link header names the whole URL',
  })
  next!: string | null;
}

/** What a cursor belongs to: everything that was asked for but how much of it. */
const digestOf = (query: object): string => {
  const { cursor: _, limit: __, ...asked } = query as Record<string, unknown>;
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return createHash('sha256')
    .update(canonicalize(Object.fromEntries(given)) ?? '')
    .digest('base64url')
    .slice(0, 12);
};

/** An opaque cursor: a place, and what it is a place in. */
export const cursorAt = (place: number, query: object): string =>
  Buffer.from(JSON.stringify([place, digestOf(query)])).toString('base64url');

/** The place that a cursor names; undefined where there is none. Throws where it belongs to another question. */
export const placeOf = (query: { readonly cursor?: string }): number | undefined => {
  if (query.cursor === undefined) return undefined;
  try {
    const [place, digest] = JSON.parse(
      Buffer.from(query.cursor, 'base64url').toString('utf8'),
    ) as unknown[];
    if (Number.isSafeInteger(place) && digest === digestOf(query)) return place as number;
  } catch {
    // No JSON: no cursor of ours.
  }
  throw new ProblemFound(
    'cursor-invalid',
    'found a cursor that was not given for this filter and order; begin again without one',
    { errors: [{ parameter: 'cursor', detail: 'belongs to another list' }] },
  );
};

/** Names the next page, in the body and in the Link header (RFC 8288). */
export const linkNext = (
  next: number | null,
  request: FastifyRequest,
  reply: FastifyReply,
): string | null => {
  if (next === null) return null;
  const query: object = request.query as object;
  const cursor = cursorAt(next, query);
  const asked = new URLSearchParams(
    Object.entries<unknown>({ ...query, cursor })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [name, String(value)]),
  );
  void reply.header('link', `<${request.url.split('?')[0]}?${asked.toString()}>; rel="next"`);
  return cursor;
};
