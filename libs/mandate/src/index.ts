/** The Human Mandate: what an agent's findings may say, and what only people may decide. */
export * from './mandate.ts';
export * from './screen.ts';
