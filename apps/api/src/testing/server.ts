import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger, type Ledger } from '#apps/runner';
import { localTokens, type TokenToIssue } from '#libs/access';
import type { Role } from '#libs/kernel';
import type { ApiConfig } from '../config.ts';
import { startApi, type Api, type ApiOptions } from '../server.ts';

/** A server on a ledger of its own, or on one that is given, with all that it logged. */
export interface TestServer {
  readonly api: Api;
  readonly ledger: Ledger;
  readonly lines: readonly string[];
  readonly token: (role: Role, more?: Partial<TokenToIssue>) => Promise<string>;
  readonly get: (
    path: string,
    token?: string | null,
    headers?: Record<string, string>,
  ) => Promise<Response>;
  readonly post: (
    path: string,
    token: string | null,
    body: unknown,
    headers?: Record<string, string>,
  ) => Promise<Response>;
  readonly stop: () => Promise<void>;
}

export const startTestServer = async (
  config: Partial<ApiConfig> = {},
  given: Ledger | null = null,
  more: Partial<ApiOptions> = {},
): Promise<TestServer> => {
  const folder = given === null ? await mkdtemp(join(tmpdir(), 'holdfast-api-')) : null;
  let ledger = given;
  if (ledger === null) {
    const opened = await openLedger({ folder: join(folder ?? '', 'home') });
    if (!opened.ok) throw new Error(opened.error.message);
    ledger = opened.value;
  }
  const lines: string[] = [];
  const api = await startApi({
    ledger,
    config: { port: 0, ...config },
    logTo: { write: (line) => void lines.push(line) },
    ...more,
  });
  const opened = ledger;
  const tokens = localTokens(opened.folder, opened.clock);
  const authorization = (token: string | null): Record<string, string> =>
    token === null ? {} : { authorization: `Bearer ${token}` };
  let keys = 0;
  return {
    api,
    ledger: opened,
    lines,
    token: async (role, asked = {}) => {
      const issued = await tokens.issue({ role, projects: 'all', days: 1, ...asked });
      if (!issued.ok) throw new Error(issued.error.message);
      return issued.value.token;
    },
    get: (path, token = null, headers = {}) =>
      fetch(`${api.url}${path}`, {
        headers: { ...authorization(token), ...headers },
      }),
    post: (path, token, body, headers = {}) => {
      keys += 1;
      return fetch(`${api.url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': `test-${keys}`,
          ...authorization(token),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    },
    stop: async () => {
      await api.close();
      if (folder !== null) {
        await opened.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
};
