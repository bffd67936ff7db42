/** Findings: cohort-level claims by type, their verdicts, and what only people decide about them. */
export * from './decider.ts';
export * from './events.ts';
export * from './interval.ts';
export * from './statement.ts';
export * from './upcasters.ts';
