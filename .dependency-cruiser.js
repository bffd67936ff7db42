// Arrows point from apps to libs to the pure core, never back. A lib is reached through its door alone.

/** Libs that compute and nothing else: the same code runs on a server, in the terminal and in a browser. */
const PURE =
  '^libs/(kernel|harness|budget|divergence|mandate|run|findings|fleet|ledger-reads|erasures|provenance|evaluator|merkle|checkpoints|notary|bundle|browser-verifier|pii)/';
/** Everything of libs/studies is pure but the one file that reads a folder. */
const PURE_OR_STUDIES = `(${PURE})|(^libs/studies/src/(?!study-folder\\.ts|index\\.ts))`;
/** Pure by itself: it takes the studies' deciders by their door, beside which a file reads folders. */
const PURE_BUT_FOR_DOORS = `(${PURE_OR_STUDIES})|(^libs/decided/)`;
/** Tests, and what only they use. */
const TESTS = '\\.(spec|contract)\\.ts$|/src/testing(\\.ts$|/)';
/** Packages without input or output, which the pure core may use. */
const PURE_PACKAGES =
  'node_modules/(uuid|canonicalize|yaml|immutable|pure-rand|py-ast|@babel/parser|entities|libphonenumber-js|stdnum|validator|@noble/(hashes|curves|ed25519)|@stdlib/[^/]+)/';

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two modules that need each other are one module, or hide a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that does not resolve is not checked either.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'libs-know-no-apps',
      severity: 'error',
      from: { path: '^libs/', pathNot: TESTS },
      to: { path: '^(apps|bench|test)/' },
    },
    {
      name: 'lib-tests-know-test-support',
      severity: 'error',
      comment: 'A lib tested on a real server starts it with what all tests start it with.',
      from: { path: '^libs/' },
      to: { path: '^(apps|bench)/|^test/(?!support/|doubles/)' },
    },
    {
      name: 'libs-by-their-doors',
      severity: 'error',
      comment: 'Import #libs/<name>, not a file inside it.',
      from: { path: '^libs/([^/]+)/', pathNot: TESTS },
      to: { path: '^libs/[^/]+/', pathNot: '^libs/($1/|[^/]+/src/index\\.ts$)' },
    },
    {
      name: 'own-lib-not-by-its-door',
      severity: 'error',
      comment: 'Inside a lib, import the file: the door would be a cycle.',
      from: { path: '^libs/([^/]+)/src/(?!index\\.ts$)', pathNot: TESTS },
      to: { path: '^libs/$1/src/index\\.ts$' },
    },
    {
      name: 'apps-use-doors',
      severity: 'error',
      from: { path: '^apps/', pathNot: TESTS },
      to: { path: '^libs/', pathNot: '^libs/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'apps-by-their-doors',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: TESTS },
      to: { path: '^apps/[^/]+/', pathNot: '^apps/($1/|[^/]+/src/index\\.ts$)' },
    },
    {
      name: 'worker-knows-redis-only',
      severity: 'error',
      comment:
        'Whoever takes over a worker must find no way to the log, the rows or the runner in it.',
      from: { path: '^apps/worker/', pathNot: TESTS },
      to: {
        path: '^(apps/(?!worker/)|libs/(event-log|vault|read-models|payloads)/)',
        reachable: true,
      },
    },
    {
      name: 'kernel-stands-alone',
      severity: 'error',
      from: { path: '^libs/kernel/' },
      to: { path: '^(apps|libs)/', pathNot: '^libs/kernel/' },
    },
    {
      name: 'pure-knows-pure-libs',
      severity: 'error',
      comment: 'A pure lib may name the types of the others, and run code of pure ones only.',
      from: { path: PURE_OR_STUDIES, pathNot: TESTS },
      to: {
        path: '^libs/',
        pathNot: PURE_OR_STUDIES,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'pure-knows-no-machine',
      severity: 'error',
      comment: 'Clock, ids, randomness and hashes are passed in.',
      from: { path: PURE_BUT_FOR_DOORS, pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-knows-pure-packages',
      severity: 'error',
      from: { path: PURE_BUT_FOR_DOORS, pathNot: TESTS },
      to: { path: 'node_modules/', pathNot: PURE_PACKAGES },
    },
    {
      name: 'nest-in-apps-only',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: 'node_modules/(@nestjs|nest-commander)/' },
    },
    {
      name: 'tests-are-not-shipped',
      severity: 'error',
      from: { path: '^(apps|libs|bench)/', pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'no-tools-at-run-time',
      severity: 'error',
      comment: 'What dist imports must be a dependency, not a development one.',
      from: { path: '^(apps|libs)/', pathNot: TESTS },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    // Imports that vanish in compilation (types) count as well.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
};
