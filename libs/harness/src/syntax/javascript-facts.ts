import { constantTexts } from './constants.ts';
import { factsOfNodes, type Rules } from './facts.ts';
import { javascriptImport } from './modules.ts';
import {
  bare,
  boundNames,
  childOf,
  foldedText,
  GRAMMAR,
  isMember,
  kindOf,
  lineAt,
  nameOf,
  textOf,
} from './javascript-tree.ts';
import type { Scopes } from './javascript-scope.ts';
import { nameTrouble, pathTrouble, protectedName, shown } from './names.ts';
import type { Fact, Reading } from './source.ts';
import { eachNode, listOf, type Frame, type SyntaxNode } from './walk.ts';

/** Names of the language and of Node that hold what everybody uses: whoever changes one changes it for the harness's readers too. */
const BUILT_IN = new Set([
  ...[
    'Array',
    'ArrayBuffer',
    'BigInt',
    'Boolean',
    'Buffer',
    'DataView',
    'Date',
    'Error',
    'Float32Array',
  ],
  ...[
    'Float64Array',
    'Function',
    'Int8Array',
    'Int16Array',
    'Int32Array',
    'Intl',
    'Iterator',
    'JSON',
    'Map',
  ],
  ...[
    'Math',
    'Number',
    'Object',
    'Promise',
    'Proxy',
    'RangeError',
    'Reflect',
    'RegExp',
    'Set',
    'String',
  ],
  ...[
    'Symbol',
    'SyntaxError',
    'TextDecoder',
    'TextEncoder',
    'TypeError',
    'URL',
    'Uint8Array',
    'Uint16Array',
  ],
  ...[
    'Uint32Array',
    'WeakMap',
    'WeakRef',
    'WeakSet',
    'console',
    'crypto',
    'global',
    'globalThis',
    'isFinite',
  ],
  ...[
    'isNaN',
    'parseFloat',
    'parseInt',
    'performance',
    'process',
    'queueMicrotask',
    'setImmediate',
  ],
  ...['setInterval', 'setTimeout', 'structuredClone'],
]);
const CODE = new Set(['eval', 'Function', 'WebAssembly', 'AsyncFunction', 'GeneratorFunction']);
const OUTSIDE = new Set([
  ...[
    'fetch',
    'WebSocket',
    'EventSource',
    'XMLHttpRequest',
    'navigator',
    'BroadcastChannel',
    'MessageChannel',
  ],
  ...[
    'Worker',
    'SharedWorker',
    'SharedArrayBuffer',
    'Atomics',
    'localStorage',
    'sessionStorage',
    'Deno',
    'Bun',
  ],
]);
const GLOBAL = new Set(['globalThis', 'global', 'window', 'self']);
/** Names that are looked at wherever they are read. */
const WATCHED = new Set([...CODE, ...OUTSIDE, ...GLOBAL, 'process', 'module', 'require']);
/** What a program may ask of its process. */
const PROCESS_ALLOWED = new Set([
  ...[
    'argv',
    'arch',
    'emitWarning',
    'hrtime',
    'memoryUsage',
    'platform',
    'stderr',
    'stdout',
    'uptime',
  ],
  ...['version', 'versions'],
]);
/** Functions that set properties of their first argument. */
const SETTERS = new Set([
  'assign',
  'defineProperties',
  'defineProperty',
  'deleteProperty',
  'set',
  'setPrototypeOf',
]);

/** Fields in which an identifier names nothing that could be read or set. */
const isReference = ({ node, parent, field }: Frame): boolean => {
  if (parent === null) return true;
  const kind = kindOf(parent.node) ?? '';
  if (field === 'property' || field === 'key')
    return parent.node['computed'] === true || parent.node['shorthand'] === true;
  if (/^(?:Import|Export).*Specifier$/u.test(kind))
    return kind === 'ExportSpecifier' && field === 'local';
  if (kind === 'LabeledStatement' || kind === 'BreakStatement' || kind === 'ContinueStatement')
    return false;
  if (kind === 'MetaProperty' || kind.startsWith('TS')) return field === 'expression';
  if (field === 'id' || field === 'params' || field === 'param') return false;
  return node['typeAnnotation'] === undefined || node['typeAnnotation'] === null || field !== 'id';
};

/** What the rules find in the statements of one program. */
export const javascriptFacts = (
  program: SyntaxNode,
  { isOwn }: Scopes,
  reading: Reading,
  report: (fact: Fact) => void,
): Rules => {
  const { protectedParameters, path } = reading;
  const folders = path.split('/').length - 1;
  const names = new Set<string>();
  const imported = new Set<string>();
  /** Constants that are sure to be a text, and constants that are another name of something. */
  const constants = new Map<string, SyntaxNode | null>();
  eachNode(GRAMMAR, program, (node, kind) => {
    if (kind === 'Identifier') names.add(String(node['name']));
    if (kind === 'ImportDeclaration')
      for (const specifier of listOf(node, 'specifiers'))
        if (specifier !== null)
          boundNames(childOf(specifier, 'local')).forEach((name) => imported.add(name));
    if (kind !== 'VariableDeclaration' || node['kind'] !== 'const') return;
    for (const declarator of listOf(node, 'declarations')) {
      const id = declarator === null ? null : childOf(declarator, 'id');
      const name = id === null ? null : nameOf(id);
      if (declarator === null || name === null) continue;
      // A name that is declared twice may be either.
      constants.set(name, constants.has(name) ? null : bare(childOf(declarator, 'init')));
    }
  });

  const lookUp = constantTexts((name, ask) => foldedText(constants.get(name) ?? null, ask));
  const fold = (node: SyntaxNode | null): string | null => foldedText(node, lookUp);
  const text = (node: SyntaxNode, field: string): string | null => textOf(node, field, lookUp);

  const { find, leave } = factsOfNodes(lineAt, report);

  const isProtected = (name: string | null): string | null =>
    name === null ? null : protectedName(name, protectedParameters);

  /** A value that hands on what is protected under its own name: `seed`, `task.seed`. */
  const handsOn = (value: SyntaxNode | null, name: string): boolean => {
    const inner = bare(value);
    if (inner === null) return false;
    const said = isMember(inner) ? text(inner, 'property') : nameOf(inner);
    const isName = isMember(inner) || kindOf(inner) === 'Identifier';
    return isName && said !== null && said.toLowerCase() === name.toLowerCase();
  };

  const sets = (node: SyntaxNode, name: string, value: SyntaxNode | null): void => {
    const inner = bare(value);
    // A local variable has any name: what counts is that it was no literal and is none.
    if (
      inner !== null &&
      kindOf(inner) === 'Identifier' &&
      (constants.get(nameOf(inner) ?? '') ?? null) === null
    )
      report({
        rule: 'protected-parameters',
        line: lineAt(node),
        found: `sets ${name}`,
        key: `sets ${name} to a variable`,
        allowedOnce: false,
      });
    else find(node, 'protected-parameters', `sets ${name}`);
  };

  /** Every place that an assignment to `target` writes to, with what it writes where that is known. */
  const targets = (
    target: SyntaxNode | null,
    value: SyntaxNode | null,
    from: string | null,
    write: (place: SyntaxNode, value: SyntaxNode | null, from: string | null) => void,
  ): void => {
    const place = bare(target);
    if (place === null) return;
    switch (kindOf(place)) {
      case 'ObjectPattern':
        for (const property of listOf(place, 'properties')) {
          if (property === null) continue;
          if (kindOf(property) === 'RestElement')
            targets(childOf(property, 'argument'), null, null, write);
          else targets(childOf(property, 'value'), null, text(property, 'key'), write);
        }
        break;
      case 'ArrayPattern':
        for (const element of listOf(place, 'elements')) targets(element, null, null, write);
        break;
      case 'AssignmentPattern':
        // A default stands in where nothing came.
        targets(childOf(place, 'left'), childOf(place, 'right'), null, write);
        break;
      case 'RestElement':
        targets(childOf(place, 'argument'), null, null, write);
        break;
      default:
        write(place, value, from);
    }
  };

  /** The name that a chain of properties starts at, seen through constants that are another name of it. */
  const rootOf = (node: SyntaxNode | null): { name: string; through: readonly string[] } | null => {
    const through: string[] = [];
    const seen = new Set<string>();
    let here = bare(node);
    while (here !== null) {
      if (isMember(here)) {
        through.push(text(here, 'property') ?? '');
        here = bare(childOf(here, 'object'));
        continue;
      }
      if (kindOf(here) !== 'Identifier') return null;
      const name = nameOf(here) ?? '';
      const other = constants.get(name) ?? null;
      const isAlias = other !== null && (isMember(other) || kindOf(other) === 'Identifier');
      if (!isAlias || seen.has(name)) return { name, through: through.reverse() };
      seen.add(name);
      here = other;
    }
    return null;
  };

  /** What belongs to everybody: a built-in, an import, a prototype; null for the program's own. */
  const shared = (node: SyntaxNode | null, at: Frame): string | null => {
    const root = rootOf(node);
    if (root === null) {
      // `[].__proto__`, `(class {}).prototype`: whatever stands before it.
      for (
        let here = bare(node);
        here !== null && isMember(here);
        here = bare(childOf(here, 'object'))
      ) {
        const name = text(here, 'property');
        if (name === '__proto__' || name === 'prototype') return `a ${name}`;
      }
      return null;
    }
    const [first = '', ...rest] = GLOBAL.has(root.name)
      ? root.through
      : [root.name, ...root.through];
    if (rest.includes('prototype') || rest.includes('__proto__')) {
      // The program's own classes are its own, but for what they inherit.
      return isOwn(first, at) && !rest.includes('__proto__') && !imported.has(first)
        ? null
        : `the prototype of ${shown(first)}`;
    }
    if (imported.has(root.name)) return `the import ${shown(root.name)}`;
    if (GLOBAL.has(root.name) && !isOwn(root.name, at)) return `the global ${shown(first)}`;
    return BUILT_IN.has(first) && !isOwn(first, at) ? `the built-in ${first}` : null;
  };

  const writes = (frame: Frame, target: SyntaxNode | null, value: SyntaxNode | null): void =>
    targets(target, value, null, (place, given, from) => {
      const name = isMember(place) ? text(place, 'property') : nameOf(place);
      const known = isProtected(name);
      if (known !== null && !handsOn(given, known) && isProtected(from) !== known)
        sets(frame.node, known, given);
      if (isMember(place)) {
        const owner = shared(childOf(place, 'object'), frame);
        const isPrototype = name === '__proto__';
        if (owner !== null || isPrototype)
          find(frame.node, 'no-patching', `changes ${owner ?? 'a prototype'}`);
      } else if (name !== null && (BUILT_IN.has(name) || CODE.has(name)) && !isOwn(name, frame)) {
        find(frame.node, 'no-patching', `changes the built-in ${name}`);
      }
    });

  const imports = (node: SyntaxNode, specifier: string, names: readonly string[]): void => {
    const trouble = javascriptImport(specifier, names, reading);
    if (trouble === null) return;
    const found = shown(trouble.found);
    const key = `import ${specifier} ${names.toSorted().join()}`;
    report({ rule: trouble.rule, line: lineAt(node), found, key, allowedOnce: true });
  };

  const importedNames = (node: SyntaxNode): readonly string[] =>
    listOf(node, 'specifiers').map((specifier) =>
      specifier !== null && kindOf(specifier) === 'ImportSpecifier'
        ? (nameOf(childOf(specifier, 'imported') ?? {}) ?? '*')
        : specifier !== null && kindOf(specifier) === 'ExportSpecifier'
          ? (nameOf(childOf(specifier, 'local') ?? {}) ?? '*')
          : '*',
    );

  const calls = (frame: Frame, isNew: boolean): void => {
    const { node } = frame;
    const callee = bare(childOf(node, 'callee'));
    const args = listOf(node, 'arguments').map(bare);
    const [first = null, second = null] = args;
    if (callee === null) return;
    const name = nameOf(callee);
    if (name === 'require' && !isOwn(name, frame)) {
      const specifier = fold(first);
      if (specifier === null) find(node, 'no-dynamic-code', 'requires a name that it computes');
      else imports(node, specifier, requiredNames(frame));
    }
    if (/^set(?:Timeout|Interval|Immediate)$/u.test(name ?? '') && fold(first) !== null)
      find(node, 'no-dynamic-code', `gives ${name} a text to run`);
    if (!isMember(callee)) return;
    const method = text(callee, 'property');
    const object = bare(childOf(callee, 'object'));
    if (method === 'constructor' && !(isNew && kindOf(object ?? {}) === 'ThisExpression'))
      find(node, 'no-dynamic-code', 'calls a constructor by the name of constructor');
    if (args.some((arg) => fold(arg) === 'constructor'))
      find(node, 'no-dynamic-code', 'asks for constructor by its name');
    if (method === null) return;
    const setter = object !== null && /^(?:Object|Reflect)$/u.test(rootOf(object)?.name ?? '');
    if (setter && SETTERS.has(method)) {
      const owner = shared(first, frame);
      if (owner !== null || method === 'setPrototypeOf')
        find(node, 'no-patching', `changes ${owner ?? 'a prototype'}`);
    }
    if (method === '__defineGetter__' || method === '__defineSetter__')
      find(node, 'no-patching', `calls ${method}`);
    // defineProperty(task, 'seed', …), Reflect.set(task, 'seed', 4), settings.set('seed', 4)
    const [key, value] = setter ? [second, args[2] ?? null] : [first, second];
    const known = isProtected(fold(key ?? null));
    if (known !== null && value !== null && /^(?:set|add|define|append)/iu.test(method))
      if (!handsOn(value, known)) sets(node, known, value);
    if (method === 'parse' && object !== null && nameOf(object) === 'JSON') {
      for (const each of jsonKeys(fold(first))) {
        const spelled = isProtected(each);
        if (spelled !== null) find(node, 'protected-parameters', `sets ${spelled}`);
      }
    }
  };

  const enter = (frame: Frame, kind: string): void => {
    const { node, parent, field } = frame;
    switch (kind) {
      case 'AssignmentExpression': {
        const isPlain = node['operator'] === '=';
        writes(frame, childOf(node, 'left'), isPlain ? childOf(node, 'right') : node);
        break;
      }
      case 'UpdateExpression':
        writes(frame, childOf(node, 'argument'), node);
        break;
      case 'UnaryExpression':
        if (node['operator'] === 'delete') writes(frame, childOf(node, 'argument'), node);
        break;
      case 'VariableDeclarator': {
        const isHead = parent?.field === 'left';
        const init = childOf(node, 'init');
        const id = childOf(node, 'id');
        if (init !== null || isHead || id === null || kindOf(id) !== 'Identifier')
          writes(frame, id, isHead ? node : init);
        break;
      }
      case 'ForOfStatement':
      case 'ForInStatement': {
        const left = childOf(node, 'left');
        if (left !== null && kindOf(left) !== 'VariableDeclaration') writes(frame, left, node);
        break;
      }
      case 'AssignmentPattern':
        // Of parameters; those of assignments and declarations were looked at with them.
        if (field === 'params') writes(frame, node, null);
        break;
      case 'ObjectPattern':
        if (field === 'params') writes(frame, node, null);
        if (
          listOf(node, 'properties').some(
            (each) => each !== null && text(each, 'key') === 'constructor',
          )
        )
          find(node, 'no-dynamic-code', 'takes constructor by its name');
        break;
      case 'ObjectProperty':
      case 'ClassProperty':
      case 'ClassPrivateProperty':
      case 'ClassAccessorProperty':
        if (parent !== null && kindOf(parent.node) !== 'ObjectPattern') property(frame);
        break;
      case 'ObjectMethod':
      case 'ClassMethod': {
        const known = isProtected(text(node, 'key'));
        if (known !== null && node['kind'] === 'get')
          find(node, 'protected-parameters', `sets ${known}`);
        break;
      }
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
      case 'TSEnumMember': {
        const known = isProtected(nameOf(childOf(node, 'id') ?? {}));
        if (known !== null) find(node, 'protected-parameters', `sets ${known}`);
        break;
      }
      case 'ArrayExpression': {
        // An entry of Object.fromEntries or of a Map.
        const [key = null, value = null, more] = listOf(node, 'elements');
        const known = isProtected(fold(key));
        const isEntry = more === undefined && value !== null && fold(value) === null;
        if (
          known !== null &&
          (isEntry || kindOf(value ?? {}) === 'NumericLiteral') &&
          !handsOn(value, known)
        )
          sets(node, known, value);
        break;
      }
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration': {
        const source = childOf(node, 'source');
        const isType = node['importKind'] === 'type' || node['exportKind'] === 'type';
        if (source !== null && !isType)
          imports(
            node,
            nameOf(source) ?? '',
            kind === 'ExportAllDeclaration' ? ['*'] : importedNames(node),
          );
        for (const specifier of listOf(node, 'specifiers')) {
          const [from, to] =
            kind === 'ImportDeclaration' ? ['imported', 'local'] : ['local', 'exported'];
          const known =
            specifier === null ? null : isProtected(nameOf(childOf(specifier, to) ?? {}));
          const other = specifier === null ? null : childOf(specifier, from);
          if (known !== null && (other === null || isProtected(nameOf(other)) !== known))
            find(node, 'protected-parameters', `sets ${known}`);
        }
        break;
      }
      case 'TSImportEqualsDeclaration': {
        const reference = childOf(node, 'moduleReference');
        const source = reference === null ? null : childOf(reference, 'expression');
        if (source !== null) imports(node, nameOf(source) ?? '', ['*']);
        break;
      }
      case 'ImportExpression': {
        const specifier = fold(childOf(node, 'source'));
        if (specifier === null) find(node, 'no-dynamic-code', 'imports a name that it computes');
        else imports(node, specifier, ['*']);
        break;
      }
      case 'CallExpression':
      case 'OptionalCallExpression':
        calls(frame, false);
        break;
      case 'NewExpression':
        calls(frame, true);
        break;
      case 'MemberExpression':
      case 'OptionalMemberExpression':
        member(frame);
        break;
      case 'Identifier':
        identifier(frame);
        break;
      case 'PrivateName':
        break;
      case 'StringLiteral':
        string(frame, String(node['value']));
        break;
      case 'TemplateElement': {
        const { cooked } = node['value'] as { readonly cooked?: string | null };
        if (typeof cooked === 'string') string(frame, cooked);
        break;
      }
      case 'WithStatement':
        find(node, 'no-dynamic-code', 'uses with');
        break;
      default:
    }
  };

  const property = ({ node }: Frame): void => {
    const name = text(node, 'key');
    const value = childOf(node, 'value');
    const known = isProtected(name);
    if (known !== null && !handsOn(value, known)) {
      if (value !== null) sets(node, known, value);
    }
    if (name === '__proto__' && node['computed'] !== true && kindOf(value ?? {}) !== 'NullLiteral')
      if (kindOf(node) === 'ObjectProperty')
        find(node, 'no-patching', 'gives an object its prototype');
  };

  const requiredNames = (frame: Frame): readonly string[] => {
    const holder = frame.parent?.node ?? {};
    const pattern = kindOf(holder) === 'VariableDeclarator' ? childOf(holder, 'id') : null;
    if (pattern !== null && kindOf(pattern) === 'ObjectPattern')
      return listOf(pattern, 'properties').map((each) =>
        each === null ? '*' : (text(each, 'key') ?? '*'),
      );
    return isMember(holder) && frame.field === 'object' ? [text(holder, 'property') ?? '*'] : ['*'];
  };

  const member = (frame: Frame): void => {
    const { node, parent } = frame;
    const name = text(node, 'property');
    const object = bare(childOf(node, 'object'));
    if (name === 'eval' || name === 'constructor') {
      const isChained = name === 'constructor' && parent !== null && isMember(parent.node);
      const further = isChained ? text(parent.node, 'property') : null;
      if (name === 'eval' || further === 'constructor')
        find(node, 'no-dynamic-code', `reaches for ${name}`);
    }
    if (object === null) return;
    const owner = kindOf(object) === 'Identifier' ? (nameOf(object) ?? '') : null;
    if (owner !== null && GLOBAL.has(owner) && !isOwn(owner, frame)) {
      if (name === null) find(node, 'no-dynamic-code', `reads a name of ${owner} that it computes`);
      else global(frame, name);
    }
    if (rootName(object) === 'process' && !isOwn('process', frame)) ofProcess(frame, name);
    if (
      kindOf(object) === 'MetaProperty' &&
      name !== null &&
      !['url', 'dirname', 'filename', 'main'].includes(name)
    )
      find(node, 'no-dynamic-code', `reads import.meta.${shown(name)}`);
    if (name === 'mainModule' || name === 'binding' || name === 'dlopen')
      find(node, 'no-process-access', `reaches for ${name}`);
  };

  /** `process` of `process` and of `globalThis.process`. */
  const rootName = (node: SyntaxNode): string | null => {
    if (kindOf(node) === 'Identifier') return nameOf(node);
    const object = isMember(node) ? bare(childOf(node, 'object')) : null;
    return object !== null && GLOBAL.has(nameOf(object) ?? '') ? text(node, 'property') : null;
  };

  const ofProcess = ({ node, parent }: Frame, name: string | null): void => {
    if (name !== null && PROCESS_ALLOWED.has(name)) return;
    const isCall = parent !== null && kindOf(parent.node) === 'CallExpression';
    find(
      isCall ? parent.node : node,
      'no-process-access',
      `uses process.${shown(name ?? '…')}`,
      node,
    );
  };

  const global = (frame: Frame, name: string): void => {
    const { node, parent } = frame;
    if (CODE.has(name)) {
      // `value instanceof Function` and `typeof Function` run nothing.
      if (parent !== null && parent.node['operator'] === 'instanceof') return;
      find(parent?.node ?? node, 'no-dynamic-code', `uses ${name}`, node);
    }
    if (OUTSIDE.has(name)) find(parent?.node ?? node, 'no-process-access', `uses ${name}`, node);
    if (name === 'process' || GLOBAL.has(name)) {
      const isObject = parent !== null && isMember(parent.node) && frame.field === 'object';
      if (!isObject) find(parent?.node ?? node, 'no-process-access', `passes ${name} on`, node);
    }
    if (name === 'module' || name === 'require') {
      const isObject = parent !== null && isMember(parent.node) && frame.field === 'object';
      const isCall = parent !== null && frame.field === 'callee';
      const next = isObject ? text(parent.node, 'property') : null;
      if (!isCall && next !== 'exports' && !(frame.field === 'left'))
        if (name === 'require' || isObject)
          find(parent?.node ?? node, 'no-dynamic-code', `uses ${name}`, node);
    }
  };

  const identifier = (frame: Frame): void => {
    const { node } = frame;
    const name = String(node['name']);
    const trouble = nameTrouble(name, protectedParameters, names);
    if (trouble !== null)
      report({
        rule: 'plain-names',
        line: lineAt(node),
        found: `the name ${shown(name)}, which ${trouble}`,
        key: `name ${name}`,
        allowedOnce: true,
      });
    if (WATCHED.has(name) && isReference(frame) && !isOwn(name, frame)) global(frame, name);
  };

  const string = (frame: Frame, value: string): void => {
    const { node, parent, field } = frame;
    // Imports have a rule of their own.
    if (field === 'source' || (parent !== null && kindOf(parent.node) === 'ImportExpression'))
      return;
    const callee = parent === null ? null : childOf(parent.node, 'callee');
    if (callee !== null && nameOf(callee) === 'require') return;
    const isKey = field === 'key' || field === 'property';
    const trouble = isKey ? nameTrouble(value, protectedParameters) : null;
    if (trouble?.startsWith('looks') === true)
      find(node, 'plain-names', `the key ${shown(value)}, which ${trouble}`);
    const outside = pathTrouble(value, folders);
    if (outside !== null)
      find(node, 'no-paths-outside', `the text ${shown(value)}, which ${outside}`);
  };

  return {
    enter: (frame, kind) => {
      enter(frame, kind);
      // Joined texts are paths too; their parts were looked at alone.
      if (kind === 'BinaryExpression' && frame.parent?.node['operator'] !== '+') {
        const joined = fold(frame.node);
        const outside = joined === null ? null : pathTrouble(joined, folders);
        if (outside !== null && joined !== null)
          find(frame.node, 'no-paths-outside', `the text ${shown(joined)}, which ${outside}`);
      }
    },
    leave,
  };
};

/** Every key of a text that is JSON. */
const jsonKeys = (text: string | null): readonly string[] => {
  const keys: string[] = [];
  if (text === null) return keys;
  try {
    JSON.parse(text, (key, value: unknown) => {
      keys.push(key);
      return value;
    });
  } catch {
    // No JSON: nothing is set by it.
  }
  return keys;
};
