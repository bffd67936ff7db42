import { FILE_DOMAINS, type Breach, type FileDomain } from '../policy.ts';
import { byteLength, dearest, type FileChange, type MidLoopRuling, type Policy } from './ruling.ts';

const domainsOf = ({ program }: Pick<Policy, 'program'>, path: string) =>
  FILE_DOMAINS.filter((domain) => program.mutable[domain].includes(path));

/**
 * The dearest domain that these files touch, as a policy of version 1 measures it; null where there are none, or one
 * that no domain owns.
 */
export const domainOfPaths = (
  policy: Pick<Policy, 'program' | 'budget'>,
  paths: readonly string[],
): FileDomain | null => {
  const touched = paths.map((path) => domainsOf(policy, path));
  return touched.every((domains) => domains.length > 0) ? dearest(policy, touched.flat()) : null;
};

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Space and comments, which may stand between a name and the sign that sets it. */
const GAP = String.raw`(?:\s|/\*(?:[^*]|\*(?!/)){0,200}\*/|//[^\n]*\n)*`;

/**
 * The colon of a key, `=`, compound assignments, `++` and `--`; not `==`, `<=`, `=>`. A comment without an end in
 * sight counts too: nobody reads past it, and searching for its end from every name would take for ever.
 */
const SETS = String.raw`(?::|(?:\*\*|<<|>>>?|\|\||&&|\?\?|[-+*/%&|^])?=(?![=>])|\+\+|--|/\*(?:[^*]|\*(?!/)){201})`;

/** Enough places to see what was done; a file full of them must not fill the log. */
const MOST_PLACES = 20;

const ESCAPE = /\\u\{([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/giu;

/** The text with its `\u0073` and `\x73` read as characters; lines stay where they are. */
const unescaped = (text: string): string =>
  text.replace(ESCAPE, (...[escape, braced, four, two]: readonly (string | undefined)[]) => {
    const code = parseInt(braced ?? four ?? two ?? '', 16);
    const character = code > 0x10ffff ? (escape ?? '') : String.fromCodePoint(code);
    return /\s/u.test(character) ? ' ' : character;
  });

/** Every key of a JSON text, at any depth; none of a text that is no JSON. */
const jsonKeys = (text: string): ReadonlySet<string> => {
  const keys = new Set<string>();
  try {
    JSON.parse(text, (key, value: unknown) => {
      keys.add(key.toLowerCase());
      return value;
    });
  } catch {
    // No JSON: the search of the text has to do.
  }
  return keys;
};

export interface Setting {
  readonly name: string;
  /** Null where only the parsed JSON shows it. */
  readonly line: number | null;
}

/**
 * Where a text sets a protected parameter: as a key (`"seed": …`, `seed: …`, `['seed']: …`) or by assignment.
 * It reads text, not meaning, so `a ? seed : b` counts too: better a halt than a seed that was turned.
 */
export const settings = (text: string, names: readonly string[]): readonly Setting[] => {
  const readable = unescaped(text);
  const keys = jsonKeys(text);
  return names.flatMap((name): readonly Setting[] => {
    const setting = new RegExp(
      `(?<![\\p{L}\\p{N}_$-])["'\`]?${escaped(name)}["'\`]?${GAP}(?:\\]${GAP})?${SETS}`,
      'giu',
    );
    const places = [...readable.matchAll(setting)].slice(0, MOST_PLACES);
    return places.length === 0 && keys.has(name.toLowerCase())
      ? [{ name, line: null }]
      : places.map(({ index }) => ({ name, line: lineOf(readable, index) }));
  });
};

/** The rules that a run of policy version 1 is judged by: they read texts. They stand as they were. */
export const gateByText = (policy: Policy, changes: readonly FileChange[]): MidLoopRuling => {
  const { maximumFiles, maximumFileBytes } = policy.gates.midLoop;
  const mutable = FILE_DOMAINS.flatMap((domain) => policy.program.mutable[domain]);
  const isTooLong = ({ text }: FileChange) => text !== null && byteLength(text) > maximumFileBytes;
  const at = (file: string, line: number | null = null) => ({ file, line });

  const rules: readonly (readonly [
    string,
    string,
    readonly Omit<Breach, 'rule' | 'expected'>[],
  ])[] = [
    [
      'mutable-files-only',
      `only ${mutable.join(', ')}`,
      changes.length === 0
        ? [{ found: 'no file', file: null, line: null }]
        : changes
            .filter(({ path }) => domainsOf(policy, path).length === 0)
            .map(({ path, kind }) => ({ found: `${path} ${kind}`, ...at(path) })),
    ],
    [
      'regular-files-only',
      'regular files (mode 100644), none removed',
      changes
        .filter(
          ({ kind, mode }) => kind === 'type-changed' || kind === 'deleted' || mode !== '100644',
        )
        .map(({ path, kind, mode }) => ({
          found: kind === 'deleted' ? `${path} deleted` : `${path} with mode ${mode ?? 'none'}`,
          ...at(path),
        })),
    ],
    [
      'readable-text',
      'text in UTF-8, so that the other rules can read it',
      changes
        .filter(({ kind, text }) => kind !== 'deleted' && text === null)
        .map(({ path }) => ({ found: `${path} without readable text`, ...at(path) })),
    ],
    [
      'bounded-size',
      `at most ${maximumFiles} files of ${maximumFileBytes} bytes`,
      [
        ...(changes.length > maximumFiles
          ? [{ found: `${changes.length} files`, file: null, line: null }]
          : []),
        ...changes.filter(isTooLong).map(({ path, text }) => ({
          found: `${path} with ${byteLength(text ?? '')} bytes`,
          ...at(path),
        })),
      ],
    ],
    [
      'protected-parameters',
      `none of ${policy.program.protectedParameters.join(', ')} set`,
      // What is too long is a breach already, and searching it could take for ever.
      changes
        .filter((change) => !isTooLong(change))
        .flatMap(({ path, text }) =>
          settings(text ?? '', policy.program.protectedParameters).map(({ name, line }) => ({
            found: `${path}${line === null ? '' : `:${line}`} sets ${name}`,
            ...at(path, line),
          })),
        ),
    ],
  ];

  return {
    unreadable: [],
    files: null,
    domain: domainOfPaths(
      policy,
      changes.map(({ path }) => path),
    ),
    checks: rules.map(([rule, expected, found]) => ({
      rule,
      passed: found.length === 0,
      found: found.length === 0 ? 'none' : found.map((breach) => breach.found).join('; '),
      expected,
    })),
    breaches: rules.flatMap(([rule, expected, found]) =>
      found.map((breach) => ({ rule, expected, ...breach })),
    ),
  };
};
