import { isMap, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';

/** Keys and list places from the root, e.g. `['data', 'split', 'train']`. */
export type Path = readonly (string | number)[];

/** What is wrong with one place of a study file. */
export interface Complaint {
  readonly found: string;
  readonly expected: string;
  /** What to do. */
  readonly remedy: string;
}

/** What is wrong, and where. */
export interface StudyFileProblem extends Complaint {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Keys from the root, e.g. `data.split.train`; empty for the file as a whole. */
  readonly path: string;
}

/** Takes a complaint about a place; `key` points at the key instead of at its value. */
export type Report = (path: Path, complaint: Complaint, at?: 'key' | 'value') => void;

/** A YAML text as values (a mapping is a Map, in the order of the file), with the way back from a path to its line. */
export interface YamlDocument {
  readonly value: unknown;
  /** Problems of the text itself; if `readable` is false they are all that can be said. */
  readonly problems: readonly StudyFileProblem[];
  readonly readable: boolean;
  readonly locate: (path: Path, at?: 'key' | 'value') => Pick<StudyFileProblem, 'line' | 'column'>;
}

/** Aliases can multiply a small text into a huge value; a study needs a handful. */
const MAXIMUM_ALIASES = 50;

export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`,
    '',
  );

const startOf = (node: unknown): number | null => (node as Node | null)?.range?.[0] ?? null;

/** Where the key that ends a path stands; null when the path has none. */
const keyOffset = (document: Document, path: Path): number | null => {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return null;
  const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
  return startOf(pair?.key);
};

/** The place that a path names, or of what stands nearest above it. */
const offsetOf = (document: Document, path: Path, at: 'key' | 'value'): number => {
  if (path.length === 0) return startOf(document.contents) ?? 0;
  const value = at === 'value' ? startOf(document.getIn(path, true)) : null;
  return value ?? keyOffset(document, path) ?? offsetOf(document, path.slice(0, -1), 'key');
};

/** Reads YAML 1.2 (core schema). Never throws for what the text says. */
export const readYaml = (text: string, file: string): YamlDocument => {
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const unreadable = (found: string, remedy: string): YamlDocument => ({
    value: null,
    problems: [{ file, ...place(0), path: '', found, expected: 'a readable YAML text', remedy }],
    readable: false,
    locate: () => place(0),
  });

  let document: Document;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  } catch (error) {
    // The parser descends into what is nested; nothing else of a text makes it throw.
    if (!(error instanceof RangeError)) throw error;
    return unreadable('values nested too deeply', 'Write it flat, as the example study does.');
  }

  const duplicate = (code: string) => code === 'DUPLICATE_KEY';
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    file,
    ...place(pos[0]),
    path: '',
    found: duplicate(code) ? 'a key that stands there twice' : `not valid YAML: ${message}`,
    expected: duplicate(code) ? 'each key once' : 'YAML 1.2',
    remedy: duplicate(code) ? 'Remove one of the two.' : 'Mend the syntax at this place.',
  }));
  if ([...document.errors, ...document.warnings].some(({ code }) => !duplicate(code))) {
    return { value: null, problems, readable: false, locate: () => place(0) };
  }

  try {
    return {
      value: document.toJS({ maxAliasCount: MAXIMUM_ALIASES, mapAsMap: true }) as unknown,
      problems,
      readable: true,
      locate: (path, at = 'value') => place(offsetOf(document, path, at)),
    };
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    return unreadable('aliases that multiply the text', 'Write the values out.');
  }
};
