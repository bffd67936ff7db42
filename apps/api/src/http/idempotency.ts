import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { FastifyRequest } from 'fastify';
import type { OutsideRequest } from '#apps/runner';
import type { Principal } from '#libs/access';
import { deriveId } from '#libs/kernel';
import type { OperationId } from '../access/permissions.ts';

/** draft-ietf-httpapi-idempotency-key-header: who repeats a command repeats its key. */
export const IDEMPOTENCY_KEY = 'idempotency-key';

/** Visible ASCII; quotes, which the draft's own form has, are part of the key. */
const KEY = /^[\x21-\x7e]{1,255}$/;

export const keyProblem = (key: unknown): string | null => {
  if (key === undefined)
    return 'is missing: a command needs a key of its own, which a retry repeats';
  return typeof key === 'string' && KEY.test(key)
    ? null
    : 'must be 1 to 255 visible ASCII characters, sent once';
};

/**
 * What a command is recorded under. Its id derives from who sends it, what for and under which key, so that the log
 * itself knows a repetition; its cause derives from what was said as well, so that other content under the same key
 * is told apart. No table of keys is kept, and none expires. What a person writes is no part of it: who guesses a text
 * could tell by a hash of it, for ever, that this was what has been erased since. So another reason under the same key is
 * taken for a repetition, and the first one stands.
 */
export const outsideRequest = (
  principal: Principal,
  operation: OperationId,
  request: FastifyRequest,
): OutsideRequest => {
  const key = String(request.headers[IDEMPOTENCY_KEY]);
  const named = canonicalize({ ...(request.params as object) }) ?? '';
  const body = request.body as Readonly<Record<string, unknown>> | null;
  const { reason: _, ...others } = body ?? {};
  // An agent's reason stands in its event in clear.
  const said = canonicalize({ ...(principal.role === 'agent' ? body : others) }) ?? '';
  const digest = createHash('sha256').update(said).digest('hex');
  return {
    commandId: deriveId('command', principal.subject, operation, named, key),
    causationId: deriveId('request', principal.subject, operation, named, key, digest),
    actor: { role: principal.role, id: principal.subject },
  };
};
