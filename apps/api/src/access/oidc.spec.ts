import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/server.ts';
import { openOidc, opaqueSubject, type Oidc, type OidcConfig } from './oidc.ts';

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

const AUDIENCE = 'https://holdfast.example/api';

let provider: Server;
let issuer: string;
let config: OidcConfig;
let oidc: Oidc;
let fetched: string[];
let down: boolean;
const keys: Record<string, Key> = {};

beforeAll(async () => {
  const jwks: object[] = [];
  for (const alg of ['RS256', 'ES256', 'EdDSA']) {
    const pair = await generateKeyPair(alg, { extractable: true });
    keys[alg] = pair.privateKey;
    jwks.push({ ...(await exportJWK(pair.publicKey)), alg, kid: alg, use: 'sig' });
  }
  const stranger = await generateKeyPair('RS256', { extractable: true });
  keys['stranger'] = stranger.privateKey;
  provider = createServer((request, answer) => {
    fetched.push(request.url ?? '');
    if (down) {
      answer.writeHead(500).end();
      return;
    }
    answer.setHeader('content-type', 'application/json');
    answer.end(
      JSON.stringify(
        request.url === '/.well-known/openid-configuration'
          ? { issuer, jwks_uri: `${issuer}/keys` }
          : { keys: jwks },
      ),
    );
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
});
afterAll(() => {
  provider.closeAllConnections();
  provider.close();
});

beforeEach(() => {
  fetched = [];
  down = false;
  config = { issuer, audience: AUDIENCE, jwks: null };
  oidc = openOidc(config);
});

const CLAIMS: JWTPayload = {
  sub: 'ada@example.org',
  holdfast_role: 'researcher',
  holdfast_projects: ['wages'],
};

interface Made {
  readonly alg?: string;
  readonly key?: string;
  readonly kid?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly expires?: string | number;
}

const token = (claims: JWTPayload = CLAIMS, made: Made = {}): Promise<string> => {
  const { alg = 'RS256', key = alg, kid = alg, expires = '5m' } = made;
  const jwt = new SignJWT(claims)
    .setProtectedHeader({ alg, kid })
    .setIssuedAt()
    .setIssuer(made.issuer ?? issuer)
    .setAudience(made.audience ?? AUDIENCE);
  return jwt.setExpirationTime(expires).sign(keys[key] ?? new Uint8Array(32));
};

const verify = async (claims?: JWTPayload, made?: Made) => oidc.verify(await token(claims, made));

describe('a token of the identity provider', () => {
  it.each(['RS256', 'ES256', 'EdDSA'])('is taken when it is signed by %s', async (alg) => {
    expect(await verify(CLAIMS, { alg })).toEqual({
      ok: true,
      value: {
        role: 'researcher',
        issuer,
        subject: 'ada@example.org',
        projects: ['wages'],
        via: 'oidc',
        run: null,
      },
    });
  });

  it('of an agent is of a subject that is no name, and the same each time', async () => {
    const { value } = (await verify({ ...CLAIMS, holdfast_role: 'agent' })) as {
      value: { subject: string };
    };
    expect(value.subject).toMatch(/^s-[0-9a-f]{40}$/);
    expect(value.subject).toBe(opaqueSubject(issuer, 'ada@example.org'));
    expect(opaqueSubject('https://other', 'ada@example.org')).not.toBe(value.subject);
  });

  it.each([
    ['expired', {}, { expires: Math.floor(Date.now() / 1000) - 60 }],
    ['of another issuer', {}, { issuer: 'https://other' }],
    ['for another audience', {}, { audience: 'https://other' }],
    ['signed by somebody else', {}, { key: 'stranger' }],
    ['signed by an unknown key', {}, { kid: 'other' }],
    ['signed with a shared secret', {}, { alg: 'HS256', key: 'none', kid: 'RS256' }],
    ['without a role', { holdfast_role: undefined }, {}],
    ['of a role that is none', { holdfast_role: 'god' }, {}],
    ['of the harness', { holdfast_role: 'harness' }, {}],
    ['of two roles', { holdfast_role: ['agent', 'operator'] }, {}],
    ['with projects that are none', { holdfast_projects: [{}] }, {}],
    ['with a path for a project', { holdfast_projects: ['../x'] }, {}],
    ['without a subject', { sub: undefined }, {}],
    ['with nobody for a subject', { sub: '' }, {}],
    ['with a subject that is too long', { sub: 'x'.repeat(256) }, {}],
    ['with a subject that no database tells from another', { sub: 'a\u0000' }, {}],
  ] as [string, JWTPayload, Made][])('is not taken when it is %s', async (_, claims, made) => {
    expect(await verify({ ...CLAIMS, ...claims }, made)).toMatchObject({
      error: { code: 'token-rejected' },
    });
  });

  it('is not taken without a signature, or without an end', async () => {
    const [header, payload] = [{ alg: 'none' }, { ...CLAIMS, iss: issuer, aud: AUDIENCE }].map(
      (part) => Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    expect(await oidc.verify(`${header}.${payload}.`)).toMatchObject({ ok: false });
    const endless = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'RS256', kid: 'RS256' })
      .setIssuer(issuer)
      .setAudience(AUDIENCE)
      .sign(keys['RS256'] ?? new Uint8Array());
    expect(await oidc.verify(endless)).toMatchObject({ error: { code: 'token-rejected' } });
    expect(await oidc.verify('x'.repeat(20_000))).toMatchObject({ ok: false });
  });

  it('names role, projects and run where the configuration says', async () => {
    oidc = openOidc({
      ...config,
      roleClaim: 'realm_access.roles',
      projectsClaim: 'https://x/p',
      runClaim: 'r',
    });
    const claims = {
      sub: 'x',
      realm_access: { roles: ['offline', 'agent'] },
      'https://x/p': '*',
      r: 'pay-1',
    };
    expect(await verify(claims)).toMatchObject({
      value: { role: 'agent', projects: 'all', run: 'pay-1' },
    });
    expect(await verify({ ...claims, r: 'a b' })).toMatchObject({ ok: false });
  });

  it('sees no project where it names none', async () => {
    expect(await verify({ sub: 'x', holdfast_role: 'auditor' })).toMatchObject({
      value: { projects: [] },
    });
  });
});

describe('the keys of the identity provider', () => {
  it('are fetched once, and not again for key ids that are made up', async () => {
    for (let n = 0; n < 5; n += 1) await verify();
    for (let n = 0; n < 5; n += 1) await verify(CLAIMS, { kid: `made-up-${n}` });
    expect(fetched).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('are waited for: while they can not be had nobody is let in, and nobody is called bad', async () => {
    down = true;
    expect(await verify()).toMatchObject({ error: { code: 'provider-unreachable' } });
    down = false;
    expect(await verify()).toMatchObject({ ok: true });
  });

  it('are not fetched in the open', async () => {
    oidc = openOidc({ ...config, jwks: 'http://keys.example/jwks' });
    expect(await verify()).toMatchObject({
      error: { message: expect.stringContaining('expected https') },
    });
  });
});

describe('over HTTP', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      oidc: { issuer, audience: AUDIENCE, jwks: `${issuer}/keys` },
    });
  });
  afterAll(() => server.stop());

  it('a token of the provider is as good as a local one, and a bad one as bad', async () => {
    expect((await server.get('/v1/runs', await token())).status).toBe(200);
    expect((await server.get('/metrics', await token())).status).toBe(403);
    const expired = await token(CLAIMS, { expires: Math.floor(Date.now() / 1000) - 60 });
    const refused = await server.get('/v1/runs', expired);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
    // What is wrong with it, whoever tries tokens is not told.
    expect(await refused.text()).not.toMatch(/claim|timestamp/i);
    expect(server.lines.join('')).toContain('"exp\\" claim timestamp check failed');
  });

  it('a person stands in the log under an id that says nothing of him, until he is erased', async () => {
    const auditor = () => token({ ...CLAIMS, holdfast_role: 'auditor' });
    const readers = async () => {
      const streams = new Set<string>();
      for await (const { stream } of server.ledger.log.readAll())
        if (stream.startsWith('access-')) streams.add(stream);
      return [...streams];
    };
    for (let n = 0; n < 2; n += 1) await server.get('/v1/runs', await auditor());
    const [reader = '', ...others] = await readers();
    expect(others).toEqual([]);
    expect(reader).toMatch(/^access-person-[0-9a-f]{32}$/);
    const id = reader.slice('access-'.length);
    const operator = await server.token('operator');
    const people = async () =>
      ((await (await server.get('/v1/people', operator)).json()) as { people: object[] }).people;
    expect(await people()).toContainEqual({
      personId: id,
      issuer,
      subject: 'ada@example.org',
      since: expect.any(String),
    });
    const erase = () => server.post(`/v1/people/${id}/erasure`, operator, {});
    expect((await erase()).status).toBe(200);
    expect((await erase()).status).toBe(200);
    expect(JSON.stringify(await people())).not.toContain('@');
    await server.get('/v1/runs', await auditor());
    expect(await readers()).toHaveLength(2);
    const erased = [];
    for await (const { type, data } of server.ledger.log.readStream('erasures'))
      erased.push({ type, data });
    expect(erased).toEqual([{ type: 'PersonErased', data: { personId: id } }]);
  });
});
