import type { PiiClass } from './classes.ts';
import { readings } from './encodings.ts';
import { NATIONAL_IDS, type NationalId } from './national-ids.ts';

type Validator = { readonly validate: (text: string) => { readonly isValid: boolean } };

/** What one recogniser says of one text. */
export interface Recognised {
  /** Names the recogniser, e.g. `card`, `BR.cpf`. */
  readonly id: string;
  readonly class: PiiClass;
  /** Whether it passed; false: it only looks like one. */
  readonly valid: boolean;
  /** Share of texts that look like one and pass by chance. */
  readonly chance: number;
}

/** What a text that looks so means is beyond doubt. */
const BEYOND_DOUBT = 1e-12;

/** Reads one text. Pure, once it is loaded. */
export interface Recognisers {
  /**
   * Every recogniser that a text, or what it decodes to, looks like; one entry for each, the valid one if any is.
   * `costly` asks for those too that take tens of microseconds: phone numbers without a country.
   */
  readonly read: (text: string, costly?: boolean) => readonly Recognised[];
}

const nameOf = ({ country, number }: Pick<NationalId, 'country' | 'number'>): string =>
  `${country}.${number}`;

interface Recogniser {
  readonly id: string;
  readonly class: PiiClass;
  readonly chance: number;
  /** Null: the text doesn't look like one. */
  readonly test: (text: string, parts: Parts) => boolean | null;
}

/** A text taken apart once for all recognisers. */
interface Parts {
  /** Runs of letters and digits with at most one separator between groups, separators left out, upper case. */
  readonly compact: readonly string[];
  /** The same with separators as they stood. */
  readonly spelt: readonly string[];
}

/** Up to three marks or blanks stand between groups. */
const RUN = /[\p{L}\p{N}]+(?:[-./:_ ]{1,3}[\p{L}\p{N}]+)*/gu;
const MOST_RUNS = 40;
/** Letters and digits of an identifier. */
const SHORTEST = 7;
const LONGEST = 34;

/** 12.5 is a number; 1.234.567 may be an id; 123456789.0 is 123456789 written by a machine. */
const DECIMAL = /^[+-]?\d*\.\d+(e[+-]?\d+)?$/i;

const partsOf = (text: string): Parts => {
  const whole = text
    .replace(/^([+-]?\d+)\.0+$/, '$1')
    .replace(/[()]+/g, ' ')
    .trim();
  if (DECIMAL.test(whole)) return { compact: [], spelt: [] };
  const compact = new Set<string>();
  const spelt = new Set<string>();
  for (const [run] of [...whole.matchAll(RUN)].slice(0, MOST_RUNS)) {
    const groups = run.split(/([-./:_ ]{1,3})/);
    // A run of words and numbers holds an id somewhere: every stretch of whole groups is looked at.
    for (let from = 0; from < groups.length; from += 2) {
      let letters = '';
      let stretch = '';
      for (let to = from; to < groups.length && letters.length <= LONGEST; to += 2) {
        letters += groups[to] ?? '';
        stretch += `${to === from ? '' : (groups[to - 1] ?? '')}${groups[to] ?? ''}`;
        if (letters.length < SHORTEST || letters.length > LONGEST || !/\d/.test(letters)) continue;
        if (isInsideDigits(groups, from, to)) continue;
        compact.add(letters.toUpperCase());
        spelt.add(stretch.toUpperCase());
      }
    }
  }
  return { compact: [...compact], spelt: [...spelt] };
};

/** A number in groups is one number: a stretch that leaves out a group of digits beside it is none. */
const isInsideDigits = (groups: readonly string[], from: number, to: number): boolean => {
  const digits = (at: number): boolean => /^\d+$/.test(groups[at] ?? '');
  return (digits(from) && digits(from - 2)) || (digits(to) && digits(to + 2));
};

/** Whether any part of that shape passes; null when none has it. */
const anyOf = (
  parts: readonly string[],
  shape: RegExp,
  passes: (part: string) => boolean,
): boolean | null => {
  const shaped = parts.filter((part) => shape.test(part));
  return shaped.length === 0 ? null : shaped.some(passes);
};

const match = (
  text: string,
  pattern: RegExp,
  passes: (found: string) => boolean,
): boolean | null => {
  const found = text.match(pattern);
  return found === null ? null : found.some(passes);
};

const digitsOf = (text: string): readonly number[] => [...text].map(Number);

/** Luhn (ISO/IEC 7812-1). */
const luhn = (text: string): boolean =>
  digitsOf(text)
    .toReversed()
    .reduce((sum, digit, i) => sum + (i % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0) %
    10 ===
  0;

const weighted = (text: string, weights: readonly number[]): number =>
  digitsOf(text).reduce((sum, digit, i) => sum + digit * (weights[i] ?? 0), 0);

/** NHS number, modulo 11 (NHS Data Dictionary). */
const isNhsNumber = (text: string): boolean =>
  weighted(text, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0 && !/^(\d)\1+$/.test(text);

/** Medicare card number of Australia: eight digits, their check digit, the issue and perhaps the person. */
const isAustralianMedicare = (text: string): boolean =>
  weighted(text.slice(0, 8), [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(text[8]);

/** Check digit of a vehicle identification number (49 CFR 565.15). */
const isVin = (text: string): boolean => {
  const values = 'ABCDEFGH JKLMN P R STUVWXYZ';
  const value = (character: string): number => {
    if (/\d/.test(character)) return Number(character);
    const at = values.indexOf(character);
    if (at < 8) return at + 1;
    return at < 18 ? at - 8 : at - 17;
  };
  const weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
  const sum = [...text].reduce((total, character, i) => total + value(character) * weights[i]!, 0);
  return text[8] === (sum % 11 === 10 ? 'X' : String(sum % 11));
};

/** Whose phone numbers are looked for where no country code tells. */
const COUNTRIES = ['US', 'GB', 'DE', 'FR', 'ES', 'IT', 'NL', 'PL', 'SE', 'BR', 'IN', 'AU'] as const;

const DATE =
  /^(\d{4})[-/. ]?(\d{2})[-/. ]?(\d{2})(?:[T ]\d{2}:\d{2}.*)?$|^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$/;

/** A day in a plausible person's life; day and month in either order. */
const isDate = (text: string): boolean => {
  const [, year, month, day, one, two, late] = DATE.exec(text) ?? [];
  const [y, a, b] = [Number(year ?? late), Number(month ?? one), Number(day ?? two)];
  const fits = (m: number, d: number) => m >= 1 && m <= 12 && d >= 1 && d <= 31;
  return y >= 1850 && y <= 2150 && (fits(a, b) || (year === undefined && fits(b, a)));
};

/** Ways to write a number that other numbers are not written in, wherever they stand in a text. */
const SPELT: readonly { readonly of: string; readonly pattern: RegExp }[] = [
  { of: 'US.ssn', pattern: /(?<![\w-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])/g },
  { of: 'BR.cpf', pattern: /(?<![\w.])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])/g },
  { of: 'CH.ssn', pattern: /(?<![\w.])756\.\d{4}\.\d{4}\.\d{2}(?!\w)/g },
  { of: 'KR.rrn', pattern: /(?<![\w-])\d{6}-\d{7}(?![\w-])/g },
  { of: 'CL.run', pattern: /(?<![\w.])\d{1,2}\.\d{3}\.\d{3}-[\dkK](?![\w-])/g },
];

/**
 * Loads the recognisers (libphonenumber-js, validator, stdnum: a tenth of a second, so only where texts are read).
 *
 * @example
 * const { read } = await openRecognisers();
 * read('mail me: ann＠example．org').some(({ valid }) => valid); // true
 */
export const openRecognisers = async (): Promise<Recognisers> => {
  const [{ default: validator }, phones, { stdnum }] = await Promise.all([
    import('validator'),
    import('libphonenumber-js/max'),
    import('stdnum'),
  ]);

  const validators = new Map<string, (text: string) => boolean>(
    NATIONAL_IDS.map(({ country, number }) => {
      const kinds: Readonly<Record<string, Readonly<Record<string, Validator>>>> = stdnum;
      const found = kinds[country]?.[number];
      if (found === undefined) throw new Error(`stdnum knows no ${country}.${number}`);
      const passes = (text: string): boolean => {
        try {
          return found.validate(text).isValid;
        } catch {
          // Some of its validators throw for what is far off.
          return false;
        }
      };
      return [nameOf({ country, number }), passes] as const;
    }),
  );
  const nationalId = (name: string, text: string): boolean => validators.get(name)?.(text) ?? false;

  const cheap: readonly Recogniser[] = [
    {
      ...{ id: 'email', class: 'email', chance: BEYOND_DOUBT },
      test: (text) =>
        match(text, /[^\s@<>()"',;:]{1,64}@[^\s@<>()"',;:]{3,255}/g, (found) =>
          validator.isEmail(found.replace(/[.!?]+$/, ''), { allow_utf8_local_part: true }),
        ),
    },
    {
      ...{ id: 'url with a user', class: 'account', chance: BEYOND_DOUBT },
      test: (text) =>
        match(text, /[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/@]{1,200}@[^\s/@]+/gi, () => true),
    },
    {
      ...{ id: 'ipv4', class: 'ip-address', chance: BEYOND_DOUBT },
      test: (text) =>
        match(text, /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g, (found) =>
          validator.isIP(found, 4),
        ),
    },
    {
      ...{ id: 'ipv6', class: 'ip-address', chance: BEYOND_DOUBT },
      test: (text) =>
        match(
          text,
          /(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])/gi,
          (found) => /[0-9a-f]/i.test(found) && validator.isIP(found, 6),
        ),
    },
    {
      ...{ id: 'mac', class: 'device-id', chance: BEYOND_DOUBT },
      test: (text) =>
        match(
          text,
          /(?<![\w:-])[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![\w:-])/gi,
          (found) => validator.isMACAddress(found),
        ),
    },
    {
      ...{ id: 'uuid', class: 'record-id', chance: BEYOND_DOUBT },
      test: (text) =>
        match(text, /(?<!\w)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w)/gi, () => true),
    },
    {
      ...{ id: 'phone', class: 'phone', chance: BEYOND_DOUBT },
      test: (text) =>
        match(text, /(?<![\w+])\+[1-9](?:[ ().\-/]{0,2}\d){6,14}(?!\d)/g, (found) =>
          phones.isValidPhoneNumber(`+${found.replace(/\D/g, '')}`),
        ),
    },
    {
      ...{ id: 'iban', class: 'bank-account', chance: 0.02 },
      test: (_, { compact }) =>
        anyOf(compact, /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/, (part) => validator.isIBAN(part)),
    },
    {
      ...{ id: 'card', class: 'card', chance: 0.05 },
      test: (_, { compact }) =>
        anyOf(compact, /^\d{13,19}$/, (part) => validator.isCreditCard(part)),
    },
    {
      ...{ id: 'card spelt', class: 'card', chance: BEYOND_DOUBT },
      test: (text) =>
        match(
          text,
          /(?<![\w-])\d{4}([ -])(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{5})(?![\w-])/g,
          (found) => validator.isCreditCard(found),
        ),
    },
    {
      ...{ id: 'imei', class: 'device-id', chance: 0.12 },
      test: (_, { compact }) => anyOf(compact, /^\d{15}$/, luhn),
    },
    {
      ...{ id: 'vin', class: 'vehicle-id', chance: 0.11 },
      test: (_, { compact }) =>
        anyOf(compact, /^(?=.*[A-Z])(?=.*\d)[A-HJ-NPR-Z\d]{8}[\dX][A-HJ-NPR-Z\d]{8}$/, isVin),
    },
    {
      ...{ id: 'US.mbi', class: 'health-id', chance: BEYOND_DOUBT },
      test: (_, { compact }) =>
        anyOf(
          compact,
          /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d[AC-HJKMNP-RT-Y]{2}\d{2}$/,
          () => true,
        ),
    },
    {
      ...{ id: 'US.npi', class: 'health-id', chance: 0.12 },
      test: (_, { compact }) => anyOf(compact, /^[12]\d{9}$/, (part) => luhn(`80840${part}`)),
    },
    {
      ...{ id: 'GB.nhs', class: 'health-id', chance: 0.11 },
      test: (_, { compact }) => anyOf(compact, /^\d{10}$/, isNhsNumber),
    },
    {
      ...{ id: 'AU.medicare', class: 'health-id', chance: 0.12 },
      test: (_, { compact }) => anyOf(compact, /^[2-6]\d{9,10}$/, isAustralianMedicare),
    },
    {
      ...{ id: 'date', class: 'date', chance: BEYOND_DOUBT },
      test: (text) => (DATE.test(text) ? isDate(text) : null),
    },
    ...SPELT.map(({ of, pattern }): Recogniser => ({
      ...{ id: `${of} spelt`, class: 'national-id', chance: BEYOND_DOUBT },
      test: (text) =>
        match(text, pattern, (found) =>
          nationalId(of, found.toUpperCase().replace(/[^0-9K]/g, '')),
        ),
    })),
    ...NATIONAL_IDS.map(({ country, number, shape, chance }): Recogniser => ({
      ...{ id: `${country}.${number}`, class: 'national-id', chance },
      test: (_, { compact, spelt }) =>
        anyOf(shape.source.includes('[-+') ? spelt : compact, shape, (part) =>
          nationalId(`${country}.${number}`, part),
        ),
    })),
  ];

  const validSomewhere = (found: string): boolean =>
    COUNTRIES.some((country) => phones.isValidPhoneNumber(found, country));
  const costly: readonly Recogniser[] = [
    {
      ...{ id: 'phone spelt', class: 'phone', chance: BEYOND_DOUBT },
      test: (text) =>
        match(
          text,
          /(?<![\w(])(?:\(0?\d{2,4}\)[ -]?\d{3,4}[ -]?\d{3,4}|[2-9]\d{2}[-. ][2-9]\d{2}[-. ]\d{4})(?![\w-])/g,
          validSomewhere,
        ),
    },
    {
      ...{ id: 'phone with a trunk prefix', class: 'phone', chance: 0.9 },
      test: (text) => match(text, /^0[1-9](?:[ ./-]?\d){7,10}$/g, validSomewhere),
    },
    {
      ...{ id: 'phone abroad', class: 'phone', chance: 0.6 },
      test: (text) =>
        match(text, /^00[1-9](?:[ ./-]?\d){7,13}$/g, (found) =>
          phones.isValidPhoneNumber(`+${found.replace(/^00|\D/g, '')}`),
        ),
    },
    {
      ...{ id: 'phone US', class: 'phone', chance: 0.6 },
      test: (text) =>
        match(text, /^1?[2-9]\d{2}[2-9]\d{6}$/g, (found) => phones.isValidPhoneNumber(found, 'US')),
    },
  ];

  const readOne = (text: string, recognisers: readonly Recogniser[]): readonly Recognised[] => {
    const parts = partsOf(text);
    return recognisers.flatMap(({ test, ...known }) => {
      const valid = test(text, parts);
      return valid === null ? [] : [{ ...known, valid }];
    });
  };

  return {
    read: (text, all = false) => {
      if (isPlain(text)) return [];
      const found = new Map<string, Recognised>();
      for (const reading of readings(text))
        for (const one of readOne(reading, all ? [...cheap, ...costly] : cheap))
          if (found.get(one.id)?.valid !== true) found.set(one.id, one);
      return [...found.values()];
    },
  };
};

/** A short word or number is no identifier; nor is a number with a fraction. Most of a column is that. */
const isPlain = (text: string): boolean =>
  /^[\x20-\x7e]*$/.test(text) &&
  (/^[A-Za-z0-9 _-]{0,6}$/.test(text) || (DECIMAL.test(text) && !/\.0+$/.test(text)));
