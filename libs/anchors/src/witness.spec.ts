import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatCheckpoint, formatNote, SIGNATURE_TYPES, signText } from '#libs/checkpoints';
import { consistencyProof, leafHash } from '#libs/merkle';
import { startWitness, type WitnessDouble } from '../../../test/doubles/witness/witness.ts';
import { signerOf, verifyEd25519 } from '../../checkpoints/src/testing/signers.ts';
import { grownTree, sha256 } from '../../merkle/src/testing/grown-tree.ts';
import { askWitness, type ProveFrom } from './index.ts';

const ORIGIN = 'ledger.example/holdfast';
const NOW = 1_800_000_000;
const log = signerOf(ORIGIN, SIGNATURE_TYPES.ed25519);
const witnessSigner = signerOf('witness.example/w1', SIGNATURE_TYPES.cosignature);

const treeOf = (name: string, leaves: number) => {
  const { read, roots } = grownTree(
    Array.from({ length: leaves }, (_, at) => leafHash(sha256, Buffer.from(`${name} ${at}`))),
  );
  const note = (size: number, signer = log): string => {
    const text = formatCheckpoint({
      origin: signer.key.name,
      size,
      root: roots[size]!,
      extensions: [],
    });
    return formatNote({ text, signatures: [signText(signer, text)] });
  };
  const proveTo =
    (size: number): ProveFrom =>
    (from) =>
      Promise.resolve(from === 0 ? [] : consistencyProof(sha256, read, from, size));
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
