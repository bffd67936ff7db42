import { createContext, Script, type Context } from 'node:vm';
import { build } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesSource, verifyBundle, type AuditorTrust, type BundleVerdict } from '#libs/bundle';
import { formatVerifierKey } from '#libs/checkpoints';
import { generateKey, signRaw } from '#libs/signatures';
import {
  bundleOf,
  goldenLog,
  logSigner,
  nodePorts,
  usualFacts,
  witnessSigner,
} from '../../bundle/src/testing/fixture.ts';
import { EDGE_CASES } from '../../checkpoints/src/testing/ed25519-vectors.ts';
import { WEB_PORTS } from './index.ts';

/** All that a page has and this uses: nothing of Node. */
const WEB = { TextDecoder, TextEncoder, atob, btoa, Blob };

const log = logSigner();
const witness = witnessSigner();
const trust: AuditorTrust = {
  logKey: formatVerifierKey(log.key),
  witnesses: [formatVerifierKey(witness.key)],
};

let page: Context;
let bytes: Uint8Array;
let code: string;

beforeAll(async () => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['source'] },
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      lib: {
        entry: new URL('index.ts', import.meta.url).pathname,
        name: 'holdfast',
        formats: ['iife'],
      },
    },
  });
  const [{ output }] = built as unknown as [{ output: [{ code: string }] }];
  ({ code } = output[0]);
  page = createContext({ ...WEB });
  new Script(`${code}\n;globalThis.verifyInBrowser = holdfast.verifyInBrowser;`).runInContext(page);
  const golden = goldenLog('v2-pay');
  ({ bytes } = await bundleOf(
    golden,
    { kind: 'finding', id: 'pay-1-f1' },
    usualFacts(golden.events, log, witness),
  ));
}, 120_000);

const inPage = async (given: Uint8Array): Promise<unknown> => {
  Object.assign(page, { file: new Blob([Uint8Array.from(given)]), trust });
  const text = (await new Script(
    'verifyInBrowser(file, trust).then((verified) => JSON.stringify(verified))',
  ).runInContext(page)) as string;
  return JSON.parse(text);
};

const inNode = (given: Uint8Array) => verifyBundle(bytesSource(given), trust, nodePorts);

describe('a page', () => {
  it('needs nothing of Node', () => {
    // What a page does not have Vite would have put such a stand-in for.
    expect(code.includes('__vite-browser-external')).toBe(false);
    expect(/from ["']node:/.test(code)).toBe(false);
    expect(code.length).toBeLessThan(8_000_000);
  });

  it('gives the verdict that Node gives, word for word', async () => {
    const verified = await inPage(bytes);
    expect(verified).toEqual(await inNode(bytes));
    expect(verified).toMatchObject({ ok: true, value: { verdict: 'PASS' } });
  });

  it('blocks what was tampered with for the same reasons', async () => {
    let blocked = 0;
    for (let at = 500; at < bytes.length; at += Math.ceil(bytes.length / 12)) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 0x01;
      const verified = (await inPage(changed)) as { ok: boolean; value: BundleVerdict };
      expect(verified).toEqual(await inNode(changed));
      if (verified.ok) expect(verified.value.verdict).toBe('BLOCK');
      blocked += 1;
    }
    expect(blocked).toBeGreaterThan(10);
  });

  it('does not believe a signature that another key made', async () => {
    const text = new TextDecoder().decode(bytes);
    const [, signature = ''] = /"signature":\{"keyId":"[0-9a-f]{16}","value":"([^"]+)"/.exec(text)!;
    const other = Buffer.from(signature, 'base64');
    other[3]! ^= 0x10;
    const changed = new TextEncoder().encode(text.replace(signature, other.toString('base64')));
    expect(await inPage(changed)).toMatchObject({ value: { verdict: 'BLOCK' } });
  });
});

describe('its signatures', () => {
  const { verifyEd25519 } = WEB_PORTS;

  it.each(EDGE_CASES)(
    'are judged as Node judges: $what',
    ({ message, publicKey, signature, ...of }) => {
      const [key, signed, made] = [publicKey, message, signature].map((hex) =>
        Uint8Array.from(Buffer.from(hex, 'hex')),
      );
      expect({ ...of, holds: verifyEd25519(key!, signed!, made!) }).toEqual(of);
    },
  );

  it.each([null, {}, { keyId: 1, value: null }, { keyId: '', value: 'AAAA' }])(
    'do not hold where they are none: %j',
    (none) => {
      const { publicKey } = generateKey();
      expect(WEB_PORTS.verifySignature(publicKey, 'training', {}, none as never)).toBe(false);
    },
  );

  it('hold where Node made them, and with no bit changed', () => {
    for (let n = 0; n < 20; n += 1) {
      const key = generateKey();
      const raw = Uint8Array.from(Buffer.from(key.publicKey, 'base64'));
      const message = new TextEncoder().encode(`message ${n}`);
      const signature = signRaw(key, message);
      expect(verifyEd25519(raw, message, signature)).toBe(true);
      expect(
        verifyEd25519(
          raw,
          message,
          signature.map((byte, at) => (at === 3 * n ? byte ^ 1 : byte)),
        ),
      ).toBe(false);
    }
  });
});
