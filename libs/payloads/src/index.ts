/** What may stand in the log: every type of event with the shape of its payload, checked at each append. */
import 'reflect-metadata';

export { EVENT_TYPES, schemaVersionOf } from './event-types.ts';
