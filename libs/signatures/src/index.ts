export * from './attest.ts';
export * from './dsse.ts';
export * from './key-file.ts';
export {
  replayAttestation,
  runHeadAttestation,
  trainingAttestation,
  verdictAttestation,
} from '#libs/provenance';
export type { AttestationContext } from '#libs/provenance';
