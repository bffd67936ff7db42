import { joinedTexts } from './constants.ts';
import { listOf, walk, type Grammar, type SyntaxNode } from './walk.ts';

/** The kind of one of Babel's nodes; null for other data. */
export const kindOf = (value: object): string | null => {
  const { type } = value as { readonly type?: unknown };
  return typeof type === 'string' ? type : null;
};

/** The node under a field; null where there is none. */
export const childOf = (node: SyntaxNode, field: string): SyntaxNode | null => {
  const value = node[field];
  return typeof value === 'object' && value !== null && kindOf(value) !== null
    ? (value as SyntaxNode)
    : null;
};

/** What stands around an expression and changes nothing: parentheses and types. */
export const WRAPPERS: ReadonlySet<string> = new Set([
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
  'TSInstantiationExpression',
]);

/** An expression without the parentheses and types around it, which change nothing. */
export const bare = (node: SyntaxNode | null): SyntaxNode | null => {
  let inner = node;
  while (inner !== null && WRAPPERS.has(kindOf(inner) ?? '')) inner = childOf(inner, 'expression');
  return inner;
};

export const isMember = (node: SyntaxNode): boolean =>
  kindOf(node) === 'MemberExpression' || kindOf(node) === 'OptionalMemberExpression';

/** The text that an expression is sure to be: literals, and literals joined; null for any other. */
export const foldedText = (
  node: SyntaxNode | null,
  lookUp?: (name: string) => string | null,
): string | null => {
  const inner = bare(node);
  if (inner === null) return null;
  switch (kindOf(inner)) {
    case 'StringLiteral':
      return String(inner['value']);
    case 'NumericLiteral':
      return String(inner['value']);
    case 'Identifier':
      return lookUp?.(String(inner['name'])) ?? null;
    case 'TemplateLiteral': {
      const quasis = listOf(inner, 'quasis');
      const between = listOf(inner, 'expressions').map((each) => foldedText(each, lookUp));
      const texts = quasis.map((quasi, i) => {
        const { cooked } = (quasi?.['value'] ?? {}) as { readonly cooked?: string | null };
        const next = i < between.length ? between[i] : '';
        return typeof cooked === 'string' && typeof next === 'string' ? cooked + next : null;
      });
      return joinedTexts(texts);
    }
    case 'BinaryExpression': {
      if (inner['operator'] !== '+') return null;
      // Long chains lean to the left: follow them without recursion.
      const parts: string[] = [];
      let left: SyntaxNode | null = inner;
      while (left !== null && kindOf(left) === 'BinaryExpression' && left['operator'] === '+') {
        const right = foldedText(childOf(left, 'right'), lookUp);
        if (right === null) return null;
        parts.push(right);
        left = bare(childOf(left, 'left'));
      }
      return joinedTexts([foldedText(left, lookUp), ...parts.reverse()]);
    }
    default:
      return null;
  }
};

/** The text of a field that is a name or a constant text: `rate` of `.rate`, of `['rate']`, of `{ rate }`. */
export const textOf = (
  node: SyntaxNode,
  field: string,
  lookUp?: (name: string) => string | null,
): string | null => {
  const child = childOf(node, field);
  if (child === null) return null;
  if (node['computed'] === true) return foldedText(child, lookUp);
  return nameOf(child);
};

/** The name of an identifier, `#` left away, or the text of a literal key. */
export const nameOf = (node: SyntaxNode): string | null => {
  switch (kindOf(node)) {
    case 'Identifier':
    case 'JSXIdentifier':
      return String(node['name']);
    case 'PrivateName': {
      const id = childOf(node, 'id');
      return id === null ? null : nameOf(id);
    }
    case 'StringLiteral':
    case 'NumericLiteral':
      return String(node['value']);
    default:
      return null;
  }
};

const isLiteral = (node: SyntaxNode): boolean => {
  switch (kindOf(node)) {
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
    case 'NullLiteral':
    case 'BigIntLiteral':
      return true;
    case 'Identifier':
      return ['undefined', 'NaN', 'Infinity'].includes(String(node['name']));
    case 'TemplateLiteral':
      return listOf(node, 'expressions').length === 0;
    case 'UnaryExpression': {
      const argument = bare(childOf(node, 'argument'));
      return (
        (node['operator'] === '-' || node['operator'] === '+') &&
        argument !== null &&
        (kindOf(argument) === 'NumericLiteral' ||
          kindOf(argument) === 'BigIntLiteral' ||
          nameOf(argument) === 'Infinity')
      );
    }
    case 'ArrayExpression':
      return listOf(node, 'elements').every((each) => each !== null && isLiteral(each));
    case 'ObjectExpression':
      return listOf(node, 'properties').every((property) => {
        if (property === null || kindOf(property) !== 'ObjectProperty') return false;
        const value = childOf(property, 'value');
        const named = property['computed'] !== true && textOf(property, 'key') !== '__proto__';
        return named && property['shorthand'] !== true && value !== null && isLiteral(value);
      });
    case 'ParenthesizedExpression':
    case 'TSSatisfiesExpression': {
      const inner = childOf(node, 'expression');
      return inner !== null && isLiteral(inner);
    }
    default:
      return false;
  }
};

const isSilent = (field: string): boolean => {
  switch (field) {
    case 'type':
    case 'start':
    case 'end':
    case 'loc':
    case 'range':
    case 'extra':
    case 'errors':
    case 'comments':
    case 'leadingComments':
    case 'trailingComments':
    case 'innerComments':
    case 'tokens':
      return true;
    default:
      return false;
  }
};

/** Babel's trees. */
export const GRAMMAR: Grammar = { kindOf, isSilent, isWord: () => false, isLiteral };

export const lineAt = (node: SyntaxNode): number =>
  (node['loc'] as { readonly start: { readonly line: number } }).start.line;

/** The text of a tree without places, comments and spelling. */
export const exactOf = (node: SyntaxNode): string =>
  walk(
    GRAMMAR,
    node,
    () => {},
    () => {},
  ).exact;

/** `exports.rate`, `module.exports.rate` → rate; `module.exports` → module.exports. */
export const exportedName = (target: SyntaxNode | null): string | null => {
  if (target === null || kindOf(target) !== 'MemberExpression') return null;
  const object = childOf(target, 'object');
  const property = textOf(target, 'property') ?? '';
  if (object === null) return null;
  if (nameOf(object) === 'exports') return property;
  if (nameOf(object) === 'module' && property === 'exports') return 'module.exports';
  return exportedName(object) === 'module.exports' ? property : null;
};

/** All names that a pattern binds. */
export const boundNames = (pattern: SyntaxNode | null): readonly string[] => {
  const names: string[] = [];
  const open = pattern === null ? [] : [pattern];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const add = (next: SyntaxNode | null): void => {
      if (next !== null) open.push(next);
    };
    switch (kindOf(node)) {
      case 'Identifier':
        names.push(nameOf(node) ?? '');
        break;
      case 'ObjectPattern':
        listOf(node, 'properties').forEach(add);
        break;
      case 'ObjectProperty':
        add(childOf(node, 'value'));
        break;
      case 'ArrayPattern':
        listOf(node, 'elements').forEach(add);
        break;
      case 'AssignmentPattern':
        add(childOf(node, 'left'));
        break;
      case 'RestElement':
        add(childOf(node, 'argument'));
        break;
      case 'TSParameterProperty':
        add(childOf(node, 'parameter'));
        break;
      default:
    }
  }
  return names;
};

export const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ObjectMethod',
  'ClassMethod',
  'ClassPrivateMethod',
]);
