import { parse } from 'py-ast';
import { refused, type Result } from '#libs/kernel';
import { pythonFacts } from './python-facts.ts';
import { childOf, GRAMMAR, kindOf, lineAt, pythonName } from './python-tree.ts';
import { readTree } from './read-tree.ts';
import type { Declaration, Fact, Reading, Source, Unreadable } from './source.ts';
import { eachNode, nodesOf, walk } from './walk.ts';
import type { Frame, SyntaxNode } from './walk.ts';

/** Names that a target binds. */
const boundNames = (target: SyntaxNode | null): readonly string[] => {
  if (target === null) return [];
  switch (kindOf(target)) {
    case 'Name':
      return [pythonName(target['id'])];
    case 'Tuple':
    case 'List':
      return nodesOf(target, 'elts').flatMap(boundNames);
    case 'Starred':
      return boundNames(childOf(target, 'value'));
    default:
      return [];
  }
};

const namesOf = (statement: SyntaxNode): readonly string[] => {
  switch (kindOf(statement)) {
    case 'FunctionDef':
    case 'AsyncFunctionDef':
    case 'ClassDef':
      return [pythonName(statement['name'])];
    case 'Assign':
      return nodesOf(statement, 'targets').flatMap(boundNames);
    case 'AnnAssign':
    case 'AugAssign':
      return boundNames(childOf(statement, 'target'));
    default:
      return [];
  }
};

/** Whether a call stands in the function that it calls. */
const isRecursive = ({ node, parent }: Frame): boolean => {
  const callee = childOf(node, 'func');
  if (callee === null) return false;
  const self = childOf(callee, 'value');
  const isOwn = kindOf(callee) === 'Attribute' && self !== null && self['id'] === 'self';
  const called = isOwn ? callee['attr'] : callee['id'];
  if (called === undefined) return false;
  for (let up = parent; up !== null; up = up.parent)
    if (/FunctionDef$/u.test(kindOf(up.node) ?? '') && up.node['name'] === called) return true;
  return false;
};

const isStructure = (frame: Frame, kind: string): string | null => {
  switch (kind) {
    case 'While':
      return 'while';
    case 'AsyncFunctionDef':
    case 'AsyncFor':
    case 'AsyncWith':
      return 'async';
    case 'Yield':
    case 'YieldFrom':
      return 'generator';
    case 'Call':
      return isRecursive(frame) ? 'recursion' : null;
    default:
      return null;
  }
};

const COUNTED_WHOLE = new Set(['Import', 'ImportFrom', 'ClassDef']);

/** PEP 263: in another encoding the same bytes are another program. */
const CODING = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/u;

const codingTrouble = (text: string): Unreadable | null => {
  const lines = text.split(/\r\n|\r|\n/u, 2);
  for (const [i, line] of lines.entries()) {
    const coding = CODING.exec(line)?.[1]?.toLowerCase().replaceAll('_', '-');
    if (coding !== undefined && !/^(?:utf-?8|ascii|us-ascii)(?:-sig)?$/u.test(coding))
      return { line: i + 1, message: `declares the encoding ${coding}, expected utf-8` };
  }
  return null;
};

/** Reads a Python file as Python 3 would. */
export const readPython = (text: string, reading: Reading): Result<Source, Unreadable> => {
  const coding = codingTrouble(text);
  if (coding !== null) return refused(coding);
  return readTree(
    text,
    () => parse(text.replace(/^\ufeff/u, '')) as unknown as SyntaxNode,
    (module) => readModule(module, reading),
  );
};

const readModule = (module: SyntaxNode, reading: Reading): Source => {
  const facts: Fact[] = [];
  const rules = pythonFacts(module, reading, (fact) => facts.push(fact));
  const declarations = nodesOf(module, 'body').map((statement): Declaration => {
    const structure: string[] = [];
    const reaches: { name: string; line: number }[] = [];
    const { exact, shape } = walk(
      GRAMMAR,
      statement,
      (frame, kind) => {
        const found = isStructure(frame, kind);
        if (found !== null) structure.push(found);
        if (kind === 'Global')
          for (const name of (frame.node['names'] ?? []) as readonly string[])
            reaches.push({ name: pythonName(name), line: lineAt(frame.node) });
        if (kind === 'Attribute' || kind === 'Subscript')
          if (kindOf(childOf(frame.node, 'ctx') ?? {}) === 'Store') {
            let root = childOf(frame.node, 'value');
            while (root !== null && /^(?:Attribute|Subscript)$/u.test(kindOf(root) ?? ''))
              root = childOf(root, 'value');
            for (const name of boundNames(root)) reaches.push({ name, line: lineAt(frame.node) });
          }
        rules.enter(frame, kind);
      },
      (frame, text) => {
        const kind = kindOf(frame.node) ?? '';
        if (COUNTED_WHOLE.has(kind)) structure.push(`${kind} ${text()}`);
        rules.leave(frame, text);
      },
    );
    const local = reaches.length === 0 ? new Set<string>() : localNames(statement);
    return {
      names: namesOf(statement),
      line: lineAt(statement),
      exact,
      shape,
      structure,
      reaches: reaches
        .filter(({ name }) => !local.has(name))
        .map((reach) => ({ ...reach, how: 'writes', key: reach.name, isFixed: false })),
      isValue: false,
    };
  });
  return { declarations, facts };
};

/** Names that a function declares as its own: parameters and what it assigns. */
const localNames = (statement: SyntaxNode): ReadonlySet<string> => {
  const names = new Set<string>();
  const globals = new Set<string>();
  eachNode(GRAMMAR, statement, (node, kind) => {
    if (kind === 'Arg') names.add(pythonName(node['arg']));
    if (kind === 'Name' && kindOf(childOf(node, 'ctx') ?? {}) === 'Store')
      names.add(pythonName(node['id']));
    if (kind === 'Global')
      for (const name of (node['names'] ?? []) as readonly string[]) globals.add(pythonName(name));
  });
  return new Set([...names].filter((name) => !globals.has(name)));
};
