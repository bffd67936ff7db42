export { readConfig, type Config } from './config.ts';
export { readServiceConfig, type OidcConfig, type ServiceConfig } from './service-config.ts';
