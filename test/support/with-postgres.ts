import { afterAll, beforeAll, describe, it } from 'vitest';
import { postgresMissing, startPostgres, type Postgres } from './postgres.ts';

/**
 * A suite with a PostgreSQL server of its own, which `server` gives once tests run. Where PostgreSQL is not installed a
 * laptop skips it and says why; with CI set it fails.
 */
export const describeOnPostgres = (name: string, suite: (server: () => Postgres) => void): void => {
  const missing = postgresMissing();
  if (missing !== null && process.env['CI']) {
    it(name, () => {
      throw new Error(missing);
    });
    return;
  }
  if (missing !== null) console.warn(`skipped: ${name}: ${missing}`);
  describe.skipIf(missing !== null)(name, () => {
    let server: Postgres | null = null;
    beforeAll(async () => {
      server = await startPostgres();
    }, 60_000);
    afterAll(() => server?.remove(), 60_000);
    suite(() => {
      if (server === null) throw new Error('PostgreSQL starts before the tests do');
      return server;
    });
  });
};
