import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localTokens, TOKEN_PREFIX } from '#libs/access';
import { ROLES, type Role } from '#libs/kernel';
import { ACTS } from '#libs/mandate';
import { assertPermitted, routesOf, type Route } from '../openapi/document.ts';
import { startTestServer, type TestServer } from '../testing/server.ts';
import { PERMISSIONS } from './permissions.ts';

/**
 * Who may call what, said a second time: a change of the table has to be made here as well, by somebody who means it.
 * a agent, r researcher, v reviewer, u auditor, o operator; * anybody.
 */
const EXPECTED: Readonly<Record<string, string>> = {
  'GET /health/live': '*',
  'GET /health/ready': '*',
  'GET /openapi.json': '*',
  'GET /metrics': 'o',
  'GET /v1/studies': 'rvuo',
  'POST /v1/studies': 'r',
  'GET /v1/studies/{studyId}': 'rvuo',
  'POST /v1/studies/{studyId}/placement': 'o',
  'POST /v1/studies/{studyId}/runs': 'r',
  'GET /v1/runs': 'rvuo',
  'GET /v1/runs/{runId}': 'rvuo',
  'GET /v1/runs/{runId}/events': 'rvuo',
  'GET /v1/runs/{runId}/watch': 'rvuo',
  'POST /v1/runs/{runId}/halt': 'ro',
  'POST /v1/runs/{runId}/stop': 'ro',
  'GET /v1/cutover-audit': 'rvuo',
  'GET /v1/restore-points': 'rvuo',
  'GET /v1/restore-points/{restorePointId}': 'rvuo',
  'GET /v1/restore-points/{restorePointId}/tree': 'rvuo',
  'GET /v1/charges': 'rvuo',
  'GET /v1/ledger': 'rvuo',
  'GET /v1/findings': 'rvuo',
  'GET /v1/findings/{findingId}': 'rvuo',
  'GET /v1/findings/{findingId}/bundle': 'rvuo',
  'GET /v1/findings/{findingId}/exports/{format}': 'rvuo',
  'POST /v1/findings/{findingId}/verification': 'rvuo',
  'POST /v1/findings/{findingId}/review': 'v',
  'GET /v1/audit/changes': 'rvuo',
  'GET /v1/audit/access': 'rvuo',
  'GET /v1/audit/incidents': 'rvuo',
  'GET /v1/audit/findings': 'rvuo',
  'GET /v1/audit/reviews': 'rvuo',
  'GET /v1/audit/trace': 'rvuo',
  'GET /checkpoint': 'rvuo',
  'GET /tile/{path}': 'rvuo',
  'GET /v1/people': 'o',
  'POST /v1/people/{personId}/erasure': 'o',
  'POST /v1/erasures': 'o',
  'GET /v1/workers': 'o',
  'POST /v1/workers': 'o',
  'POST /v1/workers/{keyId}/dismissal': 'o',
  'GET /v1/dead-letters': 'o',
  'POST /v1/dead-letters/{trainingId}/retry': 'o',
  'POST /v1/dead-letters/{trainingId}/discard': 'o',
  // What holds the agent: it reads four things of its own run and proposes four, and nothing else.
  'GET /v1/agent/runs/{runId}': 'a',
  'GET /v1/agent/runs/{runId}/brief': 'a',
  'GET /v1/agent/runs/{runId}/cohorts': 'a',
  'GET /v1/agent/runs/{runId}/files': 'a',
  'POST /v1/agent/runs/{runId}/hypotheses': 'a',
  'POST /v1/agent/runs/{runId}/mutations': 'a',
  'POST /v1/agent/runs/{runId}/metrics': 'a',
  'POST /v1/agent/runs/{runId}/findings': 'a',
};
const LETTERS: Readonly<Record<Role, string>> = {
  agent: 'a',
  researcher: 'r',
  reviewer: 'v',
  auditor: 'u',
  operator: 'o',
};

let server: TestServer;
let routes: readonly Route[];
const tokens = new Map<Role, string>();

beforeAll(async () => {
  server = await startTestServer();
  routes = routesOf((await (await server.get('/openapi.json')).json()) as never);
  for (const role of ROLES) tokens.set(role, await server.token(role));
});
afterAll(() => server.stop());

const nameOf = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`;

/** Asks for a route, of things that are not there: being let in shows as anything but 401 and 403. */
const call = async ({ method, path }: Route, token: string | null): Promise<number> => {
  const url = path.replace('{keyId}', '0123456789abcdef').replaceAll(/\{\w+\}/g, 'nothing-1-f1');
  const answered =
    method === 'get' ? await server.get(url, token) : await server.post(url, token, {});
  await answered.body?.cancel();
  return answered.status;
};

describe('every route of the document', () => {
  it('is in the table of this test, and the table holds no other', () => {
    expect(routes.map(nameOf).toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
  });

  it.each(ROLES)('lets in %s exactly where the table says so', async (role) => {
    const found: Record<string, boolean> = {};
    const expected: Record<string, boolean> = {};
    for (const route of routes) {
      const roles = EXPECTED[nameOf(route)] ?? '';
      const status = await call(route, tokens.get(role) ?? null);
      expect(status, nameOf(route)).not.toBe(401);
      expect(status, nameOf(route)).not.toBe(500);
      found[nameOf(route)] = status !== 403;
      expected[nameOf(route)] = roles === '*' || roles.includes(LETTERS[role]);
    }
    expect(found).toEqual(expected);
  });

  it('lets in nobody without a token that is good', async () => {
    const { subject } = { subject: 'someone' };
    const tokensOf = localTokens(server.ledger.folder, server.ledger.clock);
    const past = localTokens(server.ledger.folder, { now: () => '2020-01-01T00:00:00.000Z' });
    const expired = await past.issue({ role: 'operator', subject, projects: 'all', days: 1 });
    const revoked = await tokensOf.issue({ role: 'operator', subject, projects: 'all', days: 1 });
    if (!expired.ok || !revoked.ok) throw new Error('no token');
    await tokensOf.revoke(revoked.value.kept.id);
    const bad = {
      none: null,
      expired: expired.value.token,
      revoked: revoked.value.token,
      'made up': `${TOKEN_PREFIX}${createHash('sha256').update(randomUUID()).digest('base64url')}`,
      'not ours': 'eyJhbGciOiJub25lIn0.eyJob2xkZmFzdF9yb2xlIjoib3BlcmF0b3IifQ.',
      'no token': 'x y',
    };
    for (const [why, token] of Object.entries(bad))
      for (const route of routes) {
        const open = EXPECTED[nameOf(route)] === '*';
        const expected = open && token === null ? 200 : 401;
        expect(await call(route, token), `${nameOf(route)}, ${why}`).toBe(expected);
      }
  });
});

describe('the table', () => {
  it('is that of the mandate: every operation is an act, and every act that has a route has it here', () => {
    const guarded = Object.entries(PERMISSIONS).filter(([, roles]) => roles !== 'public');
    expect(guarded.map(([id]) => id).toSorted()).toEqual(
      Object.values(ACTS)
        .flatMap(({ operations }) => operations as readonly string[])
        .toSorted(),
    );
    for (const [id, roles] of guarded) expect(roles.length, id).toBeGreaterThan(0);
  });

  it('keeps a server from starting when a route is not in it, or a row has no route', () => {
    const known = [{ id: 'getLiveness', path: '/health/live' }];
    expect(() => {
      assertPermitted([...routes, { id: 'newOperation', path: '/v1/new' }]);
    }).toThrow('/v1/new has no row');
    expect(() => {
      assertPermitted(known, { getLiveness: 'public', gone: ['operator'] });
    }).toThrow('gone has no route');
    expect(() => {
      assertPermitted([...known, ...known], { getLiveness: 'public' });
    }).toThrow('twice');
    expect(Object.keys(PERMISSIONS)).toHaveLength(routes.length);
  });
});
