import { boundNames, childOf, FUNCTIONS, GRAMMAR, kindOf } from './javascript-tree.ts';
import { eachNode, nodesOf, type Frame, type SyntaxNode } from './walk.ts';

const IMPORTED = new Set(['ImportSpecifier', 'ImportDefaultSpecifier', 'ImportNamespaceSpecifier']);

/** What a statement declares in the block that it stands in. */
const declaredBy = (statement: SyntaxNode): readonly string[] => {
  switch (kindOf(statement)) {
    case 'VariableDeclaration':
      return nodesOf(statement, 'declarations').flatMap((each) => boundNames(childOf(each, 'id')));
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'TSEnumDeclaration':
      return boundNames(childOf(statement, 'id'));
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration': {
      const inner = childOf(statement, 'declaration');
      return inner === null ? [] : declaredBy(inner);
    }
    case 'ImportDeclaration':
      return nodesOf(statement, 'specifiers').flatMap((each) =>
        IMPORTED.has(kindOf(each) ?? '') ? boundNames(childOf(each, 'local')) : [],
      );
    case 'TSImportEqualsDeclaration':
      return boundNames(childOf(statement, 'id'));
    default:
      return [];
  }
};

/** `var` reaches all of the function that it stands in, or of the file. */
const hoistedIn = (root: SyntaxNode): readonly string[] => {
  const names: string[] = [];
  eachNode(
    GRAMMAR,
    root,
    (node, kind) => {
      if (kind === 'VariableDeclaration' && node['kind'] === 'var') names.push(...declaredBy(node));
    },
    (_, kind) => !FUNCTIONS.has(kind),
  );
  return names;
};

/** Names that a node declares for what stands in it; null for a node that declares none. */
const scopeOf = (node: SyntaxNode): ReadonlySet<string> | null => {
  const kind = kindOf(node) ?? '';
  if (FUNCTIONS.has(kind)) {
    const params = nodesOf(node, 'params').flatMap(boundNames);
    return new Set([...params, ...boundNames(childOf(node, 'id')), ...hoistedIn(node)]);
  }
  switch (kind) {
    case 'Program':
      return new Set([...nodesOf(node, 'body').flatMap(declaredBy), ...hoistedIn(node)]);
    case 'BlockStatement':
    case 'StaticBlock':
    case 'TSModuleBlock':
      return new Set(nodesOf(node, 'body').flatMap(declaredBy));
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement': {
      const head = childOf(node, 'init') ?? childOf(node, 'left');
      return head === null ? null : new Set(declaredBy(head));
    }
    case 'SwitchStatement':
      return new Set(
        nodesOf(node, 'cases').flatMap((each) => nodesOf(each, 'consequent').flatMap(declaredBy)),
      );
    case 'CatchClause':
      return new Set(boundNames(childOf(node, 'param')));
    case 'ClassExpression':
      return new Set(boundNames(childOf(node, 'id')));
    default:
      return null;
  }
};

/** Which names are declared where, for one program. */
export interface Scopes {
  /** Whether a name is declared within the statement, for the place of `at`. */
  readonly isLocal: (name: string, at: Frame) => boolean;
  /** Whether a name is one of the program's own where it stands, or one of Node's. */
  readonly isOwn: (name: string, at: Frame) => boolean;
  /** Whether the program declares a name at its top, or anywhere by `var`. */
  readonly isOfProgram: (name: string) => boolean;
}

/** Looks up names as JavaScript does, for the statements at the top of `program`. */
export const scopesOf = (program: SyntaxNode): Scopes => {
  const known = new WeakMap<SyntaxNode, ReadonlySet<string> | 'none'>();
  const declares = (node: SyntaxNode, name: string): boolean => {
    const scope = known.get(node) ?? scopeOf(node) ?? 'none';
    known.set(node, scope);
    return scope !== 'none' && scope.has(name);
  };
  const isLocal = (name: string, at: Frame): boolean => {
    for (let up: Frame | null = at; up !== null; up = up.parent)
      if (declares(up.node, name)) return true;
    return false;
  };
  const isOfProgram = (name: string): boolean => declares(program, name);
  return { isLocal, isOwn: (name, at) => isLocal(name, at) || isOfProgram(name), isOfProgram };
};
