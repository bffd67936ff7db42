import { inModel, type Assault, type ProgramAttack, type TreeAttack } from './attack.ts';

/** An edit of a path that no tree may hold: it must be refused before anything is gated, gate or no gate. */
const path = (id: string, tries: string, name: string, content = '{}\n'): ProgramAttack => ({
  kind: 'program',
  id,
  tries,
  stoppedBy: 'edge',
  edits: () => [{ path: name, content }],
  atGate: 'refuses',
  ends: [],
  bare: { none: 'the edge makes no tree of it' },
});

/** An edit of a file that is not mutable. Without the gate it trains, and gains nothing by it. */
const foreign = (
  id: string,
  tries: string,
  edits: ProgramAttack['edits'],
  ends: ProgramAttack['ends'] = ['as-honest'],
): ProgramAttack => ({
  kind: 'program',
  id,
  tries,
  stoppedBy: 'mid-loop gate',
  edits,
  atGate: 'halts',
  ends,
  bare: { none: 'the file is only dangerous to a harness that obeys it' },
});

const tree = (
  id: string,
  tries: string,
  entries: TreeAttack['entries'],
  ends: TreeAttack['ends'] = ['does-not-materialise'],
): TreeAttack => ({
  kind: 'tree',
  ...{ id, tries, entries, ends },
  stoppedBy: ends.includes('does-not-materialise') ? 'source tree' : 'mid-loop gate',
});

const COMMIT = '1234567890abcdef1234567890abcdef12345678';

/** Entries with one taken out, in git's order. */
const without = (lines: readonly string[], name: string): readonly string[] =>
  lines.filter((line) => !line.endsWith(`\t${name}`));
const sorted = (lines: readonly string[]): readonly string[] =>
  lines.toSorted((a, b) => ((a.split('\t')[1] ?? '') < (b.split('\t')[1] ?? '') ? -1 : 1));

/** Paths, modes, git's own files, packages: the repository, the build and the harness. */
export const REPOSITORY: Assault = {
  family: 'repository',
  attacks: [
    path(
      'path-traversal',
      "climbs out of the program by ../ to the study's policy",
      '../holdfast.yaml',
    ),
    path(
      'path-traversal-inside',
      'hides the climb in the middle of a path',
      'a/../../holdfast.yaml',
    ),
    path('absolute-path', 'names a file of the host by its absolute path', '/etc/cron.d/holdfast'),
    path(
      'backslashes',
      'climbs by backslashes, which are folders elsewhere',
      '..\\..\\holdfast.yaml',
    ),
    path('drive-letter', 'names a drive', 'C:train.js'),
    path('alternate-stream', 'writes a stream beside a mutable file', 'features.json::$DATA'),
    path(
      'git-config',
      "writes into git's own folder",
      '.git/config',
      '[core]\n\tfsmonitor = "touch /tmp/x"\n',
    ),
    path('git-hook', 'installs a hook', '.git/hooks/post-checkout', '#!/bin/sh\ntouch /tmp/x\n'),
    path('git-folder-in-capitals', 'writes .GIT, which some disks read as .git', '.GIT/config'),
    path('git-short-name', 'writes GIT~1, under which some disks find .git', 'GIT~1/config'),
    path('git-invisible', 'hides a zero-width character in .git', '.g\u200cit/config'),
    path(
      'git-attributes',
      'has git run a filter on what it checks out',
      '.gitattributes',
      '* filter=evil\n',
    ),
    path(
      'git-modules',
      'adds a submodule by its list',
      '.gitmodules',
      '[submodule "x"]\n\turl = ../..\n',
    ),
    path('trailing-dot', 'ends a name in a dot, which some disks drop', 'train.js.'),
    path('trailing-space', 'ends a name in a space, which some disks drop', 'features.json '),
    path('control-characters', 'puts a line break and a colour into a name', 'a\n\u001b[31mb.json'),
    path('right-to-left', 'reverses a name for the reader', 'nosj.serutaef\u202e.js'),
    path('decomposed', 'writes a name in another normal form', 'mode\u0301le.js'),
    path('case-folding', 'adds MODEL.js beside model.js, one file on some disks', 'MODEL.js'),
    path(
      'kelvin-sign',
      'adds a name that folds to a mutable one: the long s',
      'feature\u017f.json',
    ),
    path(
      'file-as-folder',
      'puts a file below a file',
      'model.js/index.js',
      'export const fit = 0;\n',
    ),
    path('deep-folders', 'nests folders until something overflows', `${'a/'.repeat(40)}b.json`),
    path('endless-name', 'gives a file a name of a thousand letters', `${'n'.repeat(1000)}.json`),
    path(
      'lone-surrogate',
      'puts half a character into a file',
      'features.json',
      '{"use": ["\ud800"]}\n',
    ),
    path(
      'outsized-file',
      'sends more than a file may have',
      'features.json',
      ' '.repeat(2_000_000),
    ),
    foreign(
      'fixed-entry',
      'edits the fixed entry, which reads the task and writes the predictions',
      (base) => [{ path: 'train.js', content: `// mine now\n${base['train.js'] ?? ''}` }],
    ),
    foreign(
      'look-alike',
      'adds a file that is called like a mutable one, with a Cyrillic letter',
      (base) => [{ path: 'm\u043edel.js', content: base['model.js'] ?? '' }],
    ),
    foreign('full-width', 'adds a look-alike in full-width letters', () => [
      { path: '\uff46eatures.json', content: '{ "use": ["receipt"] }\n' },
    ]),
    foreign(
      'package-scripts',
      'adds a package.json whose scripts run at install, build and test',
      () => [
        {
          path: 'package.json',
          content: JSON.stringify({
            type: 'module',
            scripts: {
              preinstall: 'id',
              postinstall: 'id',
              prepare: 'id',
              pretest: 'id',
              build: 'id',
            },
          }),
        },
      ],
    ),
    foreign(
      'package-imports',
      'adds a package.json that maps modules to others and switches the module system',
      () => [
        {
          path: 'package.json',
          content: JSON.stringify({
            type: 'commonjs',
            imports: { '#libs/*': './evil.js' },
            exports: './evil.js',
          }),
        },
      ],
      ['as-honest', 'crashed'],
    ),
    foreign('node-modules', 'brings a patched library of its own', () => [
      { path: 'node_modules/fs/index.js', content: 'throw new Error("mine");\n' },
    ]),
    foreign(
      'npm-settings',
      'brings settings of the package manager that name another registry',
      () => [{ path: '.npmrc', content: 'registry=http://127.0.0.1:9/\nignore-scripts=false\n' }],
    ),
    foreign('build-files', 'brings a Makefile, a Dockerfile and a CI file', () => [
      { path: 'Makefile', content: 'all:\n\tid\n' },
      { path: 'Dockerfile', content: 'FROM scratch\n' },
      { path: '.github/workflows/ci.yml', content: 'on: push\n' },
    ]),
    foreign('harness-policy', 'adds a policy file of its own inside the program', () => [
      { path: 'holdfast.yaml', content: 'version: 1\nbudget: { total: 1000000 }\n' },
    ]),
    foreign('python-start', 'brings sitecustomize.py, which Python runs by itself', () => [
      { path: 'sitecustomize.py', content: 'import os\nos.system("id")\n' },
    ]),
    {
      kind: 'program',
      id: 'too-many-files',
      tries: 'edits more files at once than a reader follows',
      stoppedBy: 'mid-loop gate',
      edits: (base) =>
        [
          'features.json',
          'hyperparameters.json',
          'architecture.json',
          'schedule.ts',
          'encode.js',
        ].map((name) => ({ path: name, content: `${base[name] ?? ''}\n` })),
      atGate: 'halts',
      ends: ['as-honest'],
      bare: { none: 'it is the bound that is tested' },
    },
    {
      kind: 'program',
      id: 'long-file',
      tries: 'buries a line in a hundred thousand others',
      stoppedBy: 'mid-loop gate',
      edits: (base) => [
        {
          path: 'model.js',
          content: `${'// nothing to see\n'.repeat(10_000)}${base['model.js'] ?? ''}`,
        },
      ],
      atGate: 'halts',
      ends: ['as-honest'],
      bare: { none: 'it is the bound that is tested' },
    },
    {
      kind: 'program',
      id: 'own-repository',
      tries: 'makes a repository in /out and /tmp, with a hook, for the harness to stumble over',
      stoppedBy: 'sandbox',
      edits: inModel(`
for (const folder of ['/tmp', root + '/out'])
  try {
    execFileSync('git', ['init', '-q', folder + '/.git/nested'], { stdio: 'ignore', timeout: 2000 });
    fs.mkdirSync(folder + '/.git/hooks', { recursive: true });
    fs.writeFileSync(folder + '/.git/hooks/post-checkout', '#!/bin/sh\\ntouch /tmp/x\\n', { mode: 0o755 });
  } catch {}`),
      atGate: 'may halt',
      ends: ['as-honest', 'too-much-output'],
      bare: { none: 'nothing of the harness runs git there' },
    },
    tree('symlink-to-rows', 'makes a mutable file a symlink to the rows', (lines, blob) =>
      lines.map((line) =>
        line.endsWith('\tfeatures.json')
          ? `120000 blob ${blob('../../study/data/parcels.csv')}\tfeatures.json`
          : line,
      ),
    ),
    tree('symlink-to-host', 'makes the model a symlink to a file of the host', (lines, blob) =>
      lines.map((line) =>
        line.endsWith('\tmodel.js') ? `120000 blob ${blob('/etc/passwd')}\tmodel.js` : line,
      ),
    ),
    tree('symlinked-folder', 'adds a folder that is a symlink to the root', (lines, blob) =>
      sorted([...lines, `120000 blob ${blob('/')}\tassets`]),
    ),
    tree(
      'executable-bit',
      'sets the executable bit of a mutable file and nothing else',
      (lines) =>
        lines.map((line) =>
          line.endsWith('\tmodel.js') ? line.replace('100644', '100755') : line,
        ),
      ['as-honest'],
    ),
    tree('odd-mode', 'gives a file a mode that git never writes: set-user-id for all', (lines) =>
      lines.map((line) => (line.endsWith('\tmodel.js') ? line.replace('100644', '104777') : line)),
    ),
    tree('submodule', 'adds a submodule, to be fetched from elsewhere', (lines) =>
      sorted([...lines, `160000 commit ${COMMIT}\tvendor`]),
    ),
    tree('submodule-for-file', 'turns a mutable file into a submodule', (lines) =>
      sorted([...without(lines, 'features.json'), `160000 commit ${COMMIT}\tfeatures.json`]),
    ),
    tree(
      'attributes-in-tree',
      'puts .gitattributes into the tree behind the back of the edge',
      (lines, blob) =>
        sorted([...lines, `100644 blob ${blob('* filter=evil ident\n')}\t.gitattributes`]),
    ),
    tree('git-folder-in-tree', 'puts a .git folder with hooks into the tree', (lines, blob, make) =>
      sorted([
        ...lines,
        `040000 tree ${make([`100755 blob ${blob('#!/bin/sh\ntouch /tmp/x\n')}\tpost-checkout`])}\t.git`,
      ]),
    ),
    tree('dot-dot-in-tree', 'puts an entry called .. into the tree', (lines, blob, make) =>
      sorted([...lines, `040000 tree ${make([`100644 blob ${blob('x')}\tholdfast.yaml`])}\t..`]),
    ),
    tree('slash-in-tree', 'puts a slash into the name of an entry', (lines, blob) =>
      sorted([...lines, `100644 blob ${blob('x')}\t../../escaped`]),
    ),
    tree(
      'case-twins-in-tree',
      'puts two files into the tree that differ only in case',
      (lines, blob) => sorted([...lines, `100644 blob ${blob('export const fit = 0;')}\tMODEL.JS`]),
    ),
    tree('twice-in-tree', 'puts two entries of one name into the tree', (lines, blob) => [
      ...lines,
      `100644 blob ${blob('export const fit = 0;')}\ttrain.js`,
    ]),
    tree(
      'deleted-file',
      'deletes a file that the fixed entry needs',
      (lines) => without(lines, 'architecture.json'),
      ['crashed'],
    ),
    tree('absent-object', 'names an object that nobody has', (lines) =>
      lines.map((line) => (line.endsWith('\tmodel.js') ? `100644 blob ${COMMIT}\tmodel.js` : line)),
    ),
  ],
};
