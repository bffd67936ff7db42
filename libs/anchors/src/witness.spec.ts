import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  formatCheckpoint,
  formatNote,
  SIGNATURE_TYPES,
  signText,
  verifierKey,
  type NoteSigner,
  type SignatureType,
  type VerifyEd25519,
} from '#libs/checkpoints';
import {
  appendLeaf,
  consistencyProof,
  EMPTY_FRONTIER,
  leafHash,
  rootOf,
  type Sha256,
} from '#libs/merkle';
import { startWitness, type WitnessDouble } from '../../../test/doubles/witness/witness.ts';
import { askWitness, type ProveFrom } from './index.ts';

const sha256: Sha256 = (bytes) => Uint8Array.from(hash('sha256', bytes, 'buffer'));
const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) =>
  verify(
    null,
    message,
    createPublicKey({
      key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]),
      format: 'der',
      type: 'spki',
    }),
    signature,
  );
const signerOf = (name: string, type: SignatureType): NoteSigner => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    key: verifierKey(sha256, name, type, raw),
    sign: (message) => sign(null, message, privateKey),
  };
};

const ORIGIN = 'ledger.example/holdfast';
const NOW = 1_800_000_000;
const log = signerOf(ORIGIN, SIGNATURE_TYPES.ed25519);
const witnessSigner = signerOf('witness.example/w1', SIGNATURE_TYPES.cosignature);

const treeOf = (name: string, leaves: number) => {
  const nodes = new Map<string, Uint8Array>();
  const roots: Uint8Array[] = [];
  let frontier = EMPTY_FRONTIER;
  for (let at = 0; at < leaves; at += 1) {
    frontier = appendLeaf(
      sha256,
      frontier,
      leafHash(sha256, Buffer.from(`${name} ${at}`)),
      (level, index, node) => nodes.set(`${level}/${index}`, node),
    );
    roots.push(rootOf(sha256, frontier));
  }
  const note = (size: number, signer = log): string => {
    const text = formatCheckpoint({
      origin: signer.key.name,
      size,
      root: roots[size - 1]!,
      extensions: [],
    });
    return formatNote({ text, signatures: [signText(signer, text)] });
  };
  const proveTo =
    (size: number): ProveFrom =>
    (from) =>
      Promise.resolve(
        from === 0
          ? []
          : consistencyProof(sha256, (level, index) => nodes.get(`${level}/${index}`)!, from, size),
      );
  return { note, proveTo };
};
const honest = treeOf('honest', 40);
const forked = treeOf('forked', 40);

let double: WitnessDouble;
beforeEach(async () => {
  const port = { sha256, verify: verifyEd25519, now: () => NOW };
  double = await startWitness({ signer: witnessSigner, logs: [log.key], ...port });
});
afterEach(() => double.close());

const ask = (note: string, lastSeen: number, prove: ProveFrom, keys = [witnessSigner.key]) =>
  askWitness({ url: double.url, keys }, note, lastSeen, prove, verifyEd25519);

describe('a witness', () => {
  it('cosigns the first checkpoint, and what extends it', async () => {
    expect(await ask(honest.note(10), 0, honest.proveTo(10))).toMatchObject({
      ok: true,
      value: [{ verified: { seconds: NOW } }],
    });
    expect(await ask(honest.note(30), 10, honest.proveTo(30))).toMatchObject({ ok: true });
    expect(await ask(honest.note(30), 30, honest.proveTo(30))).toMatchObject({ ok: true });
    expect(double.seen.get(ORIGIN)?.size).toBe(30);
  });

  it('says which size it saw, where the notary does not know', async () => {
    await ask(honest.note(10), 0, honest.proveTo(10));
    expect(await ask(honest.note(30), 0, honest.proveTo(30))).toMatchObject({ ok: true });
    expect(await ask(honest.note(40), 20, honest.proveTo(40))).toMatchObject({ ok: true });
  });

  it('tells a log that was forked or rolled back', async () => {
    await ask(honest.note(30), 0, honest.proveTo(30));
    for (const [note, prove] of [
      [forked.note(40), forked.proveTo(40)],
      [forked.note(30), forked.proveTo(30)],
      [honest.note(20), honest.proveTo(20)],
    ] as const)
      expect(await ask(note, 30, prove)).toMatchObject({
        ok: false,
        error: { code: 'inconsistent' },
      });
    expect(double.seen.get(ORIGIN)?.size).toBe(30);
  });

  it('knows the logs that it was told of, with their keys', async () => {
    const stranger = signerOf('other.example', SIGNATURE_TYPES.ed25519);
    const impostor = signerOf(ORIGIN, SIGNATURE_TYPES.ed25519);
    for (const signer of [stranger, impostor])
      expect(await ask(honest.note(10, signer), 0, honest.proveTo(10))).toMatchObject({
        error: { code: 'unknown-log' },
      });
  });

  it('counts only with a key that is trusted', async () => {
    const other = signerOf('witness.example/w1', SIGNATURE_TYPES.cosignature).key;
    expect(await ask(honest.note(10), 0, honest.proveTo(10), [other])).toMatchObject({
      error: { code: 'no-cosignature' },
    });
  });

  it('may be away, or talk without end', async () => {
    await double.close();
    expect(await ask(honest.note(10), 0, honest.proveTo(10))).toMatchObject({
      error: { code: 'unreachable' },
    });
    const endless = createServer((_, response) => {
      const talk = (): void => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', talk);
      };
      response.writeHead(200);
      response.on('error', () => undefined);
      talk();
    });
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
    expect(
      await askWitness({ url, keys: [] }, honest.note(10), 0, honest.proveTo(10), verifyEd25519),
    ).toMatchObject({ error: { code: 'unreachable' } });
    endless.closeAllConnections();
    endless.close();
  });
});
