/** Reads of the ledger by auditors: each is an event, in the reader's own stream. */
export * from './decider.ts';
export * from './events.ts';
