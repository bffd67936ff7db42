import type { SealedText } from '../private-text.ts';

/** A text in sealed form, whose key nobody has. */
export const SEALED: SealedText = {
  kind: 'sealed',
  keyId: `text-${'5ea1'.repeat(8)}`,
  nonce: 'AAECAwQFBgcICQoL',
  ciphertext: Buffer.from('a ciphertext and its tag of 16 bytes').toString('base64'),
};
