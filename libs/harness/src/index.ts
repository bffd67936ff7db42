/** The Fixed Harness: its policy, what it observes, and the rules of its gates. All plain data and pure functions. */
export * from './cells.ts';
export * from './coarsening.ts';
export * from './mid-loop.ts';
export * from './observation.ts';
export * from './policy.ts';
export * from './policy-versions.ts';
export * from './post-loop.ts';
export * from './pre-loop.ts';
export * from './protected-groups.ts';
export * from './said-tables.ts';
export * from './sandbox-layers.ts';
