import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { classOfText, isBeyondChance, readColumn } from './columns.ts';
import { NATIONAL_IDS } from './national-ids.ts';
import { openRecognisers, type Recognisers } from './recognisers.ts';

let recognisers: Recognisers;
beforeAll(async () => {
  recognisers = await openRecognisers();
});

const classOf = (text: string) => classOfText(recognisers, text);
const passes = (id: string, text: string) =>
  recognisers.read(text, true).some((found) => found.id === id && found.valid);

/** Numbers that their makers publish as examples, or that the rules of the number make valid; none is a person's. */
const EXAMPLES: readonly (readonly [id: string, text: string])[] = [
  ['email', 'ann.example@example.org'],
  ['email', 'jörg@exämple.org'],
  ['url with a user', 'https://ann:secret@example.org/x'],
  ['ipv4', '203.0.113.7'],
  ['ipv6', '2001:db8::ff00:42:8329'],
  ['mac', '00:1A:2B:3C:4D:5E'],
  ['uuid', '123e4567-e89b-12d3-a456-426614174000'],
  ['phone', '+44 20 7946 0958'],
  ['phone', '+1 (415) 555-2671'],
  ['phone spelt', '415-555-2671'],
  ['phone spelt', '(415) 555-2671'],
  ['phone US', '4155552671'],
  ['phone abroad', '0049 30 901820'],
  ['phone with a trunk prefix', '030 901820'],
  ['iban', 'DE89 3704 0044 0532 0130 00'],
  ['iban', 'GB82WEST12345698765432'],
  ['card', '4111111111111111'],
  ['card spelt', '5555 5555 5555 4444'],
  ['card spelt', '3782 822463 10005'],
  ['imei', '490154203237518'],
  ['vin', '1M8GDM9AXKP042788'],
  ['US.mbi', '1EG4-TE5-MK73'],
  ['US.npi', '1234567893'],
  ['GB.nhs', '943 476 5919'],
  ['AU.medicare', '2123 45670 1'],
  ['US.ssn spelt', '536-90-4399'],
  ['BR.cpf spelt', '390.533.447-05'],
  ['CH.ssn spelt', '756.9217.0769.85'],
  ['GB.nino', 'AB 12 34 56 C'],
  ['DE.idnr', '36 574 261 809'],
  ['FR.nir', '2 95 10 99 126 111 93'],
  ['ES.dni', '54362315-K'],
  ['ES.nie', 'X-2482300-W'],
  ['IT.codicefiscale', 'RCCMNL83S18D969H'],
  ['NL.bsn', '1112.22.333'],
  ['PL.pesel', '44051401359'],
  ['SE.personnummer', '880320-0016'],
  ['BR.cpf', '39053344705'],
  ['IN.aadhaar', '2341 2341 2346'],
  ['CA.sin', '123-456-782'],
  ['AU.tfn', '123 456 782'],
  ['FI.hetu', '131052-308T'],
  ['BE.insz', '85.07.30-033 28'],
  ['TR.tckimlik', '17291716060'],
  ['ZA.idnr', '7503305044089'],
  ['MX.curp', 'BOXW310820HNERXN09'],
  ['HK.hkid', 'A123456(3)'],
  ['IN.pan', 'ACUPA7085R'],
  ['date', '1988-03-20'],
];

describe('each recogniser', () => {
  it.each(EXAMPLES)('%s finds %j', (id, text) => {
    expect(passes(id, text)).toBe(true);
  });

  it('finds it within a text', () => {
    for (const text of [
      'please write to ann.example@example.org, thanks',
      'card 4111 1111 1111 1111 exp 12/29',
      '4111 1111 1111 1111 12/29',
      'SSN: 536-90-4399.',
      'call +44 20 7946 0958 now',
      'from 203.0.113.7:8080',
    ])
      expect([text, classOf(text)]).not.toEqual([text, null]);
  });

  it.each([
    ['one digit off', '4111111111111112'],
    ['one digit off', 'DE89370400440532013001'],
    ['a version', '1.22.333.4444'],
    ['a time', '12:30:45'],
    ['a range', '10 to 19'],
    ['a wage', '354.94'],
    ['a ratio', '0.123456789012'],
    ['a label', 'others, small'],
    ['a label', 'below 1,000,000'],
    ['a label', '65 or more'],
    ['a year', '1988'],
    ['a word', 'northeast'],
    ['words', 'self-employed (not incorporated)'],
  ])('leaves %s alone: %j', (_, text) => {
    expect(classOf(text)).toBeNull();
  });
});

const SEPARATORS = ['-', ' - ', '--', ' ', '.', '/', '–', '\u00a0', '·', '_'] as const;
const ZEROES = [0x660, 0x966, 0xff10, 0x1d7ce, 0x0e50, 0x1d7f6] as const;
const UNSEEN = ['\u200b', '\u200d', '\u2060', '\u00ad', '\ufeff', '\u202e', '\ufe0f'] as const;
const SOUND = [
  '4111111111111111',
  '39053344705',
  '36574261809',
  '44051401359',
  '1234567893',
] as const;

const inDigits = (zero: number) => (text: string) =>
  text.replace(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
const withUnseen = (character: string, every: number) => (text: string) =>
  [...text].map((one, i) => (i % every === 0 ? one + character : one)).join('');
const inGroups = (separator: string, size: number) => (text: string) =>
  (text.match(new RegExp(`.{1,${size}}`, 'gu')) ?? []).join(separator);

const bytes = (text: string) => new TextEncoder().encode(text);
const binary = (text: string) => String.fromCharCode(...bytes(text));
const hexOf = (text: string, each: (pair: string) => string) =>
  [...bytes(text)].map((byte) => each(byte.toString(16).padStart(2, '0'))).join('');
const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  none: (text) => text,
  base64: (text) => btoa(binary(text)),
  base64url: (text) =>
    btoa(binary(text)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
  percent: (text) => hexOf(text, (pair) => `%${pair}`),
  hexadecimal: (text) => hexOf(text, (pair) => pair),
  'quoted-printable': (text) => hexOf(text, (pair) => `=${pair.toUpperCase()}`),
  entities: (text) => [...text].map((one) => `&#${one.codePointAt(0)};`).join(''),
  'entities in hexadecimal': (text) =>
    [...text].map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join(''),
  escapes: (text) => [...text].map((one) => `\\u{${one.codePointAt(0)?.toString(16)}}`).join(''),
  'zero bytes': (text) => [...text].map((one) => `${one}\0`).join(''),
};

describe('a number that is spelt another way', () => {
  it('is still found: separators, digits of other scripts, unseen characters, encodings', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SOUND),
        fc.option(fc.tuple(fc.constantFrom(...SEPARATORS), fc.integer({ min: 1, max: 6 })), {
          nil: null,
        }),
        fc.option(fc.constantFrom(...ZEROES), { nil: null }),
        fc.option(fc.tuple(fc.constantFrom(...UNSEEN), fc.integer({ min: 1, max: 4 })), {
          nil: null,
        }),
        fc.constantFrom(...Object.keys(ENCODINGS)),
        (number, groups, zero, unseen, encoding) => {
          let text: string = number;
          if (groups !== null) text = inGroups(...groups)(text);
          // One dot and digits alone are a number with a fraction.
          if (/^\d+[.·]\d+$/.test(text)) return;
          if (zero !== null) text = inDigits(zero)(text);
          if (unseen !== null) text = withUnseen(...unseen)(text);
          expect(classOf(ENCODINGS[encoding]!(text))).not.toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is still found with letters that look alike', () => {
    for (const text of [
      'аnn@еxаmplе.оrg',
      'ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ',
      'ann (at) example (dot) org',
      'ann&commat;example&period;org',
      '𝒂𝒏𝒏@𝒆𝒙𝒂𝒎𝒑𝒍𝒆.𝒐𝒓𝒈',
      'ann%40example.org',
      'RССΜNL83S18D969H',
      '４１１１－１１１１－１１１１－１１１１',
    ])
      expect([text, classOf(text)]).not.toEqual([text, null]);
  });

  it('is found two encodings deep, and a text read with the wrong encoding', () => {
    expect(classOf(btoa(btoa('ann.example@example.org')))).toBe('email');
    const misread = Array.from({ length: 12 }, (_, i) => {
      const text = 'ann@example.org (her own)';
      return String.fromCharCode((text.charCodeAt(2 * i) << 8) | text.charCodeAt(2 * i + 1));
    }).join('');
    expect(classOf(misread)).toBe('email');
  });

  it('never takes long, whatever the text', () => {
    const start = performance.now();
    for (const text of [
      '1 '.repeat(100_000),
      'a@'.repeat(50_000),
      '&#'.repeat(50_000),
      '%41'.repeat(50_000),
      '::'.repeat(50_000),
      'http://'.repeat(20_000),
    ])
      recognisers.read(text, true);
    expect(performance.now() - start).toBeLessThan(3000);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        recognisers.read(text, true);
      }),
    );
  });
});

/** Draws from a seed: the same numbers each time. */
const uniform = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const digits = (next: () => number, length: number) =>
  Array.from({ length }, () => Math.floor(next() * 10)).join('');

describe('the chances that are claimed', () => {
  const lengthsOf = (shape: RegExp) =>
    [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18].filter(
      (length) => shape.test('7'.repeat(length)) || shape.test(`756${'7'.repeat(length - 3)}`),
    );

  it.each(NATIONAL_IDS.filter(({ shape }) => lengthsOf(shape).length > 0))(
    '$country.$number passes at most that share of random digits',
    ({ country, number, shape, chance }) => {
      const next = uniform(7);
      for (const length of lengthsOf(shape)) {
        let [shaped, valid] = [0, 0];
        while (shaped < 1500) {
          const prefix = shape.source.startsWith('^756') ? '756' : '';
          const text = prefix + digits(next, length - prefix.length);
          const found = recognisers.read(text).find(({ id }) => id === `${country}.${number}`);
          if (found === undefined) continue;
          shaped += 1;
          if (found.valid) valid += 1;
        }
        expect(valid / shaped).toBeLessThanOrEqual(chance + 0.012);
      }
    },
    20_000,
  );
});

const columnOf = (values: readonly string[]) => {
  const reader = readColumn(recognisers);
  for (const value of new Set(values)) reader.add(value);
  return reader.findings();
};

describe('a column', () => {
  it('of ids is told, although every value could be one by chance', () => {
    const next = uniform(3);
    const cpf = (): string => {
      const nine = digits(next, 9);
      const check = (text: string) => {
        const sum = [...text].reduce(
          (total, digit, i) => total + Number(digit) * (text.length + 1 - i),
          0,
        );
        return String(((sum * 10) % 11) % 10);
      };
      return nine + check(nine) + check(nine + check(nine));
    };
    expect(columnOf(Array.from({ length: 60 }, cpf)).map(({ class: of }) => of)).toContain(
      'national-id',
    );
  });

  it('of random numbers of any length is not', () => {
    const next = uniform(11);
    const flagged: string[] = [];
    for (let length = 1; length <= 18; length += 1)
      for (let round = 0; round < 5; round += 1) {
        const found = columnOf(Array.from({ length: 400 }, () => digits(next, length)));
        for (const { recogniser } of found) flagged.push(`${length}: ${recogniser}`);
      }
    expect(flagged).toEqual([]);
  });

  it('of measures, codes, words, times and money is not', () => {
    const next = uniform(5);
    const columns: Readonly<Record<string, () => string>> = {
      wage: () => (next() * 2000).toFixed(2),
      ratio: () => String(next()),
      scientific: () => (next() / 1e6).toExponential(9),
      price: () => String(Math.floor(next() * 900_000) * 100),
      integer: () => String(Math.floor(next() * 1e9)),
      part: () => `${digits(next, 3)}-${digits(next, 3)}-${digits(next, 3)}`,
      product: () => `${String.fromCharCode(65 + Math.floor(next() * 26))}${digits(next, 6)}`,
      icd: () =>
        `${String.fromCharCode(65 + Math.floor(next() * 26))}${digits(next, 2)}.${digits(next, 1)}`,
      time: () => `${10 + Math.floor(next() * 14)}:${10 + Math.floor(next() * 50)}`,
      month: () => `20${digits(next, 2)}-0${1 + Math.floor(next() * 9)}`,
      epoch: () => String(1_600_000_000 + Math.floor(next() * 1e8)),
      words: () =>
        ['surgery', 'eye', 'skin', 'heart and lung', 'intensive care (adults)'][
          Math.floor(next() * 5)
        ]!,
      money: () => `$${Math.floor(next() * 1000)},${digits(next, 3)}`,
      range: () => `${Math.floor(next() * 100)} to ${Math.floor(next() * 1000)}`,
    };
    const flagged = Object.entries(columns).flatMap(([name, make]) =>
      columnOf(Array.from({ length: 3000 }, make)).map(
        ({ recogniser }) => `${name}: ${recogniser}`,
      ),
    );
    expect(flagged).toEqual([]);
  });

  it('of the examples is not', () => {
    const root = join(import.meta.dirname, '../../../examples');
    const flagged = ['pay/data/cps-1988.csv', 'lending/data/hmda-boston.csv'].flatMap((file) => {
      const [header = [], ...rows] = readFileSync(join(root, file), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => line.split(','));
      expect(rows.length).toBeGreaterThan(2000);
      return header.flatMap((name, i) =>
        columnOf(rows.map((row) => row[i] ?? '')).map(({ recogniser }) => `${name}: ${recogniser}`),
      );
    });
    expect(flagged).toEqual([]);
  });

  it('of dates is told once they are more than a few', () => {
    const days = Array.from({ length: 300 }, (_, i) =>
      new Date(i * 86_400_000 * 37).toISOString().slice(0, 10),
    );
    expect(columnOf(days).map(({ class: of }) => of)).toEqual(['date']);
    expect(columnOf(days.slice(0, 12))).toEqual([]);
  });

  it('of phone numbers without a country is told', () => {
    const next = uniform(2);
    const phones = Array.from(
      { length: 200 },
      () => `(415) 55${1 + Math.floor(next() * 9)}-${digits(next, 4)}`,
    );
    expect(columnOf(phones).map(({ class: of }) => of)).toContain('phone');
  });

  it('with a single address among thousands of words is told', () => {
    const values = Array.from({ length: 5000 }, (_, i) => `word ${i}`);
    expect(columnOf([...values, 'ann@example.org'])).toEqual([
      { class: 'email', recogniser: 'email', values: 1 },
    ]);
  });
});

describe('isBeyondChance', () => {
  it.each([
    [0, 100, 0.1, false],
    [10, 100, 0.1, false],
    [20, 100, 0.1, false],
    [100, 100, 0.1, true],
    [5, 5, 0.1, false],
    [7, 7, 0.1, true],
    [100, 100, 0.9, false],
    [200, 200, 0.9, true],
    [1, 100_000, 1e-12, true],
  ])('%i of %i at %d: %s', (hits, shaped, chance, expected) => {
    expect(isBeyondChance(hits, shaped, chance)).toBe(expected);
  });
});
