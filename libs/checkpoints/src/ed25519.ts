/** Of the curve that Ed25519 stands on (RFC 8032, section 5.1). */
const PRIME = 2n ** 255n - 19n;
const OF_ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
/** The y of each point whose order divides 8: with such a key anybody can sign. */
const SMALL_ORDER: ReadonlySet<bigint> = new Set([
  ...[0n, 1n, PRIME - 1n],
  ...[OF_ORDER_8, PRIME - OF_ORDER_8],
]);

const POINT_BYTES = 32;

/**
 * Whether these bytes, a public key of Ed25519 or the first half of a signature, spell y in the one way, and no point of
 * small order. Beside the equation (without the cofactor, RFC 8032, section 5.1.7: `[S]B = R + [k]A`) verifiers differ in
 * what they take (Chalkias, Garillot and Nikolaenko 2020, "Taming the many EdDSAs"): whoever verifies for a verdict asks
 * this first, so that all give the same one. That there is such a point is left to the equation.
 */
export const isSoundPoint = (bytes: Uint8Array): boolean => {
  if (bytes.length !== POINT_BYTES) return false;
  // The highest bit is the sign of x.
  let y = BigInt(bytes[POINT_BYTES - 1]! & 0x7f);
  for (let at = POINT_BYTES - 2; at >= 0; at -= 1) y = (y << 8n) | BigInt(bytes[at]!);
  return y < PRIME && !SMALL_ORDER.has(y);
};
