/** Erasures of what people wrote and of who they were: that they happened, by opaque ids. */
export * from './decider.ts';
export * from './events.ts';
