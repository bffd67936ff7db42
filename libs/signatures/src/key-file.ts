import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, refused } from '#libs/kernel';
import type { Refusal, Result } from '#libs/kernel';
import { keyIdOf } from './attest.ts';
import type { SigningKey } from './attest.ts';

export type KeyRefusalCode =
  /** Others can read or replace the key. */
  | 'key-exposed'
  /** The file is there but holds no Ed25519 private key. */
  | 'key-unreadable'
  /** The name would not be a plain file name. */
  | 'key-name-invalid';

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');
const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** SigningKey of a PKCS8 PEM; throws on anything but an Ed25519 private key. */
const signingKeyOf = (pem: string): SigningKey => {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key');
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const raw = spki.subarray(spki.length - 32);
  return { keyId: keyIdOf(raw), publicKey: raw.toString('base64'), privateKey };
};

const newPem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

/** The key that a PKCS8 PEM holds, for keys that are not in files of ours. The text is never shown. */
export const readKey = (pem: string): Result<SigningKey, Refusal<KeyRefusalCode>> => {
  try {
    return ok(signingKeyOf(pem));
  } catch {
    return refused({
      code: 'key-unreadable',
      message:
        'found no Ed25519 private key, expected PKCS8 PEM: make one with "openssl genpkey -algorithm ed25519"',
    });
  }
};

/** A key that lives in memory alone: for tests and for keys that nobody needs tomorrow. */
export const generateKey = (): SigningKey => signingKeyOf(newPem());

const sync = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
};

/** Written whole under another name, then linked: of two processes at once one's key becomes the key of both. */
const makeKeyFile = async (
  folder: string,
  path: string,
  content: string | Uint8Array,
): Promise<void> => {
  const draft = join(folder, `.${randomUUID()}.draft`);
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  await sync(folder);
};

interface KeyFile {
  readonly content: Buffer;
  readonly mode: number;
  readonly uid: number;
}

/** Null where there is none. Read and inspected through one descriptor, links not followed. */
const readKeyFile = async (path: string): Promise<KeyFile | null> => {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { mode, uid } = await handle.stat();
      return { content: await handle.readFile(), mode, uid };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
};

const exposedFolder = async (folder: string): Promise<Refusal<KeyRefusalCode> | null> => {
  const { mode } = await stat(folder);
  if ((mode & 0o022) === 0) return null;
  return {
    code: 'key-exposed',
    message: `found the key folder ${folder} with mode ${octal(mode)}, expected that others can't write to it: run chmod 700 ${folder}, and make new keys (delete the old files) if others may have replaced them`,
  };
};

const exposedFile = (path: string, file: KeyFile): Refusal<KeyRefusalCode> | null => {
  const self = process.getuid?.() ?? file.uid;
  if (file.uid !== self) {
    return {
      code: 'key-exposed',
      message: `found the key file ${path} owned by user ${String(file.uid)}, expected user ${String(self)}: run as its owner, or use a key folder of your own`,
    };
  }
  if ((file.mode & 0o077) === 0) return null;
  return {
    code: 'key-exposed',
    message: `found the key file ${path} with mode ${octal(file.mode)}, expected 0600: others may have read it, so delete it and a new key is made at the next use (or, if you are sure that nobody read it, run chmod 600 ${path})`,
  };
};

/**
 * The content of a file that only its owner may read, mode 0600 in a folder of mode 0700; made by `make` where it
 * isn't there (null: not made, and null is what is given). Two processes that open it at once get the same content.
 * A file that others can read or replace is refused. Throws where the folder can't be read or written, or where
 * the file is a symbolic link.
 */
export const openSecretFile = async (
  folder: string,
  name: string,
  make: (() => string | Uint8Array) | null,
): Promise<Result<Uint8Array | null, Refusal<KeyRefusalCode>>> => {
  const path = join(folder, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const openFolder = await exposedFolder(folder);
  if (openFolder !== null) return refused(openFolder);

  let file = await readKeyFile(path);
  if (file === null && make === null) return ok(null);
  if (file === null && make !== null) {
    await makeKeyFile(folder, path, make());
    file = await readKeyFile(path);
  }
  if (file === null) throw new Error(`the key file ${path} vanished while it was opened`);
  const exposed = exposedFile(path, file);
  return exposed === null ? ok(file.content) : refused(exposed);
};

/**
 * The key of this name in this folder, made at first use: PKCS8 PEM in `<name>.pem`, kept as
 * {@link openSecretFile} says.
 *
 * @example
 * const runner = await openKey(join(home, 'keys'), 'runner');
 * if (!runner.ok) return report(runner.error.message);
 */
export const openKey = async (
  folder: string,
  name: string,
): Promise<Result<SigningKey, Refusal<KeyRefusalCode>>> => {
  if (!NAME.test(name)) {
    return refused({
      code: 'key-name-invalid',
      message: `found the key name ${JSON.stringify(name)}, expected lower-case letters, digits and hyphens: choose another name`,
    });
  }
  const file = await openSecretFile(folder, `${name}.pem`, newPem);
  if (!file.ok) return file;
  const key = readKey(new TextDecoder().decode(file.value ?? new Uint8Array()));
  if (!key.ok) {
    return refused({
      code: 'key-unreadable',
      message: `found no Ed25519 private key in ${join(folder, `${name}.pem`)}, expected PKCS8 PEM: put the right file back, or delete it and a new key is made at the next use`,
    });
  }
  return key;
};
