import type { FileDomain } from '../policy.ts';
import type { Declaration, Language, Source } from '../syntax/source.ts';
import { ownersOf, type MutableFile } from './mutable-set.ts';

/** Something changed that is in no mutable part. */
interface StrayChange {
  readonly found: string;
  readonly line: number | null;
}

/** The domains that a change of a file touches, and what it changes that it may not. */
export interface Classified {
  readonly domains: readonly FileDomain[];
  readonly stray: readonly StrayChange[];
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

/**
 * The domain of a change within what a domain owns.
 *
 * - hyperparameter: values alone may differ; in code any other difference is one of the architecture.
 * - feature: values, expressions, conditions, lists, helper functions and loops over what is there. Imports, classes,
 *   loops without a bound, recursion, generators and async functions are architecture.
 */
const domainWithin = (
  owner: FileDomain,
  language: Language,
  before: readonly Declaration[],
  after: readonly Declaration[],
): FileDomain => {
  if (language === 'json' || language === 'text') return owner;
  switch (owner) {
    case 'hyperparameter':
      return isSame(
        before.map(({ shape }) => shape),
        after.map(({ shape }) => shape),
      )
        ? owner
        : 'architecture';
    case 'feature': {
      const structure = (all: readonly Declaration[]) =>
        all.flatMap((declaration) => declaration.structure).toSorted();
      return isSame(structure(before), structure(after)) ? owner : 'architecture';
    }
    case 'architecture':
      return owner;
  }
};

/** The deepest values of a JSON file that differ, by their pointers. */
const jsonChanges = (before: Source | null, after: Source): readonly Declaration[] => {
  const byName = (source: Source | null) =>
    new Map((source?.declarations ?? []).map((each) => [each.names[0] ?? '', each]));
  const [old, now] = [byName(before), byName(after)];
  const differing = [...new Set([...now.keys(), ...old.keys()])].filter(
    (name) => old.get(name)?.exact !== now.get(name)?.exact,
  );
  return differing
    .filter((name) => !differing.some((other) => other !== name && other.startsWith(`${name}/`)))
    .flatMap((name) => now.get(name) ?? { ...old.get(name)!, line: 0 });
};

const classifyJson = (file: MutableFile, before: Source | null, after: Source): Classified => {
  const { whole, parts } = file;
  const changes = jsonChanges(before, after).map((declaration) => {
    const [name = ''] = declaration.names;
    const owners = parts
      .filter((part) => name === part.name || name.startsWith(`${part.name}/`))
      .map(({ domain }) => domain);
    return { declaration, name, owners: owners.length > 0 ? owners : whole };
  });
  return {
    // White space alone touches all that may change, as a comment does in code.
    domains: changes.length === 0 ? ownersOf(file) : changes.flatMap(({ owners }) => owners),
    stray: changes
      .filter(({ owners }) => owners.length === 0)
      .map(({ declaration: { line }, name }) => ({
        found: `changes ${name === '' ? 'the whole value' : `#${name}`}`,
        line: line === 0 ? null : line,
      })),
  };
};

/** What a declaration is called where it is told of. */
const called = ({ names }: Declaration): string =>
  names.length === 0 ? 'a statement' : names.join(', ');

/** What of `a` is not in `b`, each as often as it is more. */
const surplus = (a: readonly Declaration[], b: readonly Declaration[]): readonly Declaration[] => {
  const left = new Map<string, number>();
  for (const { exact } of b) left.set(exact, (left.get(exact) ?? 0) + 1);
  return a.filter(({ exact }) => {
    const count = left.get(exact) ?? 0;
    left.set(exact, count - 1);
    return count <= 0;
  });
};

const classifyCode = (
  { whole, parts }: MutableFile,
  language: Language,
  before: Source | null,
  after: Source,
): Classified => {
  const owned = new Map<string, FileDomain[]>();
  for (const { name, domain } of parts) owned.set(name, [...(owned.get(name) ?? []), domain]);
  const isPart = ({ names }: Declaration): boolean =>
    names.length > 0 && names.every((name) => owned.has(name));
  const [old, now] = [before?.declarations ?? [], after.declarations];
  const named = (all: readonly Declaration[], name: string) =>
    all.filter((each) => isPart(each) && each.names.includes(name));

  const touched = [...owned].filter(
    ([name]) =>
      !isSame(
        named(old, name).map(({ exact }) => exact),
        named(now, name).map(({ exact }) => exact),
      ),
  );
  const domains = touched.flatMap(([name, owners]) =>
    owners.map((owner) => domainWithin(owner, language, named(old, name), named(now, name))),
  );

  // Where a part stands in the file is none of its own: the order counts, what it says does not.
  const frame = (all: readonly Declaration[]) =>
    all.map((each) => (isPart(each) ? `part ${each.names.join()}` : each.exact));
  const rest = (all: readonly Declaration[]) => all.filter((each) => !isPart(each));
  const isFrameSame = isSame(frame(old), frame(now));
  if (isFrameSame && touched.length > 0)
    return { domains, stray: reaching(old, now, isPart, whole) };
  if (whole.length > 0)
    return {
      domains: [
        ...domains,
        ...whole.map((owner) => domainWithin(owner, language, rest(old), rest(now))),
      ],
      stray: [],
    };
  if (isFrameSame) return { domains: parts.map(({ domain }) => domain), stray: [] };

  const added = surplus(rest(now), rest(old));
  const removed = surplus(rest(old), rest(now)).filter(
    ({ names }) => !added.some((each) => isSame(each.names, names)),
  );
  const counts = [...owned.keys()].flatMap((name): readonly StrayChange[] => {
    const [were, are] = [named(old, name), named(now, name)];
    return were.length === are.length
      ? []
      : [
          {
            found: `declares ${name} ${are.length} times, ${were.length} before`,
            line: are.at(-1)?.line ?? null,
          },
        ];
  });
  const stray = [
    ...added.map((each) => ({ found: `changes ${called(each)}`, line: each.line })),
    ...removed.map((each) => ({ found: `removes ${called(each)}`, line: null })),
    ...counts,
  ];
  return {
    domains,
    stray: stray.length > 0 ? stray : [{ found: 'puts declarations elsewhere', line: null }],
  };
};

/**
 * What a mutable declaration newly writes to, or lets be written to, that is another declaration of its file. Parts are
 * looked at together: what one hands on another can change. See `reachRules` for what is not seen.
 */
const reaching = (
  old: readonly Declaration[],
  now: readonly Declaration[],
  isPart: (declaration: Declaration) => boolean,
  whole: readonly FileDomain[],
): readonly StrayChange[] => {
  if (whole.length > 0) return [];
  const rest = now.filter((each) => !isPart(each));
  const fixed = new Set(rest.flatMap(({ names }) => names));
  const values = new Set(rest.filter(({ isValue }) => isValue).flatMap(({ names }) => names));
  const before = new Set(
    old.filter(isPart).flatMap(({ reaches }) => reaches.map(({ key }) => key)),
  );
  const all = now
    .filter(isPart)
    .flatMap((each) =>
      each.reaches.map((reach) => ({ ...reach, by: called(each), isNew: !before.has(reach.key) })),
    );
  const written = all.filter(
    ({ how, name, isFixed, isNew }) => how === 'writes' && isNew && (isFixed || fixed.has(name)),
  );
  const handed = all.filter(
    ({ how, name }) => how === 'hands on' && fixed.has(name) && !values.has(name),
  );
  const changes = all.filter(({ how }) => how === 'changes');
  const isNewChange = changes.some(({ isNew }) => isNew);
  return [
    ...written.map(({ name, line, by }) => ({ found: `changes ${name} in ${by}`, line })),
    ...(changes.length === 0 ? [] : handed)
      .filter(({ isNew }) => isNew || isNewChange)
      .map(({ name, line, by }) => ({
        found: `may change ${name} in ${by}, by another name`,
        line,
      })),
  ];
};

/** The domains of the change of one file, from both sides of the diff. */
export const classify = (
  file: MutableFile,
  language: Language,
  before: Source | null,
  after: Source,
): Classified =>
  language === 'json'
    ? classifyJson(file, before, after)
    : classifyCode(file, language, before, after);
