import { parse, parseExpression, type ParserOptions } from '@babel/parser';
import type { Result } from '#libs/kernel';
import { javascriptFacts } from './javascript-facts.ts';
import { scopesOf, type Scopes } from './javascript-scope.ts';
import {
  bare,
  boundNames,
  childOf,
  FUNCTIONS,
  GRAMMAR,
  isMember,
  kindOf,
  nameOf,
  nodesOf,
  textOf,
} from './javascript-tree.ts';
import type { Declaration, Fact, Reading, Source, Unreadable } from './source.ts';
import { readTree } from './read-tree.ts';
import { walk } from './walk.ts';
import type { Frame, SyntaxNode } from './walk.ts';

/** The syntax that Node reads: by the name's end, and where that leaves it open, by what stands in the text. */
const optionsFor = (path: string): ParserOptions => {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return {
    sourceType: /^m/.test(ending) ? 'module' : /^c/.test(ending) ? 'commonjs' : 'unambiguous',
    // Parentheses nest in the parser, so they have to count where depth is bounded.
    createParenthesizedExpressions: true,
    attachComment: false,
    plugins: [
      ...(/ts/.test(ending) ? (['typescript'] as const) : []),
      ...(/x$/.test(ending) ? (['jsx'] as const) : []),
    ],
  };
};

const lineAt = (node: SyntaxNode): number =>
  (node['loc'] as { readonly start: { readonly line: number } }).start.line;

/** A statement at the top, one for each thing that it declares. */
interface Part {
  readonly node: SyntaxNode;
  readonly names: readonly string[];
  /** What a declarator stands in. */
  readonly kind: string;
}

/** `exports.rate`, `module.exports.rate` → rate; `module.exports` → module.exports. */
const exportedName = (target: SyntaxNode | null): string | null => {
  if (target === null || kindOf(target) !== 'MemberExpression') return null;
  const object = childOf(target, 'object');
  const property = textOf(target, 'property') ?? '';
  if (object === null) return null;
  if (nameOf(object) === 'exports') return property;
  if (nameOf(object) === 'module' && property === 'exports') return 'module.exports';
  return exportedName(object) === 'module.exports' ? property : null;
};

const partsOf = (statement: SyntaxNode): readonly Part[] => {
  const kind = kindOf(statement) ?? '';
  const whole = (names: readonly string[]): readonly Part[] => [{ node: statement, names, kind }];
  switch (kind) {
    case 'ExportNamedDeclaration': {
      const inner = childOf(statement, 'declaration');
      return inner === null
        ? whole([])
        : partsOf(inner).map((part) => ({ ...part, kind: `export ${part.kind}` }));
    }
    case 'ExportDefaultDeclaration': {
      const inner = childOf(statement, 'declaration');
      const named = inner === null ? null : childOf(inner, 'id');
      return whole([named === null ? 'default' : (nameOf(named) ?? '')]);
    }
    case 'VariableDeclaration':
      return nodesOf(statement, 'declarations').map((declarator) => ({
        node: declarator,
        names: boundNames(childOf(declarator, 'id')),
        kind: String(statement['kind']),
      }));
    case 'ExpressionStatement': {
      const expression = childOf(statement, 'expression');
      const target =
        expression !== null && kindOf(expression) === 'AssignmentExpression'
          ? exportedName(childOf(expression, 'left'))
          : null;
      return whole(target === null ? [] : [target]);
    }
    default: {
      const id = childOf(statement, 'id');
      return whole(id === null ? [] : [nameOf(id) ?? '']);
    }
  }
};

/** The name that a function is called by from within itself. */
const functionName = ({ node, parent }: Frame): string | null => {
  const own = childOf(node, 'id') ?? childOf(node, 'key');
  if (own !== null) return nameOf(own);
  const holder = parent?.node;
  if (holder === undefined) return null;
  const id = kindOf(holder) === 'VariableDeclarator' ? childOf(holder, 'id') : null;
  return id === null ? null : nameOf(id);
};

/** Whether a call stands in the function that it calls. */
const isRecursive = (call: Frame): boolean => {
  const callee = childOf(call.node, 'callee');
  if (callee === null) return false;
  const isOwn =
    kindOf(callee) === 'MemberExpression' &&
    kindOf(childOf(callee, 'object') ?? {}) === 'ThisExpression';
  const called = isOwn ? textOf(callee, 'property') : nameOf(callee);
  if (called === null) return false;
  for (let up = call.parent; up !== null; up = up.parent)
    if (FUNCTIONS.has(kindOf(up.node) ?? '') && functionName(up) === called) return true;
  return false;
};

const isStructure = (frame: Frame, kind: string): string | null => {
  const { node } = frame;
  if (FUNCTIONS.has(kind) && (node['async'] === true || node['generator'] === true))
    return node['async'] === true ? 'async' : 'generator';
  switch (kind) {
    case 'WhileStatement':
    case 'DoWhileStatement':
      return 'while';
    case 'ForStatement':
      return childOf(node, 'test') === null ? 'while' : null;
    case 'CallExpression':
      return isRecursive(frame) ? 'recursion' : null;
    default:
      return null;
  }
};

/** The places that a target of an assignment writes to, patterns opened; none of a declaration. */
const placesOf = (target: SyntaxNode | null): readonly SyntaxNode[] => {
  const place = bare(target);
  if (place === null) return [];
  switch (kindOf(place)) {
    case 'VariableDeclaration':
      return [];
    case 'ObjectPattern':
      return nodesOf(place, 'properties').flatMap((each) =>
        placesOf(childOf(each, 'value') ?? childOf(each, 'argument')),
      );
    case 'ArrayPattern':
      return nodesOf(place, 'elements').flatMap(placesOf);
    case 'AssignmentPattern':
      return placesOf(childOf(place, 'left'));
    case 'RestElement':
      return placesOf(childOf(place, 'argument'));
    default:
      return [place];
  }
};

/** What is only there to be named: its text counts whole. */
const COUNTED_WHOLE = new Set([
  'ImportDeclaration',
  'ClassDeclaration',
  'ClassExpression',
  'TSImportEqualsDeclaration',
]);

const readPart = (
  part: Part,
  { isLocal }: Scopes,
  collect: (frame: Frame, kind: string) => void,
  left: (frame: Frame, exact: () => string) => void,
): Declaration => {
  const structure: string[] = [];
  const reaches: { name: string; line: number }[] = [];
  const reach = (frame: Frame, target: SyntaxNode | null): void => {
    for (const place of placesOf(target)) {
      let root: SyntaxNode | null = place;
      while (root !== null && isMember(root)) root = bare(childOf(root, 'object'));
      for (const name of root === null ? [] : boundNames(root))
        if (!isLocal(name, frame)) reaches.push({ name, line: lineAt(place) });
    }
  };
  const { exact, shape } = walk(
    GRAMMAR,
    part.node,
    (frame, kind) => {
      const { node } = frame;
      const found = isStructure(frame, kind);
      if (found !== null) structure.push(found);
      if (kind === 'ExportNamedDeclaration' || kind === 'ExportAllDeclaration')
        if (childOf(node, 'source') !== null) structure.push('export from');
      if (kind === 'AssignmentExpression' || /^For(?:Of|In)Statement$/u.test(kind))
        reach(frame, childOf(node, 'left'));
      if (kind === 'UpdateExpression' || node['operator'] === 'delete')
        reach(frame, childOf(node, 'argument'));
      collect(frame, kind);
    },
    (frame, text) => {
      const kind = kindOf(frame.node) ?? '';
      if (COUNTED_WHOLE.has(kind)) structure.push(`${kind} ${text()}`);
      left(frame, text);
    },
  );
  return {
    names: part.names,
    line: lineAt(part.node),
    exact: `${part.kind} ${exact}`,
    shape: `${part.kind} ${shape}`,
    structure,
    reaches,
  };
};

const readStatements = (
  statements: readonly SyntaxNode[],
  program: SyntaxNode,
  reading: Reading,
): Source => {
  const facts: Fact[] = [];
  const scopes = scopesOf(program);
  const rules = javascriptFacts(program, scopes, reading, (fact) => facts.push(fact));
  const declarations = statements
    .flatMap(partsOf)
    .map((part) => readPart(part, scopes, rules.enter, rules.leave));
  return { declarations, facts };
};

/** Reads a JavaScript or TypeScript file as Node would. */
export const readJavascript = (text: string, reading: Reading): Result<Source, Unreadable> =>
  readTree(
    text,
    () => parse(text, optionsFor(reading.path)).program as unknown as SyntaxNode,
    (root) =>
      readStatements([...nodesOf(root, 'directives'), ...nodesOf(root, 'body')], root, reading),
  );

/** The value of a JSON text with places, read as what it also is: an expression of JavaScript. */
export const parseJsonExpression = (text: string): SyntaxNode =>
  parseExpression(text, {
    attachComment: false,
    createParenthesizedExpressions: true,
  }) as unknown as SyntaxNode;
