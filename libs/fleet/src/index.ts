/** The fleet: which workers' keys an operator admitted. */
export * from './decider.ts';
export * from './events.ts';
export * from './upcasters.ts';
