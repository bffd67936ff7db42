import { comparePaths } from './tree-format.ts';

/** What is wrong with one path. */
export interface PathProblem {
  /** As the caller gave it. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Bytes of UTF-8 that a path may have, and folders that it may go down. */
export const PATH_LIMITS = { bytes: 512, depth: 16 } as const;

/** Names that git itself gives a meaning to, in any case. */
const GIT_NAMES = new Set(['.git', '.gitattributes', '.gitmodules']);

/** Short names under which NTFS finds `.git`, `.gitmodules`, `.gitattributes`: `git~1`, `gitmod~1`, `gi7eba~1`. */
const NTFS_SHORT_NAME = /^gi[^~]*~[0-9]+$/i;

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

const nameProblem = (name: string): string | null => {
  if (name === '') return 'a part of it is empty';
  if (name === '.' || name === '..') return `"${name}" is not a name`;
  // Invisible characters are refused altogether: HFS+ ignores some, so ".g\u200cit" would be ".git" there.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return 'it holds control or invisible characters';
  if (/[\\:]/.test(name)) return 'it holds a backslash or a colon';
  if (/[. ]$/.test(name)) return 'a part of it ends in a dot or a space';
  if (GIT_NAMES.has(foldCase(name)) || NTFS_SHORT_NAME.test(name))
    return `git reads "${name}" itself`;
  return null;
};

/**
 * All that speaks against a path in a tree of ours, empty for a good one. Good paths are relative, plain and mean the
 * same on every file system: what is stored can be materialised anywhere, and lands where its name says.
 * Sources: git's verify_path, is_hfs_dotgit, is_ntfs_dotgit.
 */
export const pathProblems = (path: string): readonly string[] => {
  const problems: string[] = [];
  if (!path.isWellFormed()) return ['it holds a lone surrogate'];
  if (path.startsWith('/')) problems.push('it is absolute');
  if (path !== path.normalize('NFC')) problems.push('it is not in Unicode normal form C');
  if (byteLength(path) > PATH_LIMITS.bytes) {
    problems.push(`it has ${byteLength(path)} bytes, at most ${PATH_LIMITS.bytes} are allowed`);
  }
  const names = (path.startsWith('/') ? path.slice(1) : path).split('/');
  if (names.length > PATH_LIMITS.depth) {
    problems.push(`it is ${names.length} levels deep, at most ${PATH_LIMITS.depth} are allowed`);
  }
  for (const name of names) {
    const problem = nameProblem(name);
    if (problem !== null) problems.push(problem);
  }
  return [...new Set(problems)];
};

/** Names that Windows keeps for devices, whatever ending they have, and characters that it takes in no name. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;
const WINDOWS_CHARACTERS = /[<>"|?*]/;

/**
 * What speaks against the path of a new file besides: names that some file systems take for something else. A pinned
 * tree may hold such files, so that they are read and materialised; none is added.
 * Source: Microsoft, Naming Files, Paths, and Namespaces.
 */
export const newPathProblems = (path: string): readonly string[] =>
  path
    .split('/')
    .filter((name) => WINDOWS_DEVICE.test(name) || WINDOWS_CHARACTERS.test(name))
    .map((name) => `"${name}" is no name of a file on Windows`);

/** The problems of a path as one entry of a refusal, none for a good path. */
export const checkPath = (path: string): readonly PathProblem[] => {
  const problems = pathProblems(path);
  return problems.length === 0
    ? []
    : [{ path, code: 'bad-path', message: `${JSON.stringify(path)}: ${problems.join('; ')}` }];
};

/** Upper, then lower: so that ß and ss, ſ and s, K and the Kelvin sign meet as they do on a case-blind disk. */
export const foldCase = (name: string): string => name.toUpperCase().toLowerCase().normalize('NFC');

/** Names of one folder that a file system blind to case would take for one. */
export const collisions = (folder: string, names: Iterable<string>): readonly PathProblem[] => {
  const byFold = new Map<string, string[]>();
  for (const name of names)
    byFold.set(foldCase(name), [...(byFold.get(foldCase(name)) ?? []), name]);
  return [...byFold.values()]
    .filter((same) => same.length > 1)
    .map((same) => {
      const paths = same
        .map((name) => (folder === '' ? name : `${folder}/${name}`))
        .sort(comparePaths);
      return {
        path: paths[0] ?? folder,
        code: 'collision',
        message: `${paths.join(' and ')} differ only in case; give them different names`,
      };
    });
};

const REF_PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

const isRefPart = (part: string): boolean =>
  REF_PART.test(part) && !part.includes('..') && !part.endsWith('.') && !part.endsWith('.lock');

/**
 * Whether a name can stand below `refs/holdfast/`: parts of letters, digits, `.`, `_`, `-`, joined by slashes, within
 * git's rules (check-ref-format), 200 bytes at most.
 */
export const isRefName = (name: string): boolean =>
  name.length <= 200 && !name.startsWith('refs/') && name.split('/').every(isRefPart);

/** Whether an id can be one part of a ref's name. */
export const isRefPartName = (id: string): boolean => id.length <= 100 && isRefPart(id);
