import { once } from '../once.ts';
import type { Scopes } from './javascript-scope.ts';
import {
  bare,
  boundNames,
  childOf,
  exactOf,
  exportedName,
  FUNCTIONS,
  GRAMMAR,
  isMember,
  kindOf,
  lineAt,
  nameOf,
  textOf,
  WRAPPERS,
} from './javascript-tree.ts';
import type { Reach } from './source.ts';
import { eachNode, nodesOf, type Frame, type SyntaxNode } from './walk.ts';

/** Methods of arrays, maps, sets and their like that change what they are called on. */
const MUTATORS = new Set([
  ...['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin'],
  ...['set', 'add', 'delete', 'clear', 'append', 'setTime', 'setFullYear'],
  ...['__defineGetter__', '__defineSetter__'],
]);

/** Functions of `Object` that change their first argument. */
const OBJECT_WRITES = new Set([
  ...['assign', 'defineProperty', 'defineProperties', 'setPrototypeOf'],
  ...['freeze', 'seal', 'preventExtensions'],
]);

/** Methods that hand back a new list, text or iterator's list, whatever they are called on. */
const COPIERS = new Set([
  ...['map', 'filter', 'slice', 'concat', 'flatMap', 'split', 'keys', 'values', 'entries'],
  ...['toSorted', 'toReversed', 'toSpliced', 'from', 'of', 'fromEntries'],
]);

/** What belongs to no part of a file, though no statement declares it. */
const SHARED = new Set(['exports', 'module', 'globalThis', 'global']);

const CALLS = new Set(['CallExpression', 'OptionalCallExpression']);

/** Constructors whose object is new each time. */
const MAKERS = new Set([
  ...['Array', 'Set', 'Map', 'WeakSet', 'WeakMap', 'Date'],
  ...['Float32Array', 'Float64Array', 'Int8Array', 'Int16Array', 'Int32Array'],
  ...['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array'],
]);

/**
 * Whether an expression makes a new object, list, map or text each time.
 *
 * @param isTaken whether the part or the file gives a name a meaning of its own
 */
const isFresh = (node: SyntaxNode, isTaken: (name: string) => boolean): boolean => {
  switch (kindOf(node)) {
    case 'ArrayExpression':
    case 'ObjectExpression':
      return true;
    case 'NewExpression': {
      const callee = bare(childOf(node, 'callee'));
      const name = callee === null ? null : nameOf(callee);
      return name !== null && MAKERS.has(name) && !isTaken(name);
    }
    case 'CallExpression':
    case 'OptionalCallExpression': {
      const callee = bare(childOf(node, 'callee'));
      if (callee === null || !isMember(callee)) return false;
      const method = textOf(callee, 'property') ?? '';
      if (COPIERS.has(method)) return !isTaken(method);
      const holder = bare(childOf(callee, 'object'));
      const first = bare(nodesOf(node, 'arguments')[0] ?? null);
      return (
        method === 'assign' &&
        kindOf(holder ?? {}) === 'Identifier' &&
        nameOf(holder ?? {}) === 'Object' &&
        !isTaken('Object') &&
        (kindOf(first ?? {}) === 'ObjectExpression' || kindOf(first ?? {}) === 'ArrayExpression')
      );
    }
    default:
      return false;
  }
};

/** Names that a part binds, and keys that it defines: what they say elsewhere they may not say here. */
const takenNames = (part: SyntaxNode): ReadonlySet<string> => {
  const taken = new Set<string>();
  eachNode(GRAMMAR, part, (node, kind) => {
    const bound = [
      ...boundNames(childOf(node, 'id')),
      ...(FUNCTIONS.has(kind) ? nodesOf(node, 'params').flatMap(boundNames) : []),
      ...placesOf(kind === 'AssignmentExpression' ? childOf(node, 'left') : null).flatMap(
        (place) => (isMember(place) ? (textOf(place, 'property') ?? []) : boundNames(place)),
      ),
    ];
    for (const name of bound) taken.add(name);
    if (/^(?:Object|Class)(?:Property|Method)$/u.test(kind)) {
      const key = textOf(node, 'key');
      if (key !== null) taken.add(key);
    }
  });
  return taken;
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

/** The function that a part is, or that it sets a name to; null for any other part. */
const functionOf = (part: SyntaxNode): SyntaxNode | null => {
  const own =
    kindOf(part) === 'VariableDeclarator'
      ? bare(childOf(part, 'init'))
      : kindOf(part) === 'ExpressionStatement'
        ? bare(childOf(childOf(part, 'expression') ?? {}, 'right'))
        : (childOf(part, 'declaration') ?? part);
  return own !== null && FUNCTIONS.has(kindOf(own) ?? '') ? own : null;
};

/** Names of a part that can hold nothing but what the part made itself, or what it was called with. */
const ownedNames = (
  part: SyntaxNode,
  names: readonly string[],
  isTaken: (name: string) => boolean,
): ReadonlySet<string> => {
  const owned = new Set<string>();
  const other = new Set<string>();
  const main = functionOf(part);
  const called = new Set<string>();
  eachNode(GRAMMAR, part, (node, kind) => {
    if (kind === 'VariableDeclaration')
      for (const each of nodesOf(node, 'declarations')) {
        const id = childOf(each, 'id');
        const init = bare(childOf(each, 'init'));
        const isOwned =
          node['kind'] === 'const' &&
          kindOf(id ?? {}) === 'Identifier' &&
          init !== null &&
          isFresh(init, isTaken);
        for (const name of boundNames(id)) (isOwned ? owned : other).add(name);
      }
    if (kind === 'CatchClause')
      for (const name of boundNames(childOf(node, 'param'))) other.add(name);
    if (FUNCTIONS.has(kind))
      for (const param of nodesOf(node, 'params'))
        for (const name of boundNames(param))
          (node === main && kindOf(param) === 'Identifier' ? owned : other).add(name);
    if (kind === 'AssignmentExpression' || /^For(?:Of|In)Statement$/u.test(kind))
      for (const place of placesOf(childOf(node, 'left')))
        if (!isMember(place)) for (const name of boundNames(place)) other.add(name);
    if (CALLS.has(kind)) {
      const callee = bare(childOf(node, 'callee'));
      if (callee !== null) called.add(nameOf(callee) ?? '');
    }
  });
  if (names.some((name) => called.has(name)))
    for (const param of nodesOf(main ?? {}, 'params'))
      for (const name of boundNames(param)) other.add(name);
  return new Set([...owned].filter((name) => !other.has(name)));
};

/** What has the value of what stands in it, or may have. */
const PASSES_ON = new Set([
  ...WRAPPERS,
  ...['LogicalExpression', 'SequenceExpression', 'AwaitExpression'],
]);

/** Whether an identifier stands where it is read and what it holds can be had by another name from there. */
const escapes = (frame: Frame): boolean => {
  let at = frame;
  let isOfMember = false;
  for (; at.parent !== null; at = at.parent) {
    const up = at.parent;
    const kind = kindOf(up.node) ?? '';
    if (isMember(up.node)) {
      if (at.field !== 'object') return false;
      isOfMember = true;
    } else if (kind === 'ConditionalExpression') {
      if (at.field === 'test') return false;
    } else if (!PASSES_ON.has(kind)) break;
  }
  const { parent, field } = at;
  switch (kindOf(parent?.node ?? {})) {
    case 'BinaryExpression':
    case 'UnaryExpression':
    case 'UpdateExpression':
    case 'TemplateLiteral':
    case 'IfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'ForStatement':
    case 'ForInStatement':
    case 'SwitchStatement':
    case 'SwitchCase':
    case 'ExpressionStatement':
    case 'ImportSpecifier':
    case 'ExportSpecifier':
      return false;
    case 'AssignmentExpression':
      return field === 'right';
    case 'CallExpression':
    case 'OptionalCallExpression':
    case 'NewExpression':
      return field !== 'callee' || isOfMember;
    case 'ObjectProperty':
    case 'ObjectMethod':
    case 'ClassMethod':
    case 'ClassProperty':
      return field !== 'key';
    case 'VariableDeclarator':
      return field === 'init';
    default:
      return !(kindOf(parent?.node ?? {}) ?? '').startsWith('TS');
  }
};

/** Whether `this` is the module's own: in no method and no function that has one of its own. */
const isModuleThis = (frame: Frame): boolean => {
  for (let up = frame.parent; up !== null; up = up.parent) {
    const kind = kindOf(up.node) ?? '';
    if (kind.startsWith('Class') || kind === 'StaticBlock') return false;
    if (FUNCTIONS.has(kind) && kind !== 'ArrowFunctionExpression') return false;
  }
  return true;
};

/**
 * How a part of a file reaches what it doesn't declare: it writes to it by name (assignment, update, delete, a method
 * that changes, a function of `Object` or `Reflect` that does, `call`, `apply` and `bind` on it); it hands it on under
 * another name; it changes something of which nobody can say whose it is. The last two make one reach together.
 *
 * Not seen: what a function of the fixed part hands back or changes when it is called, methods with other names that
 * change what they are called on, `this` in functions and classes, what the file
 * imports being handed on, and a method that is named as one of lists by a key that is made while it runs.
 */
export const reachRules = (
  part: SyntaxNode,
  names: readonly string[],
  { isLocal, isOfProgram }: Scopes,
  declared: ReadonlySet<string>,
  add: (reach: Reach) => void,
): ((frame: Frame, kind: string) => void) => {
  // Most parts change nothing of which this has to be known.
  const taken = once(() => takenNames(part));
  const isTaken = (name: string): boolean => declared.has(name) || taken().has(name);
  const owned = once(() => ownedNames(part, names, isTaken));
  const told = (how: Reach['how'], name: string, node: SyntaxNode, isFixed: boolean): void => {
    add({ how, name, isFixed, line: lineAt(node), key: `${how} ${name} ${exactOf(node)}` });
  };
  /** Its key is short: a call of a thousand names is not to be printed a thousand times. */
  const handedOn = (name: string, { node, parent, field }: Frame): void => {
    const to = parent?.node ?? {};
    const callee = bare(childOf(to, 'callee'));
    const called = callee === null ? '' : (nameOf(callee) ?? textOf(callee, 'property') ?? '');
    const key = `hands on ${name} ${kindOf(to)} ${field} ${called}`;
    add({ how: 'hands on', name, isFixed: false, line: lineAt(node), key });
  };
  /** For a name that is not local. */
  const wrote = (name: string, node: SyntaxNode): void => {
    const isFixed = SHARED.has(name) || (isOfProgram(name) && !declared.has(name));
    told('writes', name, node, isFixed);
  };
  /** Something changes the object that an expression is. */
  const changes = (frame: Frame, object: SyntaxNode | null): void => {
    let root = bare(object);
    const start = root;
    while (root !== null && isMember(root)) root = bare(childOf(root, 'object'));
    if (root === null || start === null) return;
    const name = kindOf(root) === 'Identifier' ? nameOf(root) : null;
    if (name !== null && !isLocal(name, frame)) wrote(name, start);
    else if (kindOf(root) === 'ThisExpression') {
      if (isModuleThis(frame)) told('writes', 'exports', start, true);
    } else if (kindOf(root) === 'Super') return;
    else if (root !== start || !(name === null ? isFresh(root, isTaken) : owned().has(name)))
      told('changes', '', start, false);
  };
  const assigns = (frame: Frame, target: SyntaxNode | null): void => {
    for (const place of placesOf(target)) {
      const own = exportedName(place);
      const isPartItself = frame.parent?.node === part && own !== null && names.includes(own);
      if (isPartItself) continue;
      if (isMember(place)) changes(frame, childOf(place, 'object'));
      else for (const name of boundNames(place)) if (!isLocal(name, frame)) wrote(name, place);
    }
  };
  const calls = (frame: Frame): void => {
    const callee = bare(childOf(frame.node, 'callee'));
    if (callee === null || !isMember(callee)) return;
    const object = bare(childOf(callee, 'object'));
    const method = textOf(callee, 'property');
    const holder = object === null ? null : nameOf(object);
    const [first = null] = nodesOf(frame.node, 'arguments');
    if (method === null || MUTATORS.has(method)) changes(frame, object);
    const isWrite =
      (holder === 'Object' && (method === null || OBJECT_WRITES.has(method))) ||
      (holder === 'Reflect' && method !== 'get' && method !== 'has' && method !== 'ownKeys') ||
      method === 'call' ||
      method === 'apply' ||
      method === 'bind';
    if (isWrite && first !== null && !/Literal$/u.test(kindOf(first) ?? '')) changes(frame, first);
  };
  return (frame, kind) => {
    const { node } = frame;
    if (kind === 'AssignmentExpression' || /^For(?:Of|In)Statement$/u.test(kind))
      assigns(frame, childOf(node, 'left'));
    if (kind === 'UpdateExpression' || node['operator'] === 'delete')
      assigns(frame, childOf(node, 'argument'));
    if (CALLS.has(kind)) calls(frame);
    if (kind === 'Identifier') {
      const name = nameOf(node) ?? '';
      if (isOfProgram(name) && !isLocal(name, frame) && escapes(frame)) handedOn(name, frame);
    }
  };
};
