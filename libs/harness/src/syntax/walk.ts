/** A node of a parser's tree: plain data, read by name. */
export interface SyntaxNode {
  readonly [field: string]: unknown;
}

/** A node with the way to it. */
export interface Frame {
  readonly node: SyntaxNode;
  readonly parent: Frame | null;
  /** The parent's field that holds it. */
  readonly field: string;
  readonly depth: number;
}

/** How one parser's trees are read. */
export interface Grammar {
  /** The node's kind; null for data that is no node. */
  kindOf(value: object): string | null;
  /** Fields that say where something stands or how it was written, not what it is. */
  readonly silent: ReadonlySet<string>;
  /** A value written out: a number, a text, true, false, nothing, and lists and records of them. */
  isLiteral(node: SyntaxNode): boolean;
}

/**
 * Levels that a file's syntax may nest: honest programs need forty, and from some four hundred on a parser's stack ends,
 * sooner in one place than in another. Within this bound every reader gets the same answer.
 */
export const DEEPEST = 200;

/** What nests too deep to be read. */
export class TooDeep extends Error {}

/** The texts of a tree without places, comments and spelling. Two trees mean the same when their texts are equal. */
export interface Fingerprint {
  readonly exact: string;
  /** With each literal value left out. */
  readonly shape: string;
}

const printed = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : String(value);

interface Closing {
  readonly closes: Frame;
  readonly start: number;
}

/**
 * Goes through a tree in the order of the text, without recursion.
 *
 * @param enter called with each node on the way down
 * @param leave called with each node on the way up, and its exact text
 * @throws TooDeep
 */
export const walk = (
  grammar: Grammar,
  root: SyntaxNode,
  enter: (frame: Frame, kind: string) => void,
  leave: (frame: Frame, exact: () => string) => void,
): Fingerprint => {
  const exact: string[] = [];
  const shape: string[] = [];
  /** How many literals are open: within one the shape is silent. */
  let literals = 0;
  const open: (Frame | Closing)[] = [{ node: root, parent: null, field: '', depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ('closes' in next) {
      const { closes, start } = next;
      exact.push(')');
      if (literals === 0) shape.push(')');
      else literals -= 1;
      leave(closes, () => exact.slice(start).join(''));
      continue;
    }
    const { node, depth } = next;
    if (depth > DEEPEST) throw new TooDeep();
    const kind = grammar.kindOf(node) ?? '';
    open.push({ closes: next, start: exact.length });
    exact.push(`${next.field}:${kind}(`);
    if (literals > 0) literals += 1;
    else if (grammar.isLiteral(node)) {
      literals = 1;
      shape.push(`${next.field}:#`);
    } else shape.push(`${next.field}:${kind}(`);
    enter(next, kind);

    const below: Frame[] = [];
    const say = (text: string): void => {
      exact.push(text);
      if (literals === 0) shape.push(text);
    };
    const take = (field: string, value: unknown): void => {
      if (typeof value !== 'object' || value === null) {
        if (value !== undefined && value !== null && value !== false)
          say(`${field}=${printed(value)};`);
        return;
      }
      if (Array.isArray(value)) {
        say(`${field}[${String(value.length)}]`);
        for (const each of value) take(field, each ?? 'none');
        return;
      }
      if (grammar.kindOf(value) === null) say(`${field}=${JSON.stringify(value)};`);
      else below.push({ node: value as SyntaxNode, parent: next, field, depth: depth + 1 });
    };
    for (const field in node) if (!grammar.silent.has(field)) take(field, node[field]);
    for (let i = below.length - 1; i >= 0; i--) open.push(below[i]!);
  }
  return { exact: exact.join(''), shape: shape.join('') };
};

/** Opening brackets that stand open at once, whatever they mean: more than any syntax tree can be deep. */
export const bracketDepth = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x28 || code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if ((code === 0x29 || code === 0x5d || code === 0x7d) && depth > 0) depth -= 1;
  }
  return deepest;
};

/** The line of a place in a text, from 1, with the line ends that editors know. */
export const lineOf = (text: string, index: number): number =>
  text.slice(0, index).split(/\r\n|\r|\n/u).length;
