export { readConfig, type Config } from './config.ts';
export { VARIABLES, type Variable } from './variables.ts';
export {
  readServiceConfig,
  type NotaryConfig,
  type OidcConfig,
  type ServiceConfig,
} from './service-config.ts';
