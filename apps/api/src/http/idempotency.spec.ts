import type { FastifyRequest } from 'fastify';
import { expect, it } from 'vitest';
import type { Principal } from '#libs/access';
import { outsideRequest } from './idempotency.ts';

const causeOf = (role: Principal['role'], body: object): string => {
  const principal: Principal = {
    ...{ role, subject: 'person-1', projects: 'all', via: 'local', run: null },
  };
  const headers = { 'idempotency-key': 'review-1' };
  const request = { headers, params: { findingId: 'pay-1-f1' }, body };
  return outsideRequest(principal, 'reviewFinding', request as unknown as FastifyRequest)
    .causationId;
};

const accepted = { decision: 'accepted', reason: 'the chain holds' };

it('tells other content under a key apart', () => {
  expect(causeOf('reviewer', { ...accepted })).toBe(causeOf('reviewer', accepted));
  expect(causeOf('reviewer', { ...accepted, decision: 'rejected' })).not.toBe(
    causeOf('reviewer', accepted),
  );
});

it('tells nobody who guesses what a person wrote that he is right', () => {
  expect(causeOf('reviewer', { ...accepted, reason: 'another' })).toBe(
    causeOf('reviewer', accepted),
  );
  // What an agent says stands in the log.
  expect(causeOf('agent', { reason: 'done' })).not.toBe(causeOf('agent', { reason: 'stuck' }));
});
