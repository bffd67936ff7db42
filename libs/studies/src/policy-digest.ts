import canonicalize from 'canonicalize';
import type { HarnessPolicy } from '#libs/harness';

/**
 * SHA-256 of the policy's RFC 8785 form: what a run pins.
 *
 * @param sha256 gives lower-case hex digits of the digest of this text's UTF-8 bytes
 */
export const policyDigest = (policy: HarnessPolicy, sha256: (text: string) => string): string => {
  const canonical = canonicalize(policy);
  if (canonical === undefined) throw new Error('a policy that is no JSON value');
  return sha256(canonical);
};
