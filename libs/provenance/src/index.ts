/** How a finding was reached, checked from its events and git objects alone: every condition is a row. */
export * from './attestations.ts';
export * from './compare-predictions.ts';
export { collectFaults, type Faults } from './faults.ts';
export * from './ports.ts';
export {
  conclude,
  observe,
  observeRun,
  settle,
  startRunVerification,
  startVerification,
} from './verification.ts';
export type { RunVerification, Verification, VerificationPorts } from './verification.ts';
export * from './verify-finding.ts';
