export * from './observation.ts';
export * from './policy.ts';
