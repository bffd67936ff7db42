import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verify as verifyAttestation } from './attest.ts';
import { preAuthEncoding, signEnvelope } from './dsse.ts';
import { generateKey } from './key-file.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('preAuthEncoding', () => {
  // secure-systems-lab/dsse, protocol.md, test vectors.
  it('is that of the protocol', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', bytes('hello world'));
    expect(new TextDecoder().decode(encoded)).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  it('counts bytes, not characters, and takes any bytes', () => {
    expect(new TextDecoder().decode(preAuthEncoding('é', bytes('ü')))).toBe('DSSEv1 2 é 2 ü');
    expect([...preAuthEncoding('', new Uint8Array([0, 255]))].slice(-2)).toEqual([0, 255]);
  });
});

describe('signEnvelope', () => {
  const key = generateKey();
  const signature = signEnvelope(key, 'application/json', bytes('{}'));
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from(key.publicKey, 'base64'),
  ]);
  const holds = (signed: string): boolean =>
    verify(
      null,
      Buffer.from(signed),
      createPublicKey({ key: spki, format: 'der', type: 'spki' }),
      Buffer.from(signature.value, 'base64'),
    );

  it('is Ed25519 over the encoding', () => {
    expect(signature.keyId).toBe(key.keyId);
    expect(holds('DSSEv1 16 application/json 2 {}')).toBe(true);
    expect(holds('DSSEv1 15 application/xml 2 {}')).toBe(false);
  });

  it('never passes for an attestation', () => {
    expect(verifyAttestation(key.publicKey, 'verdict', {}, signature)).toBe(false);
  });
});
