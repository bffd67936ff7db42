import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startTimestampAuthority,
  type TimestampAuthorityDouble,
} from '../../../test/doubles/timestamp-authority/timestamp-authority.ts';
import { askTimestamp, verifyTimestamp } from './index.ts';

const message = Buffer.from('ledger.example/holdfast\n10\nroot\n');

let authority: TimestampAuthorityDouble;
let other: TimestampAuthorityDouble;
let token: Uint8Array;

beforeAll(async () => {
  authority = await startTimestampAuthority();
  other = await startTimestampAuthority('critical,serverAuth,timeStamping');
  const asked = await askTimestamp({ url: authority.url, trusted: [authority.root] }, message);
  if (!asked.ok) throw new Error(asked.error.message);
  token = asked.value.token;
});
afterAll(async () => {
  await authority.close();
  await other.close();
});

describe('a timestamp', () => {
  it('says when the authority saw the message', async () => {
    const verified = await verifyTimestamp(token, message, [authority.root]);
    expect(verified).toMatchObject({ ok: true, value: { policy: '1.2.3.4.1' } });
    const time = verified.ok ? Date.parse(verified.value.time) : NaN;
    expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
  });

  it('is refused over another message, and from somebody else', async () => {
    const refused = { ok: false, error: { code: 'bad-timestamp' } };
    expect(await verifyTimestamp(token, Buffer.from('another'), [authority.root])).toMatchObject(
      refused,
    );
    expect(await verifyTimestamp(token, message, [other.root])).toMatchObject(refused);
    expect(await verifyTimestamp(token, message, [])).toMatchObject(refused);
  });

  it('is refused with any byte of its signed part changed', async () => {
    const step = Math.max(1, Math.floor(token.length / 60));
    for (let at = 0; at < token.length; at += step) {
      const altered = Uint8Array.from(token);
      altered[at]! ^= 0x01;
      const verified = await verifyTimestamp(altered, message, [authority.root]);
      // Bytes that say nothing (an unused certificate's) may change; what is said may not.
      if (verified.ok)
        expect(verified).toEqual(await verifyTimestamp(token, message, [authority.root]));
    }
  });

  it('is refused from a key that is for other things as well', async () => {
    expect(await askTimestamp({ url: other.url, trusted: [other.root] }, message)).toMatchObject({
      ok: false,
    });
  });

  it('is refused of what is none', async () => {
    for (const bytes of [new Uint8Array(), Buffer.from('no token'), token.slice(0, 40)])
      expect(await verifyTimestamp(bytes, message, [authority.root])).toMatchObject({
        error: { code: 'bad-timestamp' },
      });
  });
});

it('may not be had', async () => {
  expect(
    await askTimestamp({ url: 'http://127.0.0.1:9', trusted: [authority.root] }, message),
  ).toMatchObject({ error: { code: 'unreachable' } });
});
