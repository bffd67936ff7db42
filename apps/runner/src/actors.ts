import type { Actor } from '#libs/kernel';

/** The harness itself: what it decides, measures and records on its own. */
export const HARNESS: Actor = { role: 'harness', id: 'harness' };
/** Whoever signs the log. */
export const NOTARY_ACTOR: Actor = { role: 'harness', id: 'notary' };
/** The built-in search agent. */
export const SEARCH_AGENT: Actor = { role: 'agent', id: 'search' };
/** Whoever holds this machine's command line; a name never stands in the log. */
export const LOCAL_RESEARCHER: Actor = { role: 'researcher', id: 'local' };
export const LOCAL_OPERATOR: Actor = { role: 'operator', id: 'local' };
export const LOCAL_REVIEWER: Actor = { role: 'reviewer', id: 'local' };
