import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HashedBody } from '#libs/kernel';
import { noted } from './event-log.contract.ts';
import { canonicalJson, chain, parseBody, unchained, verifyHash } from './hash-chain.ts';
import { jsonProblems } from './json-problems.ts';

interface Vectors {
  readonly values: readonly { name: string; input: string; outputHex: string }[];
  readonly numbers: readonly { ieee754: string; text: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('testdata/rfc8785-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const json = () => fc.jsonValue({ maxDepth: 4 });

/** The same value with the members of every object in another order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
};

const sealed = (data: unknown, prev: string | null = null) =>
  chain(prev, [unchained('s', 0, noted('a', data))])[0]!;

describe('canonical JSON (RFC 8785)', () => {
  it.each(vectors.values)('agrees with the vector $name', ({ input, outputHex }) => {
    const canonical = canonicalJson(JSON.parse(input));
    expect(Buffer.from(canonical).toString('hex')).toBe(outputHex);
  });

  it.each(vectors.numbers)('writes the number $ieee754 as $text', ({ ieee754, text }) => {
    expect(canonicalJson(Buffer.from(ieee754, 'hex').readDoubleBE())).toBe(text);
  });

  it('does not depend on the order of members, and says the same value', () => {
    fc.assert(
      fc.property(json(), (value) => {
        const canonical = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(canonical);
        expect(canonicalJson(JSON.parse(canonical))).toBe(canonical);
      }),
    );
  });

  it('is taken of everything that has no problems', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
        if (jsonProblems(value, '$').length > 0) return;
        const copy: unknown = JSON.parse(canonicalJson(value));
        expect(copy).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('the hash chain', () => {
  it('frames an event as canonicalising its whole body does', () => {
    fc.assert(
      fc.property(
        json(),
        fc.string({ unit: 'grapheme' }),
        fc.nat(),
        fc.option(fc.constant('ab'.repeat(32))),
        (data, text, revision, prev) => {
          const event = {
            ...noted('a', data),
            metadata: { ...noted('a').metadata, correlationId: text, causationId: `"${text}` },
          };
          const [chained] = chain(prev, [unchained(`s${text}`, revision, event)]);
          const body: HashedBody = {
            ...event,
            stream: `s${text}`,
            revision,
            metadata: { ...event.metadata, prev },
          };
          expect(Buffer.from(chained!.canonical).toString()).toBe(canonicalJson(body));
          expect(canonicalJson(parseBody(chained!.canonical))).toBe(canonicalJson(body));
        },
      ),
    );
  });

  it('notices any flip of any byte', () => {
    fc.assert(
      fc.property(json(), fc.nat(), fc.integer({ min: 1, max: 255 }), (data, at, mask) => {
        const { canonical, hash } = sealed(data);
        expect(verifyHash({ canonical, hash })).toBe(true);
        const flipped = canonical.slice();
        flipped[at % flipped.length]! ^= mask;
        expect(verifyHash({ canonical: flipped, hash })).toBe(false);
      }),
    );
  });

  it('depends on what came before', () => {
    expect(sealed({}, 'ab'.repeat(32)).hash).not.toBe(sealed({}).hash);
  });

  it('links a batch within itself just as one by one', () => {
    const first = unchained('s', 0, noted('a'));
    const second = unchained('s', 1, noted('b'));
    const [a, b] = chain(null, [first, second]);
    expect(b!.prev).toBe(a!.hash);
    expect(chain(a!.hash, [second])[0]).toEqual(b);
  });

  it('does not parse bytes that are not UTF-8, or that a byte order mark hides', () => {
    const { canonical } = sealed({ text: 'é' });
    const broken = canonical.slice();
    broken[broken.indexOf(0xc3)] = 0xff;
    expect(() => parseBody(broken)).toThrow();
    expect(() => parseBody(Buffer.concat([Buffer.from('\ufeff'), canonical]))).toThrow();
  });
});

describe('the limits of a value', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

  it('takes 100 levels and refuses 102', () => {
    expect(jsonProblems(nested(100), '$')).toEqual([]);
    expect(jsonProblems(nested(102), '$')).toHaveLength(1);
  });

  it('is done soon with a small value that unfolds to an endless one', () => {
    let fan: unknown = 1;
    for (let level = 0; level < 90; level += 1) fan = [fan, fan];
    expect(jsonProblems(fan, '$')[0]!.message).toContain('more values');
  });
});
