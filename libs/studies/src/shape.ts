import type { Path, Report } from './yaml-document.ts';

/**
 * What a value of the file must look like. Gives the value, or undefined after it has reported everything that is
 * wrong with it (YAML has no undefined of its own).
 */
export type Shape<T> = (value: unknown, path: Path, report: Report) => T | undefined;

/** What a value looks like to the one who wrote it. */
export const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
};

/** Text of 1 to `longest` characters on one line; with `pattern`, of that form, which `form` says in words. */
export const text =
  (options: { longest: number; pattern?: RegExp; form?: string }): Shape<string> =>
  (value, path, report) => {
    const { longest, pattern, form } = options;
    const fits =
      typeof value === 'string' &&
      value.trim() !== '' &&
      value.length <= longest &&
      !/[\p{Cc}\p{Cs}]/u.test(value) &&
      (pattern === undefined || pattern.test(value));
    if (fits) return value;
    report(path, {
      found: shown(value),
      expected: form ?? `text of 1 to ${longest} characters on one line`,
      remedy:
        typeof value === 'number' || typeof value === 'boolean'
          ? `Put it in quotes if it is meant as text: "${value}".`
          : 'Write such a text.',
    });
    return undefined;
  };

/** Text for people; line ends in the file (YAML's `>` and `|`) become spaces. */
export const prose =
  (longest: number): Shape<string> =>
  (value, path, report) =>
    text({ longest })(
      typeof value === 'string' ? value.trim().replace(/\s*\n\s*/g, ' ') : value,
      path,
      report,
    );

interface Limits {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
  /** The limits themselves are out of bounds. */
  readonly open?: boolean;
}

const numeric =
  ({ min, max, whole = false, open = false }: Limits): Shape<number> =>
  (value, path, report) => {
    const fits =
      typeof value === 'number' &&
      (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
      (open ? value > min && value < max : value >= min && value <= max);
    if (fits) return value;
    report(path, {
      found: shown(value),
      expected: `a ${whole ? 'whole ' : ''}number ${
        open ? `above ${min} and below ${max}` : `from ${min} to ${max}`
      }`,
      remedy:
        typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
          ? 'Write it without quotes.'
          : 'Write such a number.',
    });
    return undefined;
  };

/** A whole number from `min` to `max`. */
export const whole = (min: number, max: number): Shape<number> =>
  numeric({ min, max, whole: true });

/** A finite number from `min` to `max`. */
export const number = (min: number, max: number): Shape<number> => numeric({ min, max });

/** A finite number above `min` and below `max`. */
export const between = (min: number, max: number): Shape<number> =>
  numeric({ min, max, open: true });

export const flag: Shape<boolean> = (value, path, report) => {
  if (typeof value === 'boolean') return value;
  report(path, { found: shown(value), expected: 'true or false', remedy: 'Write one of them.' });
  return undefined;
};

/** A number, a text or a truth value, as it stands. */
export const scalar: Shape<string | number | boolean> = (value, path, report) => {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'boolean') return value;
  return text({ longest: 200, form: 'a number, a text or a truth value' })(value, path, report);
};

export const oneOf =
  <const T extends string | number>(choices: readonly T[]): Shape<T> =>
  (value, path, report) => {
    const choice = choices.find((each) => each === value);
    if (choice !== undefined) return choice;
    const near = typeof value === 'string' ? nearest(value, choices.map(String)) : null;
    report(path, {
      found: shown(value),
      expected: choices.map(shown).join(' or '),
      remedy: near === null ? 'Write one of them.' : `Did you mean ${shown(near)}?`,
    });
    return undefined;
  };

export const orNull =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, path, report) =>
    value === null ? null : shape(value, path, report);

/** A list, each entry of this shape. */
export const list =
  <T>(each: Shape<T>, min: number, max: number): Shape<readonly T[]> =>
  (value, path, report) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      report(path, {
        found: shown(value),
        expected: `a list of ${min === max ? min : `${min} to ${max}`}`,
        remedy: 'Write it as [a, b, …].',
      });
      return undefined;
    }
    const entries = value.map((entry: unknown, i) => each(entry, [...path, i], report));
    return entries.every((entry) => entry !== undefined) ? entries : undefined;
  };

const isMapping = (value: unknown): value is ReadonlyMap<string, unknown> => value instanceof Map;

const notAMapping = (value: unknown, path: Path, report: Report): undefined => {
  report(path, {
    found: shown(value),
    expected: 'a mapping of keys to values',
    remedy: 'Write it as "key: value" lines.',
  });
  return undefined;
};

/** A mapping with free keys, as pairs in the order of the file. */
export const pairs =
  <T>(key: Shape<string>, each: Shape<T>, min: number, max: number) =>
  (value: unknown, path: Path, report: Report): readonly (readonly [string, T])[] | undefined => {
    if (!isMapping(value)) return notAMapping(value, path, report);
    const names = [...value.keys()];
    if (names.length < min || names.length > max) {
      report(path, {
        found: `${names.length} entries`,
        expected: `${min} to ${max}`,
        remedy: names.length < min ? 'Add what is missing.' : 'Take some away.',
      });
    }
    const entries = names.map((name) => {
      const place = [...path, name];
      const named = key(name, place, (where, complaint) => {
        report(where, complaint, 'key');
      });
      const read = each(value.get(name), place, report);
      return named === undefined || read === undefined ? undefined : ([named, read] as const);
    });
    return entries.every((entry) => entry !== undefined) ? entries : undefined;
  };

/** A key of an object: needed, or with what stands for it when it is absent. */
export type Field<T> =
  | { readonly needed: true; readonly shape: Shape<T> }
  | { readonly needed: false; readonly shape: Shape<T>; readonly fallback: T };

export const needed = <T>(shape: Shape<T>): Field<T> => ({ needed: true, shape });
export const optional = <T>(shape: Shape<T>, fallback: NoInfer<T>): Field<T> => ({
  needed: false,
  shape,
  fallback,
});

type Fields = Readonly<Record<string, Field<unknown>>>;
type Valued<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** A mapping with these keys and no others. */
export const object =
  <F extends Fields>(fields: F): Shape<Valued<F>> =>
  (value, path, report) => {
    if (!isMapping(value)) return notAMapping(value, path, report);
    const known = Object.keys(fields);
    for (const key of [...value.keys()].filter((each) => !known.includes(each))) {
      const near = nearest(key, known);
      report(
        [...path, key],
        {
          found: `the unknown key ${shown(key)}`,
          expected: `only ${known.join(', ')}`,
          remedy: near === null ? 'Remove it.' : `Did you mean ${near}?`,
        },
        'key',
      );
    }
    const read = Object.entries(fields).map(([key, field]) => {
      const place = [...path, key];
      if (value.has(key)) return [key, field.shape(value.get(key), place, report)] as const;
      if (!field.needed) return [key, field.fallback] as const;
      report(place, {
        found: 'nothing',
        expected: `the key ${key}`,
        remedy: `Add ${key} to ${path.length === 0 ? 'the file' : 'this mapping'}.`,
      });
      return [key, undefined] as const;
    });
    return read.every(([, each]) => each !== undefined)
      ? (Object.fromEntries(read) as Valued<F>)
      : undefined;
  };

/** A shape with a rule on top, which is asked when the shape holds; the rule reports what it finds. */
export const ruled =
  <T>(shape: Shape<T>, rule: (value: T, path: Path, report: Report) => void): Shape<T> =>
  (value, path, report) => {
    const read = shape(value, path, report);
    if (read === undefined) return undefined;
    const broken: Path[] = [];
    rule(read, path, (...complaint) => {
      broken.push(complaint[0]);
      report(...complaint);
    });
    return broken.length > 0 ? undefined : read;
  };

/** Reports every entry that stood before. */
export const distinct =
  <T extends string | number | boolean>(what: string) =>
  (entries: readonly T[], path: Path, report: Report): void => {
    entries.forEach((entry, i) => {
      if (entries.indexOf(entry) === i) return;
      report([...path, i], {
        found: `${shown(entry)} a second time`,
        expected: `each ${what} once`,
        remedy: 'Remove one of the two.',
      });
    });
  };

/** Edits (insert, delete, replace) between two words (Levenshtein 1966). */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** The candidate that is probably meant; null when none is near. */
const nearest = (word: string, candidates: readonly string[]): string | null => {
  const near = candidates
    .map((candidate) => ({ candidate, edits: distance(word.slice(0, 80), candidate) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.edits - b.edits)[0];
  return near?.candidate ?? null;
};
