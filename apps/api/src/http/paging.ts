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

const pathOf = ({ url }: Pick<FastifyRequest, 'url'>): string => url.split('?')[0] ?? '';

/** What a cursor belongs to: the list, and everything that was asked for but how much of it. */
const digestOf = (request: FastifyRequest): string => {
  const { cursor: _, limit: __, ...asked } = request.query as Record<string, unknown>;
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return createHash('sha256')
    .update(canonicalize([pathOf(request), Object.fromEntries(given)]) ?? '')
    .digest('base64url')
    .slice(0, 12);
};

/** An opaque cursor: a place, and what it is a place in. */
const cursorAt = (place: number, request: FastifyRequest): string =>
  Buffer.from(JSON.stringify([place, digestOf(request)])).toString('base64url');

/** The place that a cursor names; undefined where there is none. Throws where it belongs to another question. */
export const placeOf = (request: FastifyRequest): number | undefined => {
  const { cursor } = request.query as PageQuery;
  if (cursor === undefined) return undefined;
  try {
    const [place, digest] = JSON.parse(
      Buffer.from(cursor, 'base64url').toString('utf8'),
    ) as unknown[];
    if (Number.isSafeInteger(place) && Number(place) >= 0 && digest === digestOf(request))
      return Number(place);
  } catch {
    // No JSON: no cursor of ours.
  }
  throw new ProblemFound(
    'cursor-invalid',
    'found a cursor that was not given for this list, filter and order; begin again without one',
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
  const cursor = cursorAt(next, request);
  const asked = new URLSearchParams(
    Object.entries<unknown>({ ...query, cursor })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [name, String(value)]),
  );
  void reply.header('link', `<${pathOf(request)}?${asked.toString()}>; rel="next"`);
  return cursor;
};
