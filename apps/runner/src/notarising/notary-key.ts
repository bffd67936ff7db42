import { ok, type Refusal, type Result } from '#libs/kernel';
import type { NotarySigner } from '#libs/notary';
import { openKey, readKey, signRaw, type SigningKey } from '#libs/signatures';

/** Signs with a key of this process. */
export const signerOf = (key: SigningKey): NotarySigner => ({
  publicKey: Buffer.from(key.publicKey, 'base64'),
  sign: async (message) => signRaw(key, message),
});

/** The notary's key: the one that is given as PEM, else the file `notary.pem` in this folder, made at first use. */
export const notarySigner = async (
  keyFolder: string,
  pem: string | null,
): Promise<Result<NotarySigner, Refusal>> => {
  const key = pem === null ? await openKey(keyFolder, 'notary') : readKey(pem);
  return key.ok ? ok(signerOf(key.value)) : key;
};
