export * from './artefact.ts';
export * from './decider.ts';
export * from './envelope.ts';
export * from './ids.ts';
export * from './ports.ts';
export * from './private-text.ts';
export * from './result.ts';
export * from './words.ts';
