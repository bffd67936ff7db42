import { languageOf, type Reading } from './source.ts';

/** What a rule says of an import; null where the program may have it. */
export interface ImportTrouble {
  readonly rule: 'no-new-imports' | 'no-process-access' | 'no-dynamic-code' | 'no-paths-outside';
  readonly found: string;
}

/** Node's modules that compute and nothing else. */
const COMPUTING_JS = new Set([
  'assert',
  'assert/strict',
  'buffer',
  'path',
  'path/posix',
  'perf_hooks',
  'string_decoder',
  'url',
  'util',
]);
/** What a program may take of Node's modules that can do more: it reads files, and digests texts. */
const SOME_JS: Readonly<Record<string, readonly string[]>> = {
  fs: ['existsSync', 'readFileSync', 'readdirSync', 'statSync'],
  crypto: ['createHash', 'createHmac'],
};
const PROCESS_JS = new Set([
  'async_hooks',
  'child_process',
  'cluster',
  'dgram',
  'diagnostics_channel',
  'dns',
  'http',
  'http2',
  'https',
  'inspector',
  'net',
  'os',
  'process',
  'repl',
  'sqlite',
  'tls',
  'trace_events',
  'tty',
  'v8',
  'wasi',
  'worker_threads',
]);
const DYNAMIC_JS = new Set(['module', 'vm']);

/** Where a relative path leads, from the folder of `from`; null where it climbs out of the program. */
const resolved = (from: string, relative: string): string | null => {
  const parts = from.split('/').slice(0, -1);
  for (const part of relative.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return null;
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
};

/**
 * What speaks against an import of JavaScript.
 *
 * @param names what is taken of it; `*` for all
 */
export const javascriptImport = (
  specifier: string,
  names: readonly string[],
  { path }: Reading,
): ImportTrouble | null => {
  if (/^\.\.?\//u.test(specifier)) {
    const target = resolved(path, specifier);
    if (target === null)
      return { rule: 'no-paths-outside', found: `the import of ${specifier}, outside the program` };
    // Node runs as a program whatever it is told to import, whatever its name says.
    return languageOf(target) === 'text' || /[?#%\\]/u.test(specifier)
      ? { rule: 'no-new-imports', found: `the import of ${specifier}, which is no file of code` }
      : null;
  }
  const module = specifier.replace(/^node:/u, '');
  const root = module.split('/')[0] ?? '';
  if (COMPUTING_JS.has(module)) return null;
  const allowed = SOME_JS[module];
  if (allowed !== undefined) {
    const others = names.filter((name) => !allowed.includes(name));
    return others.length === 0
      ? null
      : { rule: 'no-new-imports', found: `the import of ${others.join(', ')} from ${specifier}` };
  }
  if (DYNAMIC_JS.has(root)) return { rule: 'no-dynamic-code', found: `the import of ${specifier}` };
  if (PROCESS_JS.has(root) || /^(?:fs)\//u.test(module))
    return { rule: 'no-process-access', found: `the import of ${specifier}` };
  return { rule: 'no-new-imports', found: `the import of ${specifier}` };
};

/** Python's modules that compute, and those that read files. */
const COMPUTING_PY = new Set([
  '__future__',
  'abc',
  'array',
  'bisect',
  'cmath',
  'collections',
  'contextlib',
  'copy',
  'csv',
  'dataclasses',
  'datetime',
  'decimal',
  'enum',
  'fractions',
  'functools',
  'hashlib',
  'heapq',
  'io',
  'itertools',
  'json',
  'math',
  'numbers',
  'operator',
  'pathlib',
  'pprint',
  'random',
  're',
  'statistics',
  'string',
  'struct',
  'sys',
  'textwrap',
  'time',
  'types',
  'typing',
  'unicodedata',
  'warnings',
]);
const PROCESS_PY = new Set([
  '_thread',
  'asyncio',
  'atexit',
  'concurrent',
  'ctypes',
  'faulthandler',
  'fcntl',
  'ftplib',
  'gc',
  'glob',
  'http',
  'inspect',
  'mmap',
  'multiprocessing',
  'os',
  'posix',
  'pty',
  'resource',
  'sched',
  'select',
  'selectors',
  'shutil',
  'signal',
  'site',
  'smtplib',
  'socket',
  'socketserver',
  'ssl',
  'subprocess',
  'tempfile',
  'threading',
  'tracemalloc',
  'urllib',
  'webbrowser',
  'xmlrpc',
]);
const DYNAMIC_PY = new Set([
  'ast',
  'builtins',
  'code',
  'codeop',
  'dill',
  'imp',
  'importlib',
  'joblib',
  'marshal',
  'pickle',
  'pkgutil',
  'runpy',
  'shelve',
  'zipimport',
]);

/** What speaks against an import of Python. */
export const pythonImport = (
  module: string,
  level: number,
  { path, programFiles }: Reading,
): ImportTrouble | null => {
  const found = `the import of ${'.'.repeat(level)}${module}`;
  if (level > 0)
    return level > path.split('/').length
      ? { rule: 'no-paths-outside', found: `${found}, outside the program` }
      : null;
  const root = module.split('.')[0] ?? '';
  if (COMPUTING_PY.has(root)) return null;
  if (DYNAMIC_PY.has(root)) return { rule: 'no-dynamic-code', found };
  if (PROCESS_PY.has(root)) return { rule: 'no-process-access', found };
  const isOwn = programFiles.some((file) => /\.py$/u.test(file) && file.split(/[/.]/u)[0] === root);
  return isOwn ? null : { rule: 'no-new-imports', found };
};
