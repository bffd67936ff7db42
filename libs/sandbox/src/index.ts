export { type SandboxCheck, sandboxChecks } from './checks.ts';
export { detectSandbox } from './detect.ts';
export { openSandbox } from './sandbox.ts';
export { runtimeDigest } from './staging.ts';
export * from './types.ts';
