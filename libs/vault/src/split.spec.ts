import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPLITS } from '#libs/harness';
import { newSplitKey, splitCommitment } from './index.ts';
import { splitter } from './split.ts';
import { testKey } from './testing/fixtures.ts';

const shares = { train: 50, dev: 20, check: 15, sealed: 15 };

describe('splitter', () => {
  it('is the keyed hash that it says, as exact integers', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.string({ unit: 'grapheme' }),
        (key, rowId) => {
          const mac = createHmac('sha256', key).update(rowId, 'utf8').digest();
          const hundredths = mac.readBigUInt64BE(0) * 100n;
          const end = (percent: bigint) => percent << 64n;
          const expected =
            hundredths < end(50n)
              ? 'train'
              : hundredths < end(70n)
                ? 'dev'
                : hundredths < end(85n)
                  ? 'check'
                  : 'sealed';
          expect(splitter(key, shares)(rowId)).toBe(expected);
        },
      ),
    );
  });

  it('gives each split its share', () => {
    const splitOf = splitter(testKey(1), shares);
    const counts = { train: 0, dev: 0, check: 0, sealed: 0 };
    for (let i = 0; i < 20_000; i += 1) counts[splitOf(String(i))] += 1;
    for (const split of SPLITS) {
      const expected = 200 * shares[split];
      // Four standard deviations.
      const allowed = 4 * Math.sqrt(expected * (1 - shares[split] / 100));
      expect(Math.abs(counts[split] - expected)).toBeLessThan(allowed);
    }
  });

  it('gives nothing to a split without a share', () => {
    const splitOf = splitter(testKey(1), { train: 60, dev: 40, check: 0, sealed: 0 });
    const found = new Set(Array.from({ length: 1000 }, (_, i) => splitOf(String(i))));
    expect(found).toEqual(new Set(['train', 'dev']));
  });

  it('depends on the key', () => {
    const rows = Array.from({ length: 200 }, (_, i) => String(i));
    const by = (key: Uint8Array) => rows.map(splitter(key, shares));
    expect(by(testKey(1))).toEqual(by(testKey(1)));
    expect(by(testKey(1))).not.toEqual(by(testKey(2)));
  });

  it('takes no key of another length', () => {
    expect(() => splitter(new Uint8Array(31), shares)).toThrow(RangeError);
    expect(() => splitCommitment(new Uint8Array(0))).toThrow(RangeError);
  });
});

describe('splitCommitment', () => {
  it('is the digest of the key behind its own domain', () => {
    const key = testKey(3);
    expect(splitCommitment(key)).toBe(
      createHash('sha256')
        .update(Buffer.concat([Buffer.from('holdfast/split-key/v1\0'), key]))
        .digest('hex'),
    );
    expect(splitCommitment(key)).not.toBe(createHash('sha256').update(key).digest('hex'));
    expect(splitCommitment(key)).not.toBe(splitCommitment(testKey(4)));
  });

  it('commits to keys that are new each time', () => {
    expect(newSplitKey()).toHaveLength(32);
    expect(newSplitKey()).not.toEqual(newSplitKey());
  });
});
