import type { OpenAPIObject } from '@nestjs/swagger';
import { VERSION, type Ledger } from '#apps/runner';
import type { LocalTokens } from '#libs/access';
import { LIMITS } from '../config.ts';
import { apiLogger } from '../observing/logger.ts';
import { apiMetrics } from '../observing/metrics.ts';
import { createApp } from '../server.ts';
import { documentOf } from './document.ts';

/** The description of the API without an API: nothing is opened, and nobody listens. */
export const describeApi = async (): Promise<OpenAPIObject> => {
  const app = await createApp(
    {
      ledger: {} as Ledger,
      local: {} as LocalTokens,
      limits: LIMITS,
      oidc: null,
      logger: apiLogger({ write: () => undefined }),
      metrics: apiMetrics({
        version: VERSION,
        logPosition: unusable,
        viewsPosition: unusable,
        runsByStatus: unusable,
      }),
      readiness: unusable,
      document: { value: {} },
      stopping: new AbortController().signal,
      studiesFolder: null,
      trainings: null,
      publicLog: false,
      heartbeatMs: 0,
    },
    null,
  );
  try {
    return documentOf(app, VERSION);
  } finally {
    await app.close();
  }
};

/** A description asks for nothing. */
const unusable = (): never => {
  throw new Error('a description asked for what only a server has');
};
