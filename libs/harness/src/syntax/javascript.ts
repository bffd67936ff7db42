import { parse, parseExpression, type ParserOptions } from '@babel/parser';
import type { Result } from '#libs/kernel';
import { javascriptFacts } from './javascript-facts.ts';
import { reachRules } from './javascript-reach.ts';
import { scopesOf, type Scopes } from './javascript-scope.ts';
import {
  bare,
  boundNames,
  childOf,
  exactOf,
  exportedName,
  FUNCTIONS,
  GRAMMAR,
  kindOf,
  lineAt,
  nameOf,
  textOf,
} from './javascript-tree.ts';
import type { Declaration, Fact, Reach, Reading, Source, Unreadable } from './source.ts';
import { readTree, RefusedText } from './read-tree.ts';
import { nodesOf, walk } from './walk.ts';
import type { Frame, SyntaxNode } from './walk.ts';

type Goal = 'module' | 'commonjs';

/** What Node may take a file for: its name says, or leaves it to `package.json` and to what stands in the text. */
const goalOf = (ending: string): Goal | 'either' =>
  ending.startsWith('m') ? 'module' : ending.startsWith('c') ? 'commonjs' : 'either';

const parseAs = (text: string, ending: string, sourceType: Goal): SyntaxNode => {
  const options: ParserOptions = {
    sourceType,
    // Parentheses nest in the parser, so they have to count where depth is bounded.
    createParenthesizedExpressions: true,
    attachComment: false,
    plugins: [
      ...(ending.includes('ts') ? (['typescript'] as const) : []),
      ...(ending.endsWith('x') ? (['jsx'] as const) : []),
    ],
  };
  const { program, comments } = parse(text, options);
  // What hides a line in a script is a row of operators in a module, and no honest program has it.
  const html = comments?.find(
    ({ type, start }) => type === 'CommentLine' && !text.startsWith('//', start ?? 0),
  );
  if (html !== undefined)
    throw new RefusedText(
      'has a comment of HTML (<!-- or -->), which is code in a module',
      html.loc?.start.line ?? 1,
    );
  return program as unknown as SyntaxNode;
};

const parsedOr = (make: () => SyntaxNode): SyntaxNode | SyntaxError => {
  try {
    return make();
  } catch (error) {
    // An overflow or a rule of ours is no answer of the grammar: it must not leave the choice to the other reading.
    if (error instanceof SyntaxError) return error;
    throw error;
  }
};

/** Directives and statements: what a program is, without what it was taken for. */
const statementsOf = (program: SyntaxNode): readonly SyntaxNode[] => [
  ...nodesOf(program, 'directives'),
  ...nodesOf(program, 'body'),
];

/** The first line that says one thing in one reading and another in the other; null where both say the same. */
const firstDifference = (a: SyntaxNode, b: SyntaxNode): number | null => {
  const [left, right] = [statementsOf(a), statementsOf(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [one, other] = [left[i], right[i]];
    if (one === undefined || other === undefined) return lineAt((one ?? other)!);
    if (exactOf(one) !== exactOf(other)) return lineAt(one);
  }
  return null;
};

/**
 * The tree of what Node runs. A `.js` or `.ts` without a type in `package.json` is CommonJS if it can be read so, and a
 * module if not; with one it is what that says. So a text that can be read both ways has to say the same in both.
 *
 * @throws SyntaxError and RefusedText, with the place in `loc`; RangeError and TooDeep for what nests too deep
 */
const parseAsNode = (text: string, path: string): SyntaxNode => {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  const goal = goalOf(ending);
  if (goal !== 'either') return parseAs(text, ending, goal);
  const common = parsedOr(() => parseAs(text, ending, 'commonjs'));
  const module = parsedOr(() => parseAs(text, ending, 'module'));
  if (common instanceof SyntaxError) {
    if (module instanceof SyntaxError) throw module;
    return module;
  }
  if (module instanceof SyntaxError) return common;
  const line = firstDifference(common, module);
  if (line === null) return common;
  throw new RefusedText('means one thing as a CommonJS script and another as a module', line);
};

/** A statement at the top, one for each thing that it declares. */
interface Part {
  readonly node: SyntaxNode;
  readonly names: readonly string[];
  /** What a declarator stands in. */
  readonly kind: string;
}

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

/** What is only there to be named: its text counts whole. */
const COUNTED_WHOLE = new Set([
  'ImportDeclaration',
  'ClassDeclaration',
  'ClassExpression',
  'TSImportEqualsDeclaration',
]);

/** Whether a part is a constant that nobody can change: a number, a text, true or false. */
const isValue = ({ node, kind }: Part): boolean => {
  const init = kindOf(node) === 'VariableDeclarator' ? bare(childOf(node, 'init')) : null;
  return (
    /\bconst$/u.test(kind) &&
    init !== null &&
    GRAMMAR.isLiteral(init) &&
    !/^(?:Array|Object)Expression$/u.test(kindOf(init) ?? '')
  );
};

const readPart = (
  part: Part,
  scopes: Scopes,
  declared: ReadonlySet<string>,
  collect: (frame: Frame, kind: string) => void,
  left: (frame: Frame, exact: () => string) => void,
): Declaration => {
  const structure: string[] = [];
  const reaches: Reach[] = [];
  const reach = reachRules(part.node, part.names, scopes, declared, (each) => reaches.push(each));
  const { exact, shape } = walk(
    GRAMMAR,
    part.node,
    (frame, kind) => {
      const { node } = frame;
      const found = isStructure(frame, kind);
      if (found !== null) structure.push(found);
      if (kind === 'ExportNamedDeclaration' || kind === 'ExportAllDeclaration')
        if (childOf(node, 'source') !== null) structure.push('export from');
      reach(frame, kind);
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
    isValue: isValue(part),
  };
};

const readProgram = (program: SyntaxNode, reading: Reading): Source => {
  const facts: Fact[] = [];
  const scopes = scopesOf(program);
  const rules = javascriptFacts(program, scopes, reading, (fact) => facts.push(fact));
  const parts = statementsOf(program).flatMap(partsOf);
  const declared = new Set(parts.flatMap(({ names }) => names));
  const declarations = parts.map((part) =>
    readPart(part, scopes, declared, rules.enter, rules.leave),
  );
  return { declarations, facts };
};

/** Reads a JavaScript or TypeScript file as Node would. */
export const readJavascript = (text: string, reading: Reading): Result<Source, Unreadable> =>
  readTree(
    text,
    () => parseAsNode(text, reading.path),
    (program) => readProgram(program, reading),
  );

/** The value of a JSON text with places, read as what it also is: an expression of JavaScript. */
export const parseJsonExpression = (text: string): SyntaxNode =>
  parseExpression(text, {
    attachComment: false,
    createParenthesizedExpressions: true,
  }) as unknown as SyntaxNode;
