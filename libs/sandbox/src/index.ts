export { DEFAULT_ENVIRONMENT, SCRATCH_BYTES } from './arguments.ts';
export { type SandboxCheck, sandboxChecks } from './checks.ts';
export { detectSandbox, PROGRAM_USER } from './detect.ts';
export { type ProgramLog, programLog } from './log.ts';
export { type Collected, collect } from './output.ts';
export { commonProblem, openSandbox } from './sandbox.ts';
export { copyTree, runtimeDigest } from './staging.ts';
export { readStatus } from './status.ts';
export * from './types.ts';
