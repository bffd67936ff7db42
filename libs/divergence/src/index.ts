/** Charts that revert a run when results stop being plausible, and the rule that a keep must beat noise. */
export * from './average-run-length.ts';
export * from './cusum.ts';
export * from './events.ts';
export * from './keep-rule.ts';
export * from './power.ts';
export * from './self-starting.ts';
