import { describe, expect, it } from 'vitest';
import { sha256 } from '../../merkle/src/testing/grown-tree.ts';
import {
  cosign,
  formatCheckpoint,
  formatNote,
  formatTlogProof,
  formatVerifierKey,
  parseCheckpoint,
  parseNote,
  parseTlogProof,
  parseVerifierKey,
  SIGNATURE_TYPES,
  signText,
  verifyNote,
} from './index.ts';
import { signerOf, verifyEd25519 } from './testing/signers.ts';

const valueOf = <T>(
  result: { ok: true; value: T } | { ok: false; error: { message: string } },
): T => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

// The examples of the specification itself (C2SP signed-note, tlog-checkpoint).
const FOO = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const FOO_NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
const SOFA = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
`;

describe('a signed note', () => {
  it('of the specification verifies with its key, and is written as it was', () => {
    const note = valueOf(parseNote(FOO_NOTE));
    expect(note.text).toBe('This is an example message.\n');
    const key = valueOf(parseVerifierKey(sha256, FOO));
    expect(formatVerifierKey(key)).toBe(FOO);
    expect(valueOf(verifyNote(note, [key], verifyEd25519))).toEqual([{ key, seconds: null }]);
    expect(formatNote(note)).toBe(FOO_NOTE);
  });

  it('is refused with another text, and without a known key', () => {
    const key = valueOf(parseVerifierKey(sha256, FOO));
    const note = valueOf(parseNote(FOO_NOTE.replace('example message', 'exemple message')));
    expect(verifyNote(note, [key], verifyEd25519)).toMatchObject({
      ok: false,
      error: { code: 'bad-signature' },
    });
    const other = signerOf('example.com/foo', SIGNATURE_TYPES.ed25519).key;
    expect(verifyNote(valueOf(parseNote(FOO_NOTE)), [other], verifyEd25519)).toMatchObject({
      ok: false,
      error: { code: 'no-known-signature' },
    });
  });

  it('keeps empty lines of its text, and takes several signers', () => {
    const text = 'Ognuno sta solo\n\ned è subito sera.\n';
    const [a, b] = [signerOf('a.example', 1), signerOf('b.example', 1)];
    const note = valueOf(
      parseNote(formatNote({ text, signatures: [signText(a, text), signText(b, text)] })),
    );
    expect(note.text).toBe(text);
    expect(valueOf(verifyNote(note, [b.key], verifyEd25519))).toHaveLength(1);
    expect(valueOf(verifyNote(note, [a.key, b.key], verifyEd25519))).toHaveLength(2);
  });

  it.each([
    ['without signatures', 'text\n'],
    ['without a newline at the end', FOO_NOTE.slice(0, -1)],
    ['with a carriage return', FOO_NOTE.replace('\n\n', '\r\n\n')],
    ['with a hyphen for the dash', FOO_NOTE.replace('—', '-')],
    ['with base64 that is written otherwise', FOO_NOTE.replace('QM=', 'QN=')],
    ['with a plus in the name', FOO_NOTE.replace('.com/foo', '.com/+foo')],
    ['with a signature of an id alone', 'text\n\n— a.example AAAAAA==\n'],
    ['with an empty signature line', `${FOO_NOTE}\n`],
    ['with a lone surrogate', FOO_NOTE.replace('message', '\ud800')],
    ['with too many signatures', `x\n\n${'— a.example AAAAAAA=\n'.repeat(101)}`],
  ])('is malformed %s', (_, note) => {
    expect(parseNote(note)).toMatchObject({ ok: false, error: { code: 'malformed' } });
  });

  it('is malformed where its bytes are no UTF-8', () => {
    expect(parseNote(Uint8Array.of(0xff, 0x0a))).toMatchObject({ error: { code: 'malformed' } });
  });

  it.each([
    ['another id', FOO.replace('530d903a', '530d903b')],
    ['another kind', 'example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'],
    ['a short key', 'example.com/foo+530d903a+AekyeQ=='],
    ['no name', '+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'],
  ])('has no key of %s', (_, key) => {
    expect(parseVerifierKey(sha256, key)).toMatchObject({ ok: false });
  });
});

describe('a cosignature', () => {
  const witness = signerOf('witness.example/w1', SIGNATURE_TYPES.cosignature);

  it('says when it was given', () => {
    const note = { text: SOFA, signatures: [cosign(witness, SOFA, 1_679_315_147)] };
    const read = valueOf(parseNote(formatNote(note)));
    expect(valueOf(verifyNote(read, [witness.key], verifyEd25519))).toEqual([
      { key: witness.key, seconds: 1_679_315_147 },
    ]);
  });

  it('does not hold for another time', () => {
    const signed = cosign(witness, SOFA, 1_679_315_147);
    const signature = Uint8Array.from(signed.signature);
    signature[7]! ^= 1;
    expect(
      verifyNote(
        { text: SOFA, signatures: [{ ...signed, signature }] },
        [witness.key],
        verifyEd25519,
      ),
    ).toMatchObject({ error: { code: 'bad-signature' } });
  });

  it('is made by a key of its kind only', () => {
    expect(() => signText(witness, SOFA)).toThrow(RangeError);
    expect(() => cosign(signerOf('log.example', 1), SOFA, 1)).toThrow(RangeError);
  });
});

describe('a checkpoint', () => {
  it('of the specification is read and written', () => {
    const checkpoint = valueOf(parseCheckpoint(SOFA));
    expect(checkpoint).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
      extensions: [],
    });
    expect(formatCheckpoint(checkpoint)).toBe(SOFA);
  });

  it.each([
    ['a leading zero', SOFA.replace('2085', '02085')],
    ['a sign', SOFA.replace('2085', '+2085')],
    ['a size that no double holds', SOFA.replace('20852163', '9007199254740993')],
    ['a short root', SOFA.replace('CsUY', '')],
    ['an empty origin', SOFA.replace('example.com/behind-the-sofa', '')],
    ['an empty line', `${SOFA}\n`],
    ['no newline', SOFA.slice(0, -1)],
  ])('is malformed with %s', (_, text) => {
    expect(parseCheckpoint(text)).toMatchObject({ ok: false, error: { code: 'malformed' } });
  });
});

describe('a tlog proof', () => {
  const proof = {
    index: 73_894,
    proof: [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))],
    checkpoint: `${SOFA}\n— example.com/behind-the-sofa AAAAAAAA\n`,
  };

  it('is read as it was written, with and without extra data', () => {
    const text = formatTlogProof(proof);
    expect(valueOf(parseTlogProof(text))).toEqual(proof);
    expect(valueOf(parseTlogProof(text.replace('index', 'extra AAAA\nindex')))).toEqual(proof);
  });

  it.each([
    ['another header', formatTlogProof(proof).replace('v1', 'v2')],
    ['no index', formatTlogProof(proof).replace('index 73894\n', '')],
    ['no checkpoint', formatTlogProof(proof).split('\n\n')[0] ?? ''],
    ['a short hash', formatTlogProof({ ...proof, proof: [Uint8Array.of(1)] })],
    [
      'a path that is too long',
      formatTlogProof({ ...proof, proof: Array.from({ length: 54 }, () => proof.proof[0]!) }),
    ],
  ])('is malformed with %s', (_, text) => {
    expect(parseTlogProof(text)).toMatchObject({ ok: false, error: { code: 'malformed' } });
  });
});
