import { reasonOf, type Result } from '#libs/kernel';
import { factsOfNodes } from './facts.ts';
import { parseJsonExpression } from './javascript.ts';
import { childOf, GRAMMAR, kindOf, lineAt, nameOf } from './javascript-tree.ts';
import { nameTrouble, pathTrouble, protectedName, shown } from './names.ts';
import { readTree, RefusedText } from './read-tree.ts';
import type { Declaration, Fact, Reading, Source, Unreadable } from './source.ts';
import { eachNode, lineOf, nodesOf, walk } from './walk.ts';
import type { Frame, SyntaxNode } from './walk.ts';

/** The place that JSON.parse complains of: it says a position, or quotes nothing at the end. */
const complain = (text: string, error: unknown): RefusedText => {
  const message = reasonOf(error);
  const position = /position (\d+)/u.exec(message)?.[1];
  const line = lineOf(text, position === undefined ? text.length : Number(position));
  return new RefusedText(message.replace(/ in JSON at position.*$/su, ''), line);
};

/** A key within its file, as a JSON pointer (RFC 6901). */
const pointer = (above: string, key: string): string =>
  `${above}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** Null within a list, which is changed as a whole. */
const pointerOf = ({ node, parent }: Frame): string | null => {
  const above = parent === null ? '' : pointerOf(parent);
  if (above === null || kindOf(node) === 'ArrayExpression') return null;
  return kindOf(node) === 'ObjectProperty'
    ? pointer(above, nameOf(childOf(node, 'key') ?? {}) ?? '')
    : above;
};

/**
 * Reads a JSON file: what `JSON.parse` refuses is refused, and a key that stands twice in one object too, since readers
 * differ on which one counts. Each value is a declaration by its JSON pointer; those within another's stand after it.
 */
export const readJson = (text: string, reading: Reading): Result<Source, Unreadable> =>
  readTree(
    text,
    () => {
      try {
        JSON.parse(text);
      } catch (error) {
        throw complain(text, error);
      }
      const root = parseJsonExpression(text);
      eachNode(GRAMMAR, root, refuseDoubleKeys);
      return root;
    },
    (root) => readValue(root, reading),
  );

const refuseDoubleKeys = (node: SyntaxNode, kind: string): void => {
  if (kind !== 'ObjectExpression') return;
  const seen = new Set<string>();
  for (const property of nodesOf(node, 'properties')) {
    const key = nameOf(childOf(property, 'key') ?? {}) ?? '';
    if (seen.has(key))
      throw new RefusedText(`the key ${shown(key)} stands twice`, lineAt(property));
    seen.add(key);
  }
};

const readValue = (root: SyntaxNode, reading: Reading): Source => {
  const folders = reading.path.split('/').length - 1;
  const facts: Fact[] = [];
  const declarations: Declaration[] = [];
  const { find, leave } = factsOfNodes(lineAt, (fact) => facts.push(fact));
  const { exact, shape } = walk(
    // All of it is a value.
    { ...GRAMMAR, isLiteral: () => true },
    root,
    ({ node }, kind) => {
      if (kind === 'ObjectProperty') {
        const key = nameOf(childOf(node, 'key') ?? {}) ?? '';
        const known = protectedName(key, reading.protectedParameters);
        if (known !== null) find(node, 'protected-parameters', `sets ${known}`);
        const trouble = nameTrouble(key, reading.protectedParameters);
        if (trouble !== null) find(node, 'plain-names', `the key ${shown(key)}, which ${trouble}`);
      }
      if (kind === 'StringLiteral') {
        const outside = pathTrouble(String(node['value']), folders);
        if (outside !== null)
          find(
            node,
            'no-paths-outside',
            `the text ${shown(String(node['value']))}, which ${outside}`,
          );
      }
    },
    (frame, text) => {
      const { node } = frame;
      leave(frame, text);
      if (kindOf(node) !== 'ObjectProperty') return;
      const place = pointerOf(frame);
      if (place === null) return;
      const value = childOf(node, 'value');
      const said = text();
      declarations.push({
        names: [place],
        line: lineAt(value ?? node),
        exact: said,
        shape: said,
        structure: [],
        reaches: [],
        isValue: false,
      });
    },
  );
  const whole: Declaration = {
    names: [''],
    line: lineAt(root),
    exact,
    shape,
    structure: [],
    reaches: [],
    isValue: false,
  };
  return { declarations: [whole, ...declarations], facts };
};
