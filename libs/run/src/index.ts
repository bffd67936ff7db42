/** The run: its events, its commands, the loop graph, and the one decider that composes the pure core. */
export * from './cohorts.ts';
export * from './commands.ts';
export * from './decider.ts';
export { evidenceOf, rulingOf } from './deciding/judging.ts';
export { deviation } from './deciding/measuring.ts';
export { NOT_SHOWN, SCREENS, type Screens } from './deciding/proposing.ts';
export { commandIds, type RunRefusalCode } from './deciding/outcome.ts';
export * from './events.ts';
export * from './kept-undone.ts';
export * from './loop-diagram.ts';
export * from './loop-graph.ts';
export * from './next-step.ts';
export * from './origin.ts';
export * from './state.ts';
export * from './upcasters.ts';
