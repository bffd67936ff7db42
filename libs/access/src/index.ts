/** Who somebody is to Holdfast, and the tokens that this machine hands out itself. */
export * from './principal.ts';
export * from './local-tokens.ts';
