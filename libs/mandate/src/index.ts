/** The Human Mandate: what an agent's findings may say, and what only people may decide. */
export * from './authorisation.ts';
export * from './error-classes.ts';
export * from './mandate.ts';
export * from './screen.ts';
