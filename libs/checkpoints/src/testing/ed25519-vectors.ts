import { readFileSync } from 'node:fs';

/** A signature at the edge of what verifiers of Ed25519 take, in hex, and whether a verdict takes it. */
export interface EdgeCase {
  readonly what: string;
  readonly message: string;
  readonly publicKey: string;
  readonly signature: string;
  readonly holds: boolean;
}

export const { vectors: EDGE_CASES } = JSON.parse(
  readFileSync(new URL('../testdata/ed25519-vectors.json', import.meta.url), 'utf8'),
) as { readonly vectors: readonly EdgeCase[] };
