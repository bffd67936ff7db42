import { expect, it } from 'vitest';
import { newToken, type LocalTokens, type TokenHolder } from '#libs/access';
import { ErasablesUnavailable } from '#libs/erasable';
import { ok, type Role } from '#libs/kernel';
import { ProblemFound } from '../problems/problems.ts';
import { authenticate, type Doorkeepers } from './authenticate.ts';

const holder = (role: Role): TokenHolder => ({
  ...{ role, subject: 'ada', issuer: 'local', projects: 'all', run: null, via: 'local' },
});
const doors = (role: Role, personOf: Doorkeepers['erasables']['personOf']): Doorkeepers => ({
  local: { verify: async () => ok(holder(role)) } as unknown as LocalTokens,
  oidc: null,
  erasables: { personOf },
});
const header = `Bearer ${newToken()}`;
const down = () => Promise.reject(new ErasablesUnavailable('down'));

it('gives a person the id that stands for him, and leaves an agent its own', async () => {
  const personOf: Doorkeepers['erasables']['personOf'] = async ({ issuer, subject }) =>
    `person of ${subject} at ${issuer}`;
  expect(await authenticate(header, doors('reviewer', personOf))).toEqual({
    ...{ role: 'reviewer', subject: 'person of ada at local' },
    ...{ projects: 'all', run: null, via: 'local' },
  });
  expect(await authenticate(header, doors('agent', down))).toMatchObject({ subject: 'ada' });
});

it('lets nobody in under his name where the ids can not be had', async () => {
  const refused = await authenticate(header, doors('reviewer', down)).catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(ProblemFound);
  expect(refused).toMatchObject({ code: 'unavailable', because: 'down' });
});
