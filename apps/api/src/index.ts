/** The HTTP edge. */
import 'reflect-metadata';

export { LIMITS, type ApiConfig, type Limits } from './config.ts';
export type { OidcConfig } from './access/oidc.ts';
export type { Trainings } from './queries/workers/trainings.ts';
export type { Dependency } from './queries/health/readiness.ts';
export { startApi, type Api, type ApiOptions } from './server.ts';
