import { TOKEN_PREFIX, type LocalTokens, type Principal } from '#libs/access';
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

/** Whose request it is. Throws the problem where nobody's. */
export const authenticate = async (
  header: string | undefined,
  { local, oidc }: { readonly local: LocalTokens; readonly oidc: Oidc | null },
): Promise<Principal> => {
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
