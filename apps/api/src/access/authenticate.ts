import { TOKEN_PREFIX, type LocalTokens, type Principal, type TokenHolder } from '#libs/access';
import { ErasablesUnavailable, type Erasables } from '#libs/erasable';
import { ProblemFound } from '../problems/problems.ts';
import type { Oidc } from './oidc.ts';

/** RFC 6750, section 2.1: `Bearer`, a blank, and characters that need no quoting. */
const BEARER = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i;

const REALM = 'Bearer realm="holdfast"';

/** RFC 6750, section 3: without a token the challenge says nothing more. */
const noToken = (): ProblemFound =>
  new ProblemFound('unauthenticated', 'found no bearer token; send Authorization: Bearer <token>', {
    headers: { 'www-authenticate': REALM },
  });

/** Why it is not good stands in the server's log; whoever tries tokens is told nothing. */
const badToken = (because: string): ProblemFound =>
  new ProblemFound(
    'unauthenticated',
    'the token is not valid here: it is unknown, expired, revoked or meant for somebody else; get a new one',
    { headers: { 'www-authenticate': `${REALM}, error="invalid_token"` }, because },
  );

/** What tells whose a token is, and which id stands for him. */
export interface Doorkeepers {
  readonly local: LocalTokens;
  readonly oidc: Oidc | null;
  readonly erasables: Pick<Erasables, 'personOf'>;
}

/** Whose request it is, a person under his opaque id. Throws the problem where nobody's. */
export const authenticate = async (
  header: string | undefined,
  { local, oidc, erasables }: Doorkeepers,
): Promise<Principal> => {
  const { issuer, ...holder } = await holderOf(header, { local, oidc });
  if (holder.role === 'agent') return holder;
  try {
    return { ...holder, subject: await erasables.personOf({ issuer, subject: holder.subject }) };
  } catch (error) {
    if (!(error instanceof ErasablesUnavailable)) throw error;
    throw new ProblemFound('unavailable', 'nobody can be told apart now; try again later', {
      because: error.message,
    });
  }
};

const holderOf = async (
  header: string | undefined,
  { local, oidc }: Pick<Doorkeepers, 'local' | 'oidc'>,
): Promise<TokenHolder> => {
  if (header === undefined || header === '') throw noToken();
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw badToken('no bearer token in the header');
  if (token.startsWith(TOKEN_PREFIX)) {
    const principal = await local.verify(token);
    if (!principal.ok)
      throw new ProblemFound('unavailable', 'tokens can not be checked now; try again later', {
        because: principal.error.message,
      });
    if (principal.value === null) throw badToken('no such local token, or expired or revoked');
    return principal.value;
  }
  if (oidc === null) throw badToken('no identity provider is configured');
  const principal = await oidc.verify(token);
  if (principal.ok) return principal.value;
  const { code, message } = principal.error;
  if (code === 'token-rejected') throw badToken(message);
  throw new ProblemFound('unavailable', 'tokens can not be checked now; try again later', {
    because: message,
  });
};
