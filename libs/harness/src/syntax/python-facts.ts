import { constantTexts } from './constants.ts';
import { factsOfNodes, type Rules } from './facts.ts';
import { pythonImport } from './modules.ts';
import { nameTrouble, pathTrouble, protectedName, shown } from './names.ts';
import { childOf, foldedText, GRAMMAR, kindOf, lineAt, pythonName } from './python-tree.ts';
import type { Fact, Reading } from './source.ts';
import { eachNode, listOf, nodesOf, type Frame, type SyntaxNode } from './walk.ts';

const CODE = new Set([
  'eval',
  'exec',
  'compile',
  '__import__',
  'globals',
  '__builtins__',
  '__loader__',
  '__spec__',
]);
const PROCESS = new Set(['exit', 'quit', 'SystemExit', 'breakpoint']);
/** What leads from any object to every other. */
const INNARDS = new Set([
  ...[
    '__base__',
    '__bases__',
    '__builtins__',
    '__code__',
    '__closure__',
    '__globals__',
    '__import__',
    '__loader__',
  ],
  ...[
    '__mro__',
    '__reduce__',
    '__reduce_ex__',
    '__self__',
    '__spec__',
    '__subclasses__',
    'f_back',
    'f_globals',
  ],
  ...['f_locals', 'gi_frame', 'tb_frame'],
]);
/** What a program may ask of these modules; everything else of them is the process's. */
const SOME: Readonly<Record<string, ReadonlySet<string>>> = {
  sys: new Set([
    'argv',
    'byteorder',
    'float_info',
    'maxsize',
    'platform',
    'stderr',
    'stdout',
    'version',
    'version_info',
    'getsizeof',
  ]),
  os: new Set(['path', 'sep', 'linesep', 'fspath', 'PathLike']),
};
const BUILT_IN_TYPES = new Set([
  ...[
    'bool',
    'builtins',
    'bytes',
    'dict',
    'float',
    'frozenset',
    'int',
    'list',
    'object',
    'set',
    'str',
    'tuple',
    'type',
  ],
]);

/**
 * Names of functions, classes, parameters and imports of a module or a function. What is merely assigned is not among
 * them: `eval = eval` makes no name the program's own.
 */
const definedIn = (root: SyntaxNode): ReadonlySet<string> => {
  const names = new Set<string>();
  const args = childOf(root, 'args');
  if (args !== null)
    eachNode(GRAMMAR, args, (node, kind) => {
      if (kind === 'Arg') names.add(pythonName(node['arg']));
    });
  eachNode(
    GRAMMAR,
    root,
    (node, kind) => {
      if (node === root) return;
      if (/^(?:AsyncFunctionDef|FunctionDef|ClassDef)$/u.test(kind))
        names.add(pythonName(node['name']));
      if (kind === 'Import' || kind === 'ImportFrom')
        for (const alias of nodesOf(node, 'names'))
          names.add(pythonName(alias['asname'] ?? String(alias['name']).split('.')[0]));
    },
    (_, kind) => !/^(?:AsyncFunctionDef|FunctionDef|ClassDef|Lambda)$/u.test(kind),
  );
  return names;
};

/** What the rules find in the statements of one module. */
export const pythonFacts = (
  module: SyntaxNode,
  reading: Reading,
  report: (fact: Fact) => void,
): Rules => {
  const { protectedParameters, path } = reading;
  const folders = path.split('/').length - 1;
  /** Local name to the module or name that it was imported as. */
  const imported = new Map<string, string>();
  const names = new Set<string>();
  const constants = new Map<string, SyntaxNode | null>();
  eachNode(GRAMMAR, module, (node, kind) => {
    if (kind === 'Name') names.add(pythonName(node['id']));
    if (kind === 'Arg') names.add(pythonName(node['arg']));
    switch (kind) {
      case 'Import':
        for (const alias of nodesOf(node, 'names')) {
          const name = pythonName(alias['name']);
          const local =
            alias['asname'] === undefined || alias['asname'] === null
              ? name.split('.')[0]!
              : pythonName(alias['asname']);
          imported.set(local, name);
        }
        break;
      case 'ImportFrom':
        for (const alias of nodesOf(node, 'names')) {
          const name = pythonName(alias['name']);
          imported.set(
            pythonName(alias['asname'] ?? name),
            `${pythonName(node['module'] ?? '')}.${name}`,
          );
        }
        break;
      case 'Assign': {
        const [target, ...more] = nodesOf(node, 'targets');
        if (target === undefined || more.length > 0 || kindOf(target) !== 'Name') break;
        const name = pythonName(target['id']);
        constants.set(name, constants.has(name) ? null : childOf(node, 'value'));
        break;
      }
      default:
    }
  });
  const lookUp = constantTexts((name, ask) => foldedText(constants.get(name) ?? null, ask));
  const fold = (node: SyntaxNode | null): string | null => foldedText(node, lookUp);

  const scopes = new WeakMap<SyntaxNode, ReadonlySet<string>>();
  const declares = (node: SyntaxNode, name: string): boolean => {
    const scope = scopes.get(node) ?? definedIn(node);
    scopes.set(node, scope);
    return scope.has(name);
  };
  /** Whether a name is a function, a class, a parameter or an import of the program where it stands. */
  const isOwn = (name: string, at: Frame): boolean => {
    for (let up: Frame | null = at; up !== null; up = up.parent)
      if (/^(?:AsyncFunctionDef|FunctionDef|Lambda)$/u.test(kindOf(up.node) ?? ''))
        if (declares(up.node, name)) return true;
    return declares(module, name);
  };

  const { find, leave } = factsOfNodes(lineAt, report);

  const isProtected = (name: string | null): string | null =>
    name === null ? null : protectedName(name, protectedParameters);

  /** The last name of what a node reads: `seed` of `seed`, `task.seed`, `task["seed"]`. */
  const lastName = (node: SyntaxNode | null): string | null => {
    if (node === null) return null;
    switch (kindOf(node)) {
      case 'Name':
        return pythonName(node['id']);
      case 'Attribute':
        return pythonName(node['attr']);
      case 'Subscript':
        return fold(childOf(node, 'slice'));
      default:
        return null;
    }
  };

  const handsOn = (value: SyntaxNode | null, name: string): boolean =>
    lastName(value)?.toLowerCase() === name.toLowerCase();

  const sets = (node: SyntaxNode, name: string, value: SyntaxNode | null): void => {
    if (
      value !== null &&
      kindOf(value) === 'Name' &&
      (constants.get(pythonName(value['id'])) ?? null) === null
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
  const sees = (node: SyntaxNode, name: string | null, value: SyntaxNode | null): void => {
    const known = isProtected(name);
    if (known !== null && !handsOn(value, known)) sets(node, known, value);
  };

  const rootOf = (node: SyntaxNode | null): string | null => {
    let here = node;
    const seen = new Set<string>();
    while (here !== null) {
      switch (kindOf(here)) {
        case 'Attribute':
        case 'Subscript':
          here = childOf(here, 'value');
          break;
        case 'Name': {
          const name = pythonName(here['id']);
          const other = constants.get(name) ?? null;
          const isAlias = other !== null && /^(?:Name|Attribute)$/u.test(kindOf(other) ?? '');
          if (!isAlias || seen.has(name)) return name;
          seen.add(name);
          here = other;
          break;
        }
        default:
          return null;
      }
    }
    return null;
  };

  /** An import or a built-in type; null for the program's own. */
  const shared = (node: SyntaxNode | null, at: Frame): string | null => {
    const root = rootOf(node);
    if (root === null) return null;
    if (imported.has(root)) return `the import ${shown(root)}`;
    return BUILT_IN_TYPES.has(root) && !isOwn(root, at) ? `the built-in ${root}` : null;
  };

  /** Each place that a target writes to; a list of targets takes unknown values. */
  const writes = (
    frame: Frame,
    node: SyntaxNode,
    target: SyntaxNode | null,
    value: SyntaxNode | null,
  ): void => {
    if (target === null) return;
    switch (kindOf(target)) {
      case 'Tuple':
      case 'List': {
        const values =
          value !== null && /^(?:Tuple|List)$/u.test(kindOf(value) ?? '')
            ? nodesOf(value, 'elts')
            : [];
        nodesOf(target, 'elts').forEach((each, i) => writes(frame, node, each, values[i] ?? null));
        break;
      }
      case 'Starred':
        writes(frame, node, childOf(target, 'value'), null);
        break;
      case 'Attribute':
      case 'Subscript': {
        sees(node, lastName(target), value);
        const owner = shared(childOf(target, 'value'), frame);
        if (owner !== null) find(node, 'no-patching', `changes ${owner}`);
        const attribute = kindOf(target) === 'Attribute' ? pythonName(target['attr']) : '';
        if (INNARDS.has(attribute) || attribute === '__class__' || attribute === '__dict__')
          find(node, 'no-patching', `sets ${attribute}`);
        break;
      }
      default:
        sees(node, lastName(target), value);
    }
  };

  const imports = (node: SyntaxNode, name: string, level: number): void => {
    const trouble = pythonImport(name, level, reading);
    if (trouble !== null)
      report({
        rule: trouble.rule,
        line: lineAt(node),
        found: shown(trouble.found),
        key: `import ${level} ${name}`,
        allowedOnce: true,
      });
  };

  /** Whether an expression reads a protected parameter. */
  const isSaidIn = (root: SyntaxNode, known: string | null): boolean => {
    let found = false;
    eachNode(
      GRAMMAR,
      root,
      (node) => {
        found ||= isProtected(lastName(node)) === known;
      },
      () => !found,
    );
    return found;
  };

  const calls = (frame: Frame): void => {
    const { node } = frame;
    const callee = childOf(node, 'func');
    if (callee === null) return;
    const args = nodesOf(node, 'args');
    const [first = null, second = null, third = null] = args;
    const name = kindOf(callee) === 'Name' ? pythonName(callee['id']) : null;
    const method = kindOf(callee) === 'Attribute' ? pythonName(callee['attr']) : null;
    if (name === 'setattr' || name === 'delattr') {
      sees(node, fold(second), third ?? node);
      const owner = shared(first, frame);
      if (owner !== null) find(node, 'no-patching', `changes ${owner}`);
    }
    if (name === 'getattr') {
      const asked = fold(second);
      if (asked !== null) attribute(node, asked, first);
      else if (shared(first, frame) !== null)
        find(node, 'no-dynamic-code', 'reads a name of an import that it computes');
    }
    if (/^(?:__setattr__|__setitem__|setdefault)$/u.test(method ?? '')) {
      const [key, value] = args.slice(-2);
      sees(node, fold(key ?? null), value ?? null);
      const owner =
        shared(childOf(callee, 'value'), frame) ??
        (args.length === 3 ? shared(first, frame) : null);
      if (owner !== null) find(node, 'no-patching', `changes ${owner}`);
    }
    // random.seed(42), torch.manual_seed(42): a number of the program's own in the harness's place.
    const called = (name ?? method)?.replace(/^(?:set|manual)_/u, '') ?? null;
    const known = isProtected(called);
    const isDefined = name !== null && isOwn(name, frame);
    const given = [...args, ...nodesOf(node, 'keywords').map((each) => childOf(each, 'value'))];
    const isNamed = given.some((each) => each !== null && isSaidIn(each, known));
    if (known !== null && !isDefined && !isNamed)
      find(node, 'protected-parameters', `sets ${known}`);
  };

  const attribute = (node: SyntaxNode, name: string, of: SyntaxNode | null): void => {
    if (INNARDS.has(name)) find(node, 'no-dynamic-code', `reaches for ${name}`);
    const root =
      of !== null && kindOf(of) === 'Name' ? imported.get(pythonName(of['id'])) : undefined;
    const allowed = root === undefined ? undefined : SOME[root];
    if (allowed !== undefined && !allowed.has(name))
      find(node, 'no-process-access', `uses ${root ?? ''}.${shown(name)}`);
  };

  const plain = (node: SyntaxNode, name: unknown): void => {
    if (typeof name !== 'string') return;
    const trouble = nameTrouble(name, protectedParameters, names);
    if (trouble !== null)
      report({
        rule: 'plain-names',
        line: lineAt(node),
        found: `the name ${shown(name)}, which ${trouble}`,
        key: `name ${name}`,
        allowedOnce: true,
      });
  };

  const enter = (frame: Frame, kind: string): void => {
    const { node, parent, field } = frame;
    switch (kind) {
      case 'Assign':
        for (const target of nodesOf(node, 'targets'))
          writes(frame, node, target, childOf(node, 'value'));
        break;
      case 'AugAssign':
        writes(frame, node, childOf(node, 'target'), node);
        break;
      case 'AnnAssign':
        if (childOf(node, 'value') !== null)
          writes(frame, node, childOf(node, 'target'), childOf(node, 'value'));
        break;
      case 'NamedExpr':
        writes(frame, node, childOf(node, 'target'), childOf(node, 'value'));
        break;
      case 'For':
      case 'AsyncFor':
        writes(frame, node, childOf(node, 'target'), node);
        break;
      case 'Comprehension': {
        // It has no line of its own.
        const target = childOf(node, 'target');
        if (target !== null) writes(frame, target, target, node);
        break;
      }
      case 'WithItem': {
        const target = childOf(node, 'optional_vars');
        if (target !== null) writes(frame, target, target, node);
        break;
      }
      case 'Delete':
        for (const target of nodesOf(node, 'targets')) writes(frame, node, target, node);
        break;
      case 'MatchAs':
      case 'MatchStar':
        if (typeof node['name'] === 'string') sees(node, pythonName(node['name']), null);
        break;
      case 'Dict':
        listOf(node, 'keys').forEach((key, i) => {
          const value = listOf(node, 'values')[i] ?? null;
          const known = isProtected(fold(key));
          if (known !== null && key !== null && !handsOn(value, known)) {
            if (value !== null && kindOf(value) === 'Name') sets(key, known, value);
            else find(value ?? key, 'protected-parameters', `sets ${known}`, key);
          }
        });
        break;
      case 'Keyword':
        plain(node, node['arg']);
        if (typeof node['arg'] === 'string')
          sees(node, pythonName(node['arg']), childOf(node, 'value'));
        break;
      case 'Arguments':
        defaults(node);
        break;
      case 'FunctionDef':
      case 'AsyncFunctionDef':
      case 'ClassDef': {
        plain(node, node['name']);
        const isMethod =
          parent !== null &&
          kindOf(parent.node) === 'ClassDef' &&
          listOf(node, 'decorator_list').length === 0;
        const known = isProtected(pythonName(node['name']));
        if (known !== null && !isMethod) find(node, 'protected-parameters', `sets ${known}`);
        break;
      }
      case 'Import':
        for (const alias of nodesOf(node, 'names')) {
          imports(node, pythonName(alias['name']), 0);
          plain(node, alias['asname']);
          sees(
            node,
            typeof alias['asname'] === 'string' ? pythonName(alias['asname']) : null,
            null,
          );
        }
        break;
      case 'ImportFrom': {
        const level = Number(node['level'] ?? 0);
        imports(node, pythonName(node['module'] ?? ''), level);
        const from = pythonName(node['module'] ?? '');
        for (const alias of nodesOf(node, 'names')) {
          const name = pythonName(alias['name']);
          const local = pythonName(alias['asname'] ?? name);
          plain(node, alias['asname']);
          if (isProtected(local) !== null && isProtected(name) !== isProtected(local))
            find(node, 'protected-parameters', `sets ${local}`);
          const allowed = SOME[from];
          if (level === 0 && allowed !== undefined && !allowed.has(name))
            find(node, 'no-process-access', `imports ${from}.${shown(name)}`);
        }
        break;
      }
      case 'Call':
        calls(frame);
        break;
      case 'Attribute': {
        plain(node, node['attr']);
        const holder =
          parent !== null && kindOf(parent.node) === 'Call' && field === 'func'
            ? parent.node
            : node;
        attribute(holder, pythonName(node['attr']), childOf(node, 'value'));
        break;
      }
      case 'Name': {
        plain(node, node['id']);
        const name = pythonName(node['id']);
        const holder = parent !== null && kindOf(parent.node) === 'Call' ? parent.node : node;
        const root = imported.get(name);
        const isObject = parent !== null && kindOf(parent.node) === 'Attribute';
        if (root !== undefined && SOME[root] !== undefined && !isObject)
          find(holder, 'no-process-access', `passes ${root} on`);
        if (kindOf(childOf(node, 'ctx') ?? {}) !== 'Load') break;
        if (!(CODE.has(name) || PROCESS.has(name)) || isOwn(name, frame)) break;
        if (CODE.has(name)) find(holder, 'no-dynamic-code', `uses ${name}`);
        if (PROCESS.has(name)) find(holder, 'no-process-access', `uses ${name}`);
        break;
      }
      case 'Arg':
        plain(node, node['arg']);
        break;
      case 'Constant': {
        const isDocstring = parent !== null && kindOf(parent.node) === 'Expr';
        if (typeof node['value'] !== 'string' || isDocstring) break;
        const outside = pathTrouble(node['value'], folders);
        if (outside !== null)
          find(node, 'no-paths-outside', `the text ${shown(node['value'])}, which ${outside}`);
        break;
      }
      case 'BinOp': {
        if (parent !== null && kindOf(parent.node) === 'BinOp') break;
        const joined = fold(node);
        const outside = joined === null ? null : pathTrouble(joined, folders);
        if (joined !== null && outside !== null)
          find(node, 'no-paths-outside', `the text ${shown(joined)}, which ${outside}`);
        break;
      }
      default:
    }
  };

  /** Defaults belong to the last of the parameters. */
  const defaults = (node: SyntaxNode): void => {
    const positional = [...nodesOf(node, 'posonlyargs'), ...nodesOf(node, 'args')];
    const values = nodesOf(node, 'defaults');
    positional
      .slice(positional.length - values.length)
      .forEach((arg, i) => sees(arg, pythonName(arg['arg']), values[i] ?? null));
    const named = listOf(node, 'kw_defaults');
    nodesOf(node, 'kwonlyargs').forEach((arg, i) => {
      const value = named[i] ?? null;
      if (value !== null) sees(arg, pythonName(arg['arg']), value);
    });
  };

  return { enter, leave };
};
