import type { VerifyEd25519 } from '#libs/checkpoints';
import type { Sha256 } from '#libs/merkle';
import type { VerificationPorts } from '#libs/provenance';

/** What the verifier needs of the world: pure functions. */
export interface BundlePorts extends Pick<
  VerificationPorts,
  'sha256' | 'sha1' | 'verifySignature'
> {
  /** SHA-256 as raw bytes. */
  readonly sha256Bytes: Sha256;
  readonly verifyEd25519: VerifyEd25519;
}
