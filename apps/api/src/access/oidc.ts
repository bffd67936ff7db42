import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { OPAQUE_ID, type TokenHolder } from '#libs/access';
import { ok, reasonOf, refused, ROLES, type Refusal, type Result, type Role } from '#libs/kernel';

/** An OpenID Connect provider whose access tokens are taken (RFC 9068 where it follows it). */
export interface OidcConfig {
  /** As the tokens' `iss` says it, to the letter. */
  readonly issuer: string;
  /** What the tokens' `aud` must name: this API. */
  readonly audience: string;
  /** Where its keys are; null: where its discovery document says. https, or this machine. */
  readonly jwks: string | null;
  /** Where in a token the role stands; dots lead into nested claims. Default: `holdfast_role`. */
  readonly roleClaim?: string;
  /** A list of projects, or "*". Default: `holdfast_projects`. */
  readonly projectsClaim?: string;
  /** The one run of an agent's token. Default: `holdfast_run`. */
  readonly runClaim?: string;
}

export type TokenFault = Refusal<
  /** The token is not good: expired, for somebody else, signed by somebody else, without a role. */
  | 'token-rejected'
  /** The provider's keys can't be had: nothing can be said of the token. */
  | 'provider-unreachable'
>;

export interface Oidc {
  readonly verify: (token: string) => Promise<Result<TokenHolder, TokenFault>>;
}

/** Signatures by a key pair only: with `none` or a shared secret anybody could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'EdDSA',
  'Ed25519',
];
const CLOCK_TOLERANCE_SECONDS = 5;
const FETCH_MS = 3_000;
/** A key that is not known yet is looked for again after this time, so that made-up key ids fetch nothing. */
const COOLDOWN_MS = 30_000;
const KEYS_FOR_MS = 10 * 60_000;
const LONGEST_TOKEN = 12 * 1024;
const MOST_PROJECTS = 1000;

const DEFAULT_CLAIMS = {
  role: 'holdfast_role',
  projects: 'holdfast_projects',
  run: 'holdfast_run',
} as const;

const rejected = (message: string) => refused({ code: 'token-rejected' as const, message });

export const openOidc = (config: OidcConfig): Oidc => {
  const keys = keysOf(config);
  return {
    verify: async (token) => {
      if (token.length > LONGEST_TOKEN) return rejected('the token is too long');
      let claims: JWTPayload;
      try {
        ({ payload: claims } = await jwtVerify(token, keys, {
          issuer: config.issuer,
          audience: config.audience,
          algorithms: ALGORITHMS,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          requiredClaims: ['exp', 'sub'],
        }));
      } catch (error) {
        return faultOf(error);
      }
      return holderOf(config, claims);
    },
  };
};

/** What jose throws of a token itself; anything else means that the keys could not be had. */
const OF_THE_TOKEN = [
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

const faultOf = (error: unknown): Result<never, TokenFault> =>
  OF_THE_TOKEN.some((kind) => error instanceof kind)
    ? rejected((error as Error).message)
    : refused({
        code: 'provider-unreachable',
        message: `the identity provider's keys can't be had: ${reasonOf(error)}`,
      });

/** The provider's keys, fetched when first needed and kept for a while. */
const keysOf = ({ issuer, jwks }: OidcConfig): JWTVerifyGetKey => {
  let found: Promise<JWTVerifyGetKey> | null = null;
  return async (header, token) => {
    found ??= (jwks === null ? discover(issuer) : Promise.resolve(jwks)).then((uri) =>
      createRemoteJWKSet(safe(uri), {
        timeoutDuration: FETCH_MS,
        cooldownDuration: COOLDOWN_MS,
        cacheMaxAge: KEYS_FOR_MS,
      }),
    );
    try {
      return await (
        await found
      )(header, token);
    } catch (error) {
      // A discovery that failed is tried again.
      await found.catch(() => (found = null));
      throw error;
    }
  };
};

/** OpenID Connect Discovery 1.0, section 4; the document must speak of the issuer that was asked for. */
const discover = async (issuer: string): Promise<string> => {
  const url = safe(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'error' });
  if (!answer.ok) throw new Error(`${url.href} answered ${answer.status}`);
  const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string')
    throw new Error(`${url.href} speaks of another issuer, or names no keys`);
  return document.jwks_uri;
};

const safe = (text: string): URL => {
  const url = new URL(text);
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && here)) return url;
  throw new Error(`found ${url.protocol}//${url.host} for the identity provider, expected https`);
};

const holderOf = (config: OidcConfig, claims: JWTPayload): Result<TokenHolder, TokenFault> => {
  // Holders without a name would all be one, as would those whose names a database can't tell apart.
  const { sub } = claims;
  if (typeof sub !== 'string' || !isSubject(sub)) return rejected('the claim sub names nobody');
  const role = roleIn(claimAt(claims, config.roleClaim ?? DEFAULT_CLAIMS.role));
  if (role === null)
    return rejected(
      `the claim ${config.roleClaim ?? DEFAULT_CLAIMS.role} names no role of Holdfast, or several; expected one of ${ROLES.join(', ')}`,
    );
  const projects = projectsIn(claimAt(claims, config.projectsClaim ?? DEFAULT_CLAIMS.projects));
  if (projects === null)
    return rejected(
      `the claim ${config.projectsClaim ?? DEFAULT_CLAIMS.projects} is no list of projects`,
    );
  const run = claimAt(claims, config.runClaim ?? DEFAULT_CLAIMS.run) ?? null;
  if (run !== null && !(typeof run === 'string' && OPAQUE_ID.test(run)))
    return rejected(`the claim ${config.runClaim ?? DEFAULT_CLAIMS.run} is no run's id`);
  return ok({
    role,
    issuer: config.issuer,
    subject: role === 'agent' ? opaqueSubject(config.issuer, sub) : sub,
    projects,
    via: 'oidc',
    run: role === 'agent' ? run : null,
  });
};

/** OpenID Connect Core 1.0, section 2: at most 255 ASCII characters. */
const isSubject = (sub: string): boolean => /^[\x20-\x7e]{1,255}$/.test(sub);

/**
 * What stands in the log for an agent: the SHA-256 of its `sub` with the issuer's, the same each time, so that whoever
 * asks for a run can name it. It is a program's id; a person's is random, and what it stands for can be erased.
 */
export const opaqueSubject = (issuer: string, sub: string): string =>
  `s-${createHash('sha256')
    .update(JSON.stringify([issuer, sub]))
    .digest('hex')
    .slice(0, 40)}`;

/** A claim by its name, or by a path of names. A name with dots in it comes first. */
const claimAt = (claims: JWTPayload, path: string): unknown =>
  Object.hasOwn(claims, path)
    ? claims[path]
    : path
        .split('.')
        .reduce<unknown>(
          (value, name) =>
            typeof value === 'object' && value !== null && Object.hasOwn(value, name)
              ? (value as Record<string, unknown>)[name]
              : undefined,
          claims,
        );

/** Providers give lists of roles, most of them not ours; exactly one of ours must be there. */
const roleIn = (claim: unknown): Role | null => {
  const given: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const ours = ROLES.filter((role) => given.includes(role));
  return ours.length === 1 ? (ours[0] ?? null) : null;
};

const projectsIn = (claim: unknown): readonly string[] | 'all' | null => {
  if (claim === undefined) return [];
  const given: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  if (given.length > MOST_PROJECTS) return null;
  if (given.length === 1 && given[0] === '*') return 'all';
  const projects = given.filter((one) => typeof one === 'string' && OPAQUE_ID.test(one));
  return projects.length === given.length ? (projects as string[]) : null;
};
