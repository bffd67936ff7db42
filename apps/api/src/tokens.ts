/** What is injected, besides the home: what a server was started with. */
export const CONFIG = Symbol('config');
export const LOGGER = Symbol('logger');
export const METRICS = Symbol('metrics');
export const LOCAL_TOKENS = Symbol('local tokens');
export const OIDC = Symbol('oidc');
/** Aborted when the server begins to stop. */
export const STOPPING = Symbol('stopping');
export const LEDGER = Symbol('ledger');
export const LIMITS_IN_FORCE = Symbol('limits');
export const READINESS = Symbol('readiness');
/** The API's own document, as it is served. */
export const DOCUMENT = Symbol('document');
/** Places for work that takes a machine a while. */
export const HEAVY_WORK = Symbol('heavy work');
/** Where studies lie on this host, or null. */
export const STUDIES_FOLDER = Symbol('studies folder');
/** Whether anybody may follow the log as a whole. */
export const PUBLIC_LOG = Symbol('public log');
export const STREAMS = Symbol('streams');
export const HEARTBEAT = Symbol('heartbeat');
/** Trainings on Redis, or null. */
export const TRAININGS = Symbol('trainings');
