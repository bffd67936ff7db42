import { parse } from 'yaml';
import { studyShape } from '../../libs/studies/src/study-shape.ts';
import type { Complaint, Path } from '../../libs/studies/src/yaml-document.ts';
import { code, page, table } from './markdown.ts';
import { MEANINGS } from './study-file-meanings.ts';

/** The least that a study file must say. */
const LEAST = `
study: { id: s, title: t, question: q }
program: { path: program, entry: train.js, mutable: { feature: [f.json], hyperparameter: [h.json] } }
data:
  path: data.csv
  outcome: { name: o, column: o, positive: { equals: 'yes' } }
  dimensions: { example: { values: ['yes', 'no'] } }
  protected: { example2: { values: ['yes', 'no'] } }
charts: { value: { reference: 0, allowance: 1, decision_interval: 1 } }
agent: { knobs: [{ file: f.json, key: use, values: [1] }] }
`;

/** Keys that a mapping takes freely are probed under this name. */
const FREE = 'example';

/** What no shape takes. */
const BAD = {};

interface Key {
  readonly path: string;
  /** What the file's own error message asks for. */
  readonly expected: string;
  /** The default; null where the key is needed. */
  readonly fallback: string | null;
}

type Tree = Map<string, unknown> | unknown[];

/** A copy of the least file with a value at a path, mappings and lists made on the way. */
const withValue = (path: Path, value: unknown): unknown => {
  if (path.length === 0) return value;
  const root = parse(LEAST, { mapAsMap: true }) as Map<string, unknown>;
  let at: Tree = root;
  for (const [depth, part] of path.entries()) {
    const last = depth === path.length - 1;
    const next = typeof path[depth + 1] === 'number' ? [] : new Map<string, unknown>();
    if (Array.isArray(at)) {
      const found = at[part as number];
      at[part as number] = last ? value : (found ?? next);
      at = at[part as number] as Tree;
    } else {
      const found = at.get(String(part));
      at.set(String(part), last ? value : isTree(found) ? found : next);
      at = at.get(String(part)) as Tree;
    }
  }
  return root;
};

const isTree = (value: unknown): value is Tree => value instanceof Map || Array.isArray(value);

const same = (a: Path, b: Path): boolean =>
  a.length === b.length && a.every((part, i) => part === b[i]);

/** What the study file's own check says of a value at a path. */
const complaints = (path: Path, value: unknown): readonly (Complaint & { readonly at: Path })[] => {
  const said: (Complaint & { at: Path })[] = [];
  studyShape(withValue(path, value), [], (at, complaint) => said.push({ ...complaint, at }));
  return said;
};

const expectedAt = (path: Path, value: unknown, at: Path = path): string | null =>
  complaints(path, value).find((complaint) => same(complaint.at, at))?.expected ?? null;

/** The keys of the mapping at a path; null where any key will do. */
const keysOf = (path: Path): readonly string[] | null => {
  const strange = 'nothing-of-the-kind';
  const expected = expectedAt(path, new Map([[strange, BAD]]), [...path, strange]);
  const known = /^only (.*)$/.exec(expected ?? '')?.[1];
  return known === undefined ? null : known.split(', ');
};

const MAPPING = 'a mapping of keys to values';

/** The default as it is written; empty where there is none to show, null where the key is needed. */
const defaultOf = (path: Path): string | null => {
  const said: Path[] = [];
  const read: unknown = studyShape(withoutKey(path), [], (at) => said.push(at));
  if (said.some((at) => same(at, path))) return null;
  const value = path.reduce<unknown>(
    (at, part) => (at as Record<string | number, unknown> | null | undefined)?.[part],
    read,
  );
  if (value === undefined) return '';
  if (typeof value === 'object' && value !== null && 'numerator' in value)
    return Object.values(value).join('/');
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? ''
    : JSON.stringify(value).replaceAll(',', ', ');
};

/** The least file without a key, if it is there. */
const withoutKey = (path: Path): Tree => {
  const root = parse(LEAST, { mapAsMap: true }) as Tree;
  let at: unknown = root;
  for (const part of path.slice(0, -1))
    at =
      at instanceof Map
        ? (at.get(part) as unknown)
        : Array.isArray(at)
          ? (at[part as number] as unknown)
          : undefined;
  if (at instanceof Map) at.delete(path.at(-1));
  return root;
};

const nameOf = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[]`;
    return `${text}${text === '' ? '' : '.'}${part === FREE ? '<name>' : part}`;
  }, '');

const probe = (path: Path): readonly Key[] => {
  const expected = expectedAt(path, BAD);
  if (expected === null) throw new Error(`${nameOf(path)} takes anything`);
  const nullable =
    path.length > 0 &&
    complaints(path, null).every(({ at }) => !nameOf(at).startsWith(nameOf(path)));
  const say = (text: string): string =>
    `${text}${nullable && !text.includes('null') ? ', or null' : ''}`;
  const own = (text: string): Key => ({
    path: nameOf(path),
    expected: say(text),
    fallback: defaultOf(path),
  });
  if (expected === MAPPING) {
    const keys = keysOf(path);
    const below = (keys ?? [FREE]).flatMap((key) => probe([...path, key]));
    return path.length === 0
      ? below
      : [own(keys === null ? 'a mapping with names of your own' : 'a mapping'), ...below];
  }
  const least = /^a list of (\d+)/.exec(expected)?.[1];
  if (least === undefined) return [own(expected)];
  const entries = Array.from({ length: Math.max(1, Number(least)) }, () => BAD);
  const entry = expectedAt(path, entries, [...path, 0]);
  if (entry === MAPPING) {
    const keys = keysOf([...path, 0]) ?? [];
    return [own(expected), ...keys.flatMap((key) => probe([...path, 0, key]))];
  }
  return [own(entry === null ? expected : `${expected}, each ${entry}`)];
};

/** The reference of the study file: `docs/reference/study-file.md`. */
export const studyFilePage = (): string => {
  const keys = probe([]);
  const names = keys.map(({ path }) => path);
  const untold = names.filter((name) => MEANINGS[name] === undefined);
  const stale = Object.keys(MEANINGS).filter((name) => !names.includes(name));
  if (untold.length + stale.length > 0)
    throw new Error(
      `study-file-meanings.ts: missing ${untold.join(', ') || 'none'}; stale ${stale.join(', ') || 'none'}`,
    );
  const sections = [...new Set(names.map((name) => /^\w+/.exec(name)?.[0] ?? name))];
  return page('The study file', 'libs/studies/src/study-shape.ts', [
    '`holdfast.yaml` is everything that the agent cannot change. It is read as YAML 1.2; a key that is not listed here is an error. `holdfast check` names every error of a file at once, each with its line and column, in the words of the column "must be". The resolved policy is pinned by its SHA-256 when a run opens.',
    ...sections.flatMap((section) => [
      `## ${section}`,
      table(
        ['key', 'must be', 'default', 'meaning'],
        keys
          .filter(({ path }) => /^\w+/.exec(path)?.[0] === section)
          .map(({ path, expected, fallback }) => [
            code(path),
            expected,
            fallback === null ? '**needed**' : fallback === '' ? '' : code(fallback),
            MEANINGS[path] ?? '',
          ]),
      ),
    ]),
  ]);
};
