/** Of the curve that Ed25519 stands on (RFC 8032, section 5.1). */
const PRIME = 2n ** 255n - 19n;
const OF_ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
/** The y of each point whose order divides 8: with such a key anybody can sign. */
const SMALL_ORDER: ReadonlySet<bigint> = new Set([
  ...[0n, 1n, PRIME - 1n],
  ...[OF_ORDER_8, PRIME - OF_ORDER_8],
]);

const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Whether y is written in the one way, and is of no point of small order; not whether such a point exists. */
const isSound = (point: Uint8Array): boolean => {
  let y = BigInt(point[POINT_BYTES - 1]! & 0x7f);
  for (let at = POINT_BYTES - 2; at >= 0; at -= 1) y = (y << 8n) | BigInt(point[at]!);
  return y < PRIME && !SMALL_ORDER.has(y);
};

/**
 * What has to hold of a public key and a signature of Ed25519 beside the equation without the cofactor
 * (RFC 8032, section 5.1.7: `[S]B = R + [k]A`). Verifiers differ in it (Chalkias, Garillot and Nikolaenko 2020, "Taming the
 * many EdDSAs"): whoever verifies for a verdict asks this first, so that all give the same one.
 */
export const isStrictEd25519 = (publicKey: Uint8Array, signature: Uint8Array): boolean =>
  publicKey.length === POINT_BYTES &&
  signature.length === SIGNATURE_BYTES &&
  isSound(publicKey) &&
  isSound(signature.subarray(0, POINT_BYTES));
