import { once } from '../once.ts';
import type { Breach } from '../policy.ts';
import { hiddenCharacters, shown } from '../syntax/names.ts';
import { readSource } from '../syntax/read.ts';
import {
  languageOf,
  SYNTAX_RULES,
  type Fact,
  type Language,
  type Reading,
  type Source,
  type Unreadable,
} from '../syntax/source.ts';
import { lineOf } from '../syntax/walk.ts';
import { settings } from './by-text.ts';
import { classify, type Classified } from './classify.ts';
import {
  mutableEntries,
  mutableFile,
  mutablePaths,
  ownersOf,
  type MutableFile,
} from './mutable-set.ts';
import {
  byteLength,
  dearest,
  type FileChange,
  type FileRuling,
  type MidLoopRuling,
  type Policy,
} from './ruling.ts';

/** Breaches of one rule that are told: enough to see what was done; a file full of them must not fill the log. */
const MOST_PLACES = 20;

type Found = Omit<Breach, 'rule' | 'expected'>;

/** A changed file as the rules see it. */
interface Changed {
  readonly change: FileChange;
  readonly language: Language;
  readonly mutable: MutableFile | null;
  /** The text before, read when it is asked for; null where there was none that could be read. */
  readonly before: () => Source | null;
  readonly after: Source | null;
  readonly unreadable: Unreadable | null;
  readonly classified: Classified;
}

/** In a text that is no code the lines count: those that stood there before are no breach. */
const textFacts = (
  { path, text, textBefore }: FileChange,
  protectedParameters: readonly string[],
): readonly Fact[] => {
  if (text === null) return [];
  const split = (all: string) => all.split(/\r\n|\r|\n/u);
  const known = new Set(textBefore === null ? [] : split(textBefore));
  const lines = split(text);
  const isNew = (line: number | null): boolean =>
    line === null || !known.has(lines[line - 1] ?? '');
  const fact = (rule: Fact['rule'], line: number | null, found: string): readonly Fact[] =>
    isNew(line) ? [{ rule, line: line ?? 1, found, key: '', allowedOnce: false }] : [];
  return [
    ...hiddenCharacters(text)
      .slice(0, 1000)
      .flatMap(({ index, name }) =>
        fact('plain-names', lineOf(text, index), `the hidden character ${name}`),
      ),
    ...(languageOf(path) === 'text'
      ? settings(text, protectedParameters).flatMap(({ name, line }) =>
          fact('protected-parameters', line, `sets ${name}`),
        )
      : []),
  ];
};

const NOTHING: Classified = { domains: [], stray: [] };

const look = (
  policy: Policy,
  reading: Omit<Reading, 'path'>,
  change: FileChange,
  mayRead: boolean,
): Changed => {
  const { path, text, textBefore } = change;
  const language = languageOf(path);
  const mutable = mutableFile(policy, path);
  const before = once((): Source | null => {
    if (textBefore === null || language === 'text') return null;
    const read = readSource(language, textBefore, { ...reading, path });
    return read.ok ? read.value : null;
  });
  const base = { change, language, mutable, before, after: null, unreadable: null };
  if (mutable === null) return { ...base, classified: NOTHING };
  if (!mayRead || text === null)
    return { ...base, classified: { domains: ownersOf(mutable), stray: [] } };
  if (language === 'text') {
    const stray =
      mutable.whole.length > 0 ? [] : [{ found: 'changes what has no parts', line: null }];
    return { ...base, classified: { domains: mutable.whole, stray } };
  }
  const after = readSource(language, text, { ...reading, path });
  if (!after.ok) return { ...base, unreadable: after.error, classified: NOTHING };
  return {
    ...base,
    after: after.value,
    classified: isOneDomain(mutable, language)
      ? { domains: mutable.whole, stray: [] }
      : classify(mutable, language, before(), after.value),
  };
};

/** Whether every change of a file is of the same domains, whatever was there before. */
const isOneDomain = ({ whole, parts }: MutableFile, language: Language): boolean =>
  parts.length === 0 && (language === 'json' || whole.every((domain) => domain === 'architecture'));

/** What the texts say now and did not say before, wherever in the diff it stood. */
const newFacts = (changed: readonly Changed[]): readonly { path: string; fact: Fact }[] => {
  const had = new Map<string, number>();
  const keyOf = ({ rule, key }: Fact): string => `${rule} ${key}`;
  // Most edits bring nothing that any rule is against: then what was there before needs no reading.
  if (changed.every(({ after }) => (after?.facts.length ?? 0) === 0)) return [];
  for (const { before } of changed)
    for (const fact of before()?.facts ?? []) had.set(keyOf(fact), (had.get(keyOf(fact)) ?? 0) + 1);
  return changed.flatMap(({ change: { path }, after }) =>
    (after?.facts ?? [])
      .filter((fact) => {
        const count = had.get(keyOf(fact)) ?? 0;
        if (!fact.allowedOnce) had.set(keyOf(fact), count - 1);
        return count <= 0;
      })
      .map((fact) => ({ path, fact })),
  );
};

const EXPECTED: Readonly<Record<Exclude<Fact['rule'], 'protected-parameters'>, string>> = {
  'plain-names': 'names and texts that read as what they are: no look-alikes, nothing invisible',
  'no-dynamic-code': 'code that stands in the files, none that is made while it runs',
  'no-new-imports':
    'files of the program, modules that compute, and what the changed files imported before',
  'no-process-access': 'nothing of processes, signals, threads, the environment or the network',
  'no-patching': 'no change of built-ins, of prototypes or of what another file owns',
  'no-paths-outside': 'paths in /program, /task, /data, /out and /tmp',
};

/** The rules of today: code and JSON are read as syntax trees, and only what the diff brings can be a breach. */
export const gateBySyntax = (policy: Policy, changes: readonly FileChange[]): MidLoopRuling => {
  const { maximumFiles, maximumFileBytes } = policy.gates.midLoop;
  const { protectedParameters, entry } = policy.program;
  const entries = mutableEntries(policy);
  const named = entries.map(({ path, part }) => (part === null ? path : `${path}#${part}`));
  const reading = { protectedParameters, programFiles: [entry, ...mutablePaths(policy)] };
  const isTooLong = ({ text }: FileChange) => text !== null && byteLength(text) > maximumFileBytes;
  const isTooMany = changes.length > maximumFiles;
  // What is too long or too many is a breach already, and reading it could take for ever.
  const mayRead = (change: FileChange) => !isTooMany && !isTooLong(change);
  const changed = changes.map((change) => look(policy, reading, change, mayRead(change)));
  const at = (file: string, line: number | null, what: string): Found => ({
    found: `${shown(file)}${line === null ? '' : `:${line}`} ${what}`,
    file,
    line,
  });
  const facts = [
    ...newFacts(changed),
    ...changes
      .filter(mayRead)
      .flatMap((change) =>
        textFacts(change, protectedParameters).map((fact) => ({ path: change.path, fact })),
      ),
  ];

  const rules: readonly (readonly [string, string, readonly Found[]])[] = [
    [
      'mutable-files-only',
      `only ${[...new Set(entries.map(({ path }) => path))].join(', ')}`,
      changes.length === 0
        ? [{ found: 'no file', file: null, line: null }]
        : changed
            .filter(({ mutable }) => mutable === null)
            .map(({ change: { path, kind } }) => at(path, null, kind)),
    ],
    [
      'mutable-declarations-only',
      `only ${named.join(', ')}`,
      changed.flatMap(({ change: { path }, classified }) =>
        classified.stray.map(({ found, line }) => at(path, line, shown(found))),
      ),
    ],
    [
      'regular-files-only',
      'regular files (mode 100644), none removed',
      changes
        .filter(
          ({ kind, mode }) => kind === 'type-changed' || kind === 'deleted' || mode !== '100644',
        )
        .map(({ path, kind, mode }) =>
          at(path, null, kind === 'deleted' ? 'deleted' : `with mode ${mode ?? 'none'}`),
        ),
    ],
    [
      'readable-text',
      'text in UTF-8, so that the other rules can read it',
      changes
        .filter(({ kind, text }) => kind !== 'deleted' && text === null)
        .map(({ path }) => at(path, null, 'without readable text')),
    ],
    [
      'bounded-size',
      `at most ${maximumFiles} files of ${maximumFileBytes} bytes`,
      [
        ...(isTooMany ? [{ found: `${changes.length} files`, file: null, line: null }] : []),
        ...changes
          .filter(isTooLong)
          .map(({ path, text }) => at(path, null, `with ${byteLength(text ?? '')} bytes`)),
      ],
    ],
    ...SYNTAX_RULES.map((rule): readonly [string, string, readonly Found[]] => [
      rule,
      rule === 'protected-parameters'
        ? `none of ${protectedParameters.join(', ')} set`
        : EXPECTED[rule],
      facts
        .filter(({ fact }) => fact.rule === rule)
        .map(({ path, fact }) => at(path, fact.line, fact.found)),
    ]),
  ];

  const files = changed.map(
    ({ change: { path }, language, classified: { domains, stray } }): FileRuling => ({
      path,
      language,
      domain: stray.length > 0 ? null : dearest(policy, domains),
    }),
  );
  const touched = files.flatMap(({ domain }) => domain ?? []);
  return {
    domain: touched.length === files.length ? dearest(policy, touched) : null,
    checks: rules.map(([rule, expected, found]) => ({
      rule,
      passed: found.length === 0,
      found: found.length === 0 ? 'none' : listed(found),
      expected,
    })),
    breaches: rules.flatMap(([rule, expected, found]) =>
      found.slice(0, MOST_PLACES).map((breach) => ({ rule, expected, ...breach })),
    ),
    unreadable: changed.flatMap(({ change: { path }, unreadable }) =>
      unreadable === null
        ? []
        : [{ file: path, line: unreadable.line, message: shown(unreadable.message) }],
    ),
    files,
  };
};

const listed = (found: readonly Found[]): string => {
  const told = found.slice(0, MOST_PLACES).map((breach) => breach.found);
  const more = found.length - told.length;
  return `${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
};
