export * from './attestations.ts';
