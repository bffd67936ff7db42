/** A node of a parser's tree: plain data, read by name. */
export interface SyntaxNode {
  readonly [field: string]: unknown;
}

/** The nodes under a field that holds a list; null where the list has none, as for the key of Python's `**more`. */
export const listOf = (node: SyntaxNode, field: string): readonly (SyntaxNode | null)[] => {
  const value = node[field];
  return Array.isArray(value) ? (value as (SyntaxNode | null)[]) : [];
};

/** The nodes under a field that holds a list without holes. */
export const nodesOf = (node: SyntaxNode, field: string): readonly SyntaxNode[] =>
  listOf(node, field).filter((each) => each !== null);

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
  readonly kindOf: (value: object) => string | null;
  /** Whether a field says where something stands or how it was written, not what it is. */
  readonly isSilent: (field: string) => boolean;
  /** Whether a field's nodes are words of the language and nothing more, such as operators. */
  readonly isWord: (field: string) => boolean;
  /** A value written out: a number, a text, true, false, nothing, and lists and records of them. */
  readonly isLiteral: (node: SyntaxNode) => boolean;
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

/**
 * Goes through a tree in the order of the text, without recursion.
 *
 * @param enter called with each node on the way down
 * @param leave called with each node on the way up, and with what gives its exact text
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
  let closing = 0;
  const textOfClosing = (): string => exact.slice(closing).join('');
  const say = (field: string, sign: string, text: string): void => {
    exact.push(field, sign, text, ';');
    if (literals === 0) shape.push(field, sign, text, ';');
  };
  const open: Frame[] = [{ node: root, parent: null, field: '', depth: 0 }];
  /** Where the text of each open frame starts; −1 until it is entered. */
  const starts: number[] = [-1];
  const take = (frame: Frame, field: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      if (value !== undefined && value !== null && value !== false) say(field, '=', printed(value));
    } else if (Array.isArray(value)) {
      say(field, '#', String(value.length));
      for (const each of value) take(frame, field, each ?? 'none');
    } else {
      const kind = grammar.kindOf(value);
      if (kind === null) say(field, '=', JSON.stringify(value));
      else if (grammar.isWord(field)) say(field, '=', kind);
      else {
        open.push({ node: value as SyntaxNode, parent: frame, field, depth: frame.depth + 1 });
        starts.push(-1);
      }
    }
  };
  for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
    const start = starts[open.length - 1] ?? -1;
    if (start >= 0) {
      open.pop();
      starts.pop();
      exact.push(')');
      if (literals === 0) shape.push(')');
      else literals -= 1;
      closing = start;
      leave(next, textOfClosing);
      continue;
    }
    const { node, field: at } = next;
    if (next.depth > DEEPEST) throw new TooDeep();
    const kind = grammar.kindOf(node) ?? '';
    starts[open.length - 1] = exact.length;
    exact.push(at, ':', kind, '(');
    if (literals > 0) literals += 1;
    else if (grammar.isLiteral(node)) {
      literals = 1;
      shape.push(at, ':#');
    } else shape.push(at, ':', kind, '(');
    enter(next, kind);
    const first = open.length;
    for (const field in node) if (!grammar.isSilent(field)) take(next, field, node[field]);
    // What was pushed first has to be looked at first.
    for (let a = first, b = open.length - 1; a < b; a++, b--) {
      const other = open[a]!;
      open[a] = open[b]!;
      open[b] = other;
    }
  }
  return { exact: exact.join(''), shape: shape.join('') };
};

/**
 * Every node of a tree, in no order that counts.
 *
 * @param goesOn whether to look below a node
 */
export const eachNode = (
  { kindOf, isSilent, isWord }: Pick<Grammar, 'kindOf' | 'isSilent' | 'isWord'>,
  root: SyntaxNode,
  visit: (node: SyntaxNode, kind: string) => void,
  goesOn: (node: SyntaxNode, kind: string) => boolean = () => true,
): void => {
  const open: SyntaxNode[] = [root];
  const take = (value: unknown): void => {
    if (typeof value === 'object' && value !== null && kindOf(value) !== null)
      open.push(value as SyntaxNode);
  };
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const kind = kindOf(node) ?? '';
    visit(node, kind);
    if (node !== root && !goesOn(node, kind)) continue;
    for (const field in node) {
      if (isSilent(field) || isWord(field)) continue;
      const value = node[field];
      if (Array.isArray(value)) for (const each of value) take(each);
      else take(value);
    }
  }
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
