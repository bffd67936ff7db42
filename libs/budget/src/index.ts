/** The mutation budget: charges that recompute, and the event that ends a run when one can't be paid. */
export * from './budget.ts';
export * from './events.ts';
