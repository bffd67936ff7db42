import { ok, refused, type Result } from '#libs/kernel';
import type { Source, Unreadable } from './source.ts';
import { bracketDepth, DEEPEST, lineOf, TooDeep, type SyntaxNode } from './walk.ts';

const tooDeep = (text: string) =>
  refused({ line: lineOf(text, text.length), message: `nests deeper than ${DEEPEST} levels` });

/** What no parser refuses and a reader does, told as a parser tells its own. */
export class RefusedText extends Error {
  readonly loc: { readonly line: number };

  constructor(message: string, line: number) {
    super(message);
    this.loc = { line };
  }
}

/** A parser's complaint with its line, its place in the words left away. */
const complaint = (error: Error): Unreadable => {
  const { loc, lineno } = error as { loc?: { line?: unknown }; lineno?: unknown };
  const line = Number(loc?.line ?? lineno ?? /\bat line (\d+)/u.exec(error.message)?.[1] ?? 1);
  return {
    line: Number.isSafeInteger(line) && line > 0 ? line : 1,
    message: error.message
      .replace(/ \(\d+:\d+\)$/u, '')
      .replace(/ at line \d+(?:, column \d+)?$/u, ''),
  };
};

/**
 * Parses a text and reads its tree. Whatever a parser throws is its refusal of the text; what overflows its stack, or
 * any reader's, nests too deep for everybody.
 *
 * @throws what `read` throws: a bug of ours
 */
export const readTree = (
  text: string,
  parse: () => SyntaxNode,
  read: (root: SyntaxNode) => Source,
): Result<Source, Unreadable> => {
  if (bracketDepth(text) > DEEPEST) return tooDeep(text);
  let root: SyntaxNode;
  try {
    root = parse();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TooDeep) return tooDeep(text);
    if (error instanceof Error) return refused(complaint(error));
    throw error;
  }
  try {
    return ok(read(root));
  } catch (error) {
    if (error instanceof RangeError || error instanceof TooDeep) return tooDeep(text);
    throw error;
  }
};
