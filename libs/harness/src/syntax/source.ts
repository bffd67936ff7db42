import type { Fingerprint } from './walk.ts';

/** What the gate reads a mutable file as; `text` is everything else. */
export const LANGUAGES = ['javascript', 'typescript', 'python', 'json', 'text'] as const;
export type Language = (typeof LANGUAGES)[number];

const ENDINGS: Readonly<Record<string, Language>> = {
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'typescript',
  py: 'python',
  pyi: 'python',
  json: 'json',
};

/** The language of a file, by the end of its name, in any case. */
export const languageOf = (path: string): Language =>
  ENDINGS[/\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''] ?? 'text';

/** The rules on what a file says; the others are on files as such. */
export const SYNTAX_RULES = [
  'protected-parameters',
  'plain-names',
  'no-dynamic-code',
  'no-new-imports',
  'no-process-access',
  'no-patching',
  'no-paths-outside',
] as const;
export type SyntaxRule = (typeof SYNTAX_RULES)[number];

/** Something in a text that a rule is against, unless the text before had it as well. */
export interface Fact {
  readonly rule: SyntaxRule;
  readonly line: number;
  readonly found: string;
  /** Two facts with the same key are the same thing said twice. */
  readonly key: string;
  /** Having it once, anywhere before, allows it everywhere: an import. */
  readonly allowedOnce: boolean;
}

/**
 * A way from a declaration to what it doesn't declare: it writes to it; it hands it on under another name; or it changes
 * something (no name) that may be whatever was handed on.
 */
export interface Reach {
  readonly how: 'writes' | 'hands on' | 'changes';
  readonly name: string;
  /** Whether the name is no declaration's of this file but shared all the same: an import, `exports`. */
  readonly isFixed: boolean;
  readonly line: number;
  /** Two reaches with the same key are the same thing said twice. */
  readonly key: string;
}

/** A declaration or statement at the top of a file, or what stands under a key of a JSON file. */
export interface Declaration extends Fingerprint {
  /** The names that it declares; none for a statement. */
  readonly names: readonly string[];
  readonly line: number;
  /** What makes it more than an edit of values and formulas: imports, classes, unbounded loops, recursion. */
  readonly structure: readonly string[];
  /** How it reaches what it doesn't declare. */
  readonly reaches: readonly Reach[];
  /** Whether it is a constant that nobody can change: a number, a text, true or false. */
  readonly isValue: boolean;
}

/** A file's text as the gate reads it. */
export interface Source {
  readonly declarations: readonly Declaration[];
  readonly facts: readonly Fact[];
}

/** Why a text is no program, where. */
export interface Unreadable {
  readonly line: number;
  readonly message: string;
}

/** What the readers of all languages need to know. */
export interface Reading {
  /** Relative to the program's folder. */
  readonly path: string;
  readonly protectedParameters: readonly string[];
  /** Files of the program that the policy names. */
  readonly programFiles: readonly string[];
}
