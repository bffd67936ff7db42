import { joinedTexts } from './constants.ts';
import { listOf, nodesOf, type Grammar, type SyntaxNode } from './walk.ts';

/** The kind of one of py-ast's nodes, which are those of CPython's own `ast`; null for other data. */
export const kindOf = (value: object): string | null => {
  const { nodeType } = value as { readonly nodeType?: unknown };
  return typeof nodeType === 'string' ? nodeType : null;
};

/** The node under a field; null where there is none. */
export const childOf = (node: SyntaxNode, field: string): SyntaxNode | null => {
  const value = node[field];
  return typeof value === 'object' && value !== null && kindOf(value) !== null
    ? (value as SyntaxNode)
    : null;
};

/** Python reads names in normal form KC: `ſeed` is `seed`. */
export const pythonName = (name: unknown): string => String(name).normalize('NFKC');

/** The text that a node is sure to be; null for any other. */
export const foldedText = (
  node: SyntaxNode | null,
  lookUp?: (name: string) => string | null,
): string | null => {
  if (node === null) return null;
  switch (kindOf(node)) {
    case 'Constant':
      return typeof node['value'] === 'string' ? node['value'] : null;
    case 'Name':
      return lookUp?.(pythonName(node['id'])) ?? null;
    case 'JoinedStr': {
      const parts = nodesOf(node, 'values').map((part) =>
        foldedText(kindOf(part) === 'FormattedValue' ? childOf(part, 'value') : part, lookUp),
      );
      return joinedTexts(parts);
    }
    case 'BinOp': {
      const parts: string[] = [];
      let left: SyntaxNode | null = node;
      while (left !== null && kindOf(left) === 'BinOp') {
        if (kindOf(childOf(left, 'op') ?? {}) !== 'Add') return null;
        const right = foldedText(childOf(left, 'right'), lookUp);
        if (right === null) return null;
        parts.push(right);
        left = childOf(left, 'left');
      }
      return joinedTexts([foldedText(left, lookUp), ...parts.reverse()]);
    }
    default:
      return null;
  }
};

const isLiteral = (node: SyntaxNode): boolean => {
  switch (kindOf(node)) {
    case 'Constant':
      return true;
    case 'UnaryOp': {
      const sign = kindOf(childOf(node, 'op') ?? {});
      const operand = childOf(node, 'operand');
      return (sign === 'USub' || sign === 'UAdd') && kindOf(operand ?? {}) === 'Constant';
    }
    case 'List':
    case 'Tuple':
    case 'Set':
      return listOf(node, 'elts').every((each) => each !== null && isLiteral(each));
    case 'Dict':
      return [...listOf(node, 'keys'), ...listOf(node, 'values')].every(
        (each) => each !== null && isLiteral(each),
      );
    default:
      return false;
  }
};

const isSilent = (field: string): boolean => {
  switch (field) {
    case 'nodeType':
    case 'lineno':
    case 'col_offset':
    case 'end_lineno':
    case 'end_col_offset':
    case 'ctx':
    case 'quote_style':
    case 'kind':
    case 'type_comment':
    case 'type_ignores':
    case 'comments':
    case 'inlineComment':
      return true;
    default:
      return false;
  }
};

/** py-ast's trees. */
export const GRAMMAR: Grammar = {
  kindOf,
  isSilent,
  isWord: (field) => field === 'op' || field === 'ops',
  isLiteral,
};

export const lineAt = (node: SyntaxNode): number => Number(node['lineno'] ?? 1);
