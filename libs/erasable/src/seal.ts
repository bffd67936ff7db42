import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SealedText } from '#libs/kernel';
import type { TextPlace } from './port.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a ciphertext is bound to beside its key: moved to another event, it does not open. */
const bound = (keyId: string, { stream, type }: TextPlace): Buffer =>
  Buffer.from(JSON.stringify(['holdfast/private-text/v1', keyId, stream, type]));

/** A new key, under a random name. */
export const newTextKey = (): { readonly keyId: string; readonly key: Buffer } => ({
  keyId: `text-${randomBytes(16).toString('hex')}`,
  key: randomBytes(KEY_BYTES),
});

/** AES-256-GCM (NIST SP 800-38D). The key is used once, so any nonce would do; a random one costs nothing. */
export const sealWith = (
  { keyId, key }: { readonly keyId: string; readonly key: Uint8Array },
  text: string,
  place: TextPlace,
): SealedText => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound(keyId, place));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return {
    kind: 'sealed',
    keyId,
    nonce: nonce.toString('base64'),
    ciphertext: sealed.toString('base64'),
  };
};

/** The text; null where it is not what was sealed with this key for this place. */
export const openWith = (
  key: Uint8Array,
  { keyId, nonce, ciphertext }: SealedText,
  place: TextPlace,
): string | null => {
  const bytes = Buffer.from(ciphertext, 'base64');
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(bound(keyId, place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([
      decipher.update(bytes.subarray(0, -TAG_BYTES)),
      decipher.final(),
    ]).toString('utf8');
  } catch {
    return null;
  }
};
