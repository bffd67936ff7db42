import { readFileSync } from 'node:fs';

/** An edit that nobody should have anything against, on a program that runs. */
export interface HonestMutation {
  readonly what: string;
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

const read = (path: string): string =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

/** The text with each of the pieces replaced, all of which have to be there. */
const replaced = (text: string, ...pairs: readonly (readonly [string, string])[]): string =>
  pairs.reduce((now, [from, to]) => {
    if (!now.includes(from)) throw new Error(`the program holds no ${from}`);
    return now.replaceAll(from, () => to);
  }, text);

type Edits = readonly (readonly [what: string, ...pairs: (readonly [string, string])[]])[];

const of = (path: string, file: string, edits: Edits): readonly HonestMutation[] => {
  const before = read(file);
  return edits.map(([what, ...pairs]) => ({
    what,
    path,
    before,
    after: replaced(before, ...pairs),
  }));
};

const JAVASCRIPT: Edits = [
  ['renames a variable', ['direction', 'momentum']],
  [
    'renames the counter of steps',
    ['step += 1', 'taken += 1'],
    ['let step = 0', 'let taken = 0'],
    ['steps: step', 'steps: taken'],
    ['while (step < steps)', 'while (taken < steps)'],
    ['onStep(step)', 'onStep(taken)'],
    ['** step', '** taken'],
  ],
  ['another decay', ['0.999', '0.99']],
  [
    'a constant for the decay',
    ['const activation', 'const DECAY = 0.95;\n\nconst activation'],
    ['0.9 * mean[i] + 0.1', 'DECAY * mean[i] + (1 - DECAY)'],
  ],
  [
    'a helper function',
    [
      'const activation',
      'const clip = (value, limit) => Math.max(-limit, Math.min(limit, value));\n\nconst activation',
    ],
    ['rate * direction', 'rate * clip(direction, 5)'],
  ],
  [
    'another activation',
    ['Math.tanh(sum)', 'Math.max(0, sum)'],
    ['(1 - output * output)', '(output > 0 ? 1 : 0)'],
  ],
  [
    'a learning rate that decays',
    ['(rate * direction)', '((rate / (1 + step / 100)) * direction)'],
  ],
  [
    'a cosine schedule',
    [
      'let step = 0;',
      'let step = 0;\n  const schedule = (t) => 0.5 * (1 + Math.cos((Math.PI * t) / steps));',
    ],
    ['(rate * direction)', '(rate * schedule(step) * direction)'],
  ],
  [
    'early stopping',
    [
      'if (!onStep(step)) break;',
      'if (!onStep(step)) break;\n    const norm = Math.hypot(...gradient);\n    if (norm < 1e-6) break;',
    ],
  ],
  ['L1 besides L2', ['l2 * weights[i]', 'l2 * weights[i] + 1e-4 * Math.sign(weights[i])']],
  [
    'gradient descent in the place of Adam',
    ['weights[i] -= (rate * direction) / (size + 1e-8);', 'weights[i] -= rate * gradient[i];'],
  ],
  [
    'weights by the size of a cohort',
    [
      '(n * predict(weights, active, columns, hidden) - positive) / people',
      '(Math.sqrt(n) * (predict(weights, active, columns, hidden) - positive / n)) / people',
    ],
  ],
  [
    'triples of features',
    [
      "if (interactions === 'pairs') {",
      "if (interactions === 'triples') {\n      for (const a of values) for (const b of values) for (const c of values) if (a < b && b < c) names.push(`${a} & ${b} & ${c}`);\n    }\n    if (interactions === 'pairs') {",
    ],
  ],
  [
    'a class for the optimiser',
    [
      'const activation',
      'class Adam {\n  #mean;\n  #square;\n  constructor(size) {\n    this.#mean = new Float64Array(size);\n    this.#square = new Float64Array(size);\n  }\n  step(i, gradient, rate, t) {\n    this.#mean[i] = 0.9 * this.#mean[i] + 0.1 * gradient;\n    this.#square[i] = 0.999 * this.#square[i] + 0.001 * gradient ** 2;\n    return (rate * this.#mean[i]) / (1 - 0.9 ** t) / (Math.sqrt(this.#square[i]) + 1e-8);\n  }\n}\n\nconst activation',
    ],
  ],
  [
    'a noise that starts from the seed',
    [
      'const next = random(seed);',
      'const next = random(seed);\n  const jitter = random(seed ^ 0x5bd1e995);',
    ],
    ['next() - 0.5', 'next() - 0.5 + 0.01 * jitter()'],
  ],
  [
    'the seed handed to a helper by its name',
    ['const next = random(seed);', 'const next = makeRandom({ seed });'],
    [
      '/** Uniform numbers',
      'const makeRandom = ({ seed }) => random(seed);\n\n/** Uniform numbers',
    ],
  ],
  [
    'the seed handed on as a property',
    [
      'const weights = initialWeights(columns, hidden, seed);',
      'const settings = { seed: seed, columns };\n  const weights = initialWeights(settings.columns, hidden, settings.seed);',
    ],
  ],
  [
    'seeds of units, derived from the given one',
    [
      'const next = random(seed);',
      'const seeds = Array.from({ length: hidden + 1 }, (_, i) => seed + i);\n  const next = random(seeds[0]);',
    ],
  ],
  [
    'a comment that speaks of the seed',
    [
      '/** Uniform numbers',
      '// seed = 4 was tried by hand, and made no difference; see /etc/motd for nothing.\n/** Uniform numbers',
    ],
  ],
  [
    'a text that speaks of the seed',
    ['const activation', "const NOTE = 'the seed: 4 of them were tried';\n\nconst activation"],
  ],
  ['a text with a slash', ['`${a} & ${b}`', '`${a}/${b}`']],
  [
    'a text that is a relative path',
    ['const activation', "const LABEL = 'a/b';\n\nconst activation"],
  ],
  [
    'a sum by a loop',
    [
      'const people = rows.reduce((sum, row) => sum + row.n, 0);',
      'let people = 0;\n  for (const row of rows) people += row.n;',
    ],
  ],
  [
    'functions in the place of arrows',
    [
      'const activation = (weights, start, active) => {',
      'function activation(weights, start, active) {',
    ],
    ['return Math.tanh(sum);\n};', 'return Math.tanh(sum);\n}'],
  ],
  [
    'a destructured option',
    [
      'const { interactions, hidden } = architecture;',
      'const { interactions, hidden, dropout = 0 } = architecture;\n  if (dropout > 0) throw new RangeError(`dropout ${dropout}`);',
    ],
  ],
  [
    'an import of the file system to read a file of the program',
    [
      '/** Uniform numbers',
      "import { readFileSync } from 'node:fs';\nconst priors = JSON.parse(readFileSync(new URL('features.json', import.meta.url), 'utf8'));\n\n/** Uniform numbers",
    ],
  ],
  [
    'an import of another file',
    ['/** Uniform numbers', "import { crosses } from './crosses.js';\n\n/** Uniform numbers"],
  ],
  [
    'a table read as it is',
    [
      '/** Uniform numbers',
      "import { readFileSync } from 'node:fs';\nconst rows = readFileSync('/data/train.csv', 'utf8').split('\\n').length;\n\n/** Uniform numbers",
    ],
  ],
  [
    'time measured',
    ['let step = 0;', 'let step = 0;\n  const begun = performance.now();'],
    ['if (!onStep(step)) break;', 'if (!onStep(step) || performance.now() - begun > 8000) break;'],
  ],
  [
    'progress printed',
    [
      'if (!onStep(step)) break;',
      'if (!onStep(step)) break;\n    if (step % 50 === 0) process.stdout.write(`${JSON.stringify({ step })}\\n`);',
    ],
  ],
  [
    'typed arrays filled',
    [
      'const gradient = new Float64Array(weights.length);',
      'const gradient = new Float64Array(weights.length).fill(0);',
    ],
  ],
  [
    'a map of counts',
    [
      'const index = new Map();',
      'const index = new Map();\n  const counts = new Map([["all", 0]]);\n  counts.set("all", 1);',
    ],
  ],
  [
    'Greek names of a formula',
    ['const direction = mean[i]', 'const β1 = 0.9;\n      const Δw = mean[i]'],
    ['rate * direction', 'rate * Δw'],
  ],
  [
    'an accented label',
    [
      'const activation',
      "const LABELS = { 'Zürich': 1, 'élevé': 2, naïve: 3 };\n\nconst activation",
    ],
  ],
  [
    'an own class with static members',
    [
      'const activation',
      'class Scaler {\n  static none = new Scaler(0, 1);\n  constructor(mean, deviation) {\n    this.mean = mean;\n    this.deviation = deviation;\n  }\n  copy() {\n    return new this.constructor(this.mean, this.deviation);\n  }\n}\nScaler.prototype.name = "scaler";\n\nconst activation',
    ],
  ],
  [
    'a parameter called process',
    [
      'const activation',
      'const each = (rows, process) => rows.map((row) => process(row));\n\nconst activation',
    ],
  ],
  [
    'Object.assign to an object of its own',
    [
      'const { interactions, hidden } = architecture;',
      'const { interactions, hidden } = Object.assign({ hidden: 0 }, architecture);',
    ],
  ],
  [
    'a value tested for being a function',
    ['if (!onStep(step)) break;', 'if (onStep instanceof Function && !onStep(step)) break;'],
  ],
  [
    'a regular expression',
    [
      'const values = features.map',
      "const clean = (text) => text.replace(/[^a-z]/g, '');\n    const values = features.map",
    ],
  ],
  [
    'a recursive helper',
    [
      'const activation',
      'const choose = (n, k) => (k === 0 ? 1 : (n * choose(n - 1, k - 1)) / k);\n\nconst activation',
    ],
  ],
  [
    'a generator',
    [
      'const activation',
      'function* batches(rows, size) {\n  for (let i = 0; i < rows.length; i += size) yield rows.slice(i, i + size);\n}\n\nconst activation',
    ],
  ],
  [
    'a spread of settings',
    [
      'const { learning_rate: rate, l2 } = hyperparameters;',
      'const { learning_rate: rate, l2 } = { l2: 0.001, ...hyperparameters };',
    ],
  ],
  [
    'a name that ends in seed',
    ['const next = random(seed);', 'const baseSeed = seed;\n  const next = random(baseSeed);'],
  ],
  ['only white space', ['let step = 0;', 'let step =\n    0;']],
];

const TYPESCRIPT: Edits = [
  [
    'another type',
    ['readonly rate: number;', 'readonly rate: number;\n  readonly decay?: number;'],
  ],
  ['another constant', ['SHRINKAGE = 0.001', 'SHRINKAGE = 0.01']],
  [
    'a typed helper',
    [
      'const sigmoid',
      'const clamp = (x: number, [low, high]: readonly [number, number] = [-30, 30]): number =>\n  Math.min(high, Math.max(low, x));\n\nconst sigmoid',
    ],
    ['Math.exp(-logit)', 'Math.exp(-clamp(logit))'],
  ],
  [
    'a method more',
    [
      '  logit(labels',
      '  get size(): number {\n    return this.values.size;\n  }\n\n  logit(labels',
    ],
  ],
  [
    'a generic function',
    [
      'const sigmoid',
      'const sumOf = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((sum, each) => sum + of(each), 0);\n\nconst sigmoid',
    ],
    ['table.reduce((sum, row) => sum + row.people, 0)', 'sumOf(table, (row) => row.people)'],
  ],
  [
    'an interface that has a seed',
    [
      'const sigmoid',
      'interface Started {\n  readonly seed: number;\n  readonly steps: number;\n}\nexport type Begin = (from: Started) => void;\n\nconst sigmoid',
    ],
  ],
  [
    'a cast',
    ['weights.bias = start(options.seed)', 'weights.bias = start(options.seed as number)'],
  ],
  [
    'a type imported',
    [
      'const sigmoid',
      "import type { Task } from './train.ts';\nexport type Seeds = Task['seed'][];\n\nconst sigmoid",
    ],
  ],
  [
    'an enumeration by a record',
    [
      'const sigmoid',
      "const KINDS = { linear: 'linear', squared: 'squared' } as const satisfies Record<string, string>;\nexport type Kind = (typeof KINDS)[keyof typeof KINDS];\n\nconst sigmoid",
    ],
  ],
];

const PYTHON: Edits = [
  ['another rate', ['LEARNING_RATE = 0.1', 'LEARNING_RATE = 0.05']],
  ['renames a variable', ['weights', 'model']],
  [
    'a helper function',
    [
      'def columns_of',
      'def clip(value, low=-30.0, high=30.0):\n    return max(low, min(high, value))\n\n\ndef columns_of',
    ],
    ['math.exp(-logit)', 'math.exp(-clip(logit))'],
  ],
  ['a feature more', ['"experience"]', '"experience", "smsa"]']],
  [
    'pairs of features',
    [
      '    return [f"{name}={row[name]}" for name in use]',
      '    single = [f"{name}={row[name]}" for name in use]\n    pairs = [f"{a} & {b}" for a, b in itertools.combinations(single, 2)]\n    return single + pairs',
    ],
    ['import math\n', 'import itertools\nimport math\n'],
  ],
  ['a schedule', ['LEARNING_RATE * error', 'LEARNING_RATE / (1 + step / 100) * error']],
  [
    'early stopping',
    [
      '    for step in range(steps):',
      '    best = math.inf\n    for step in range(steps):\n        if best < 1e-9:\n            break',
    ],
  ],
  [
    'momentum',
    [
      '        self.values[column] = self.values.get(column, 0.0) + by',
      '        self.speed[column] = 0.9 * self.speed.get(column, 0.0) + by\n        self.values[column] = self.values.get(column, 0.0) + self.speed[column]',
    ],
    ['        self.values = {}', '        self.values = {}\n        self.speed = {}'],
  ],
  [
    'a subclass',
    [
      'def fit(',
      'class Averaged(Weights):\n    def __init__(self, seed):\n        super().__init__(seed)\n        self.sums = {}\n\n    def __repr__(self):\n        return f"{self.__class__.__name__}({len(self.values)})"\n\n\ndef fit(',
    ],
  ],
  [
    'a data class',
    ['import math\n', 'import math\nfrom dataclasses import dataclass, field\n'],
    [
      'def fit(',
      '@dataclass\nclass Options:\n    rate: float = 0.1\n    names: list = field(default_factory=list)\n\n\ndef fit(',
    ],
  ],
  ['the seed handed on by its name', ['weights = Weights(seed)', 'weights = Weights(seed=seed)']],
  ['the seed of the task', ['random.Random(seed)', 'random.Random(seed * 2 + 1)']],
  [
    'the shared generator seeded by the seed',
    ['        self.values = {}', '        random.seed(seed)\n        self.values = {}'],
  ],
  [
    'the seed kept',
    ['        self.values = {}', '        self.seed = seed\n        self.values = {}'],
  ],
  [
    'a compiled pattern',
    ['import math\n', 'import math\nimport re\n'],
    ['def fit(', 'WORD = re.compile(r"\\w+")\n\n\ndef fit('],
  ],
  [
    'a comment and a text about the seed',
    ['USE = [', '# seed = 4 in the notes\nNOTE = "the seed = 4 is a/b/../c"\nUSE = ['],
  ],
  [
    'a table read',
    ['import math\n', 'import csv\nimport math\n'],
    [
      'def fit(',
      'def people():\n    with open("/data/train.csv", encoding="utf-8") as file:\n        return sum(int(row["n"]) for row in csv.DictReader(file))\n\n\ndef fit(',
    ],
  ],
  [
    'a match statement',
    [
      'def fit(',
      'def kind(value):\n    match value:\n        case {"name": str(name)}:\n            return name\n        case [first, *_]:\n            return first\n        case _:\n            return None\n\n\ndef fit(',
    ],
  ],
  [
    'progress on the error stream',
    ['import random\n', 'import random\nimport sys\n'],
    [
      '    for step in range(steps):',
      '    for step in range(steps):\n        if step % 50 == 0:\n            print(step, file=sys.stderr)',
    ],
  ],
  [
    'a generator function',
    [
      'def fit(',
      'def batches(rows, size):\n    for i in range(0, len(rows), size):\n        yield rows[i : i + size]\n\n\ndef fit(',
    ],
  ],
  [
    'a name of its own called eval',
    [
      'def fit(',
      'def eval(weights, rows):\n    return sum(weights.logit(c) for c, _, _ in rows)\n\n\ndef score(weights, rows):\n    return eval(weights, rows)\n\n\ndef fit(',
    ],
  ],
  [
    'an attribute chosen by its name',
    ['def fit(', 'def setting(weights, name):\n    return getattr(weights, name)\n\n\ndef fit('],
  ],
  [
    'decorators',
    ['import math\n', 'import functools\nimport math\n'],
    ['def sigmoid', '@functools.lru_cache(maxsize=None)\ndef sigmoid'],
  ],
];

const JSON_EDITS: readonly HonestMutation[] = (
  [
    [
      'hyperparameters.json',
      'a smaller rate',
      '{ "learning_rate": 0.1, "epochs": 200 }',
      '{ "learning_rate": 0.03, "epochs": 200 }',
    ],
    [
      'hyperparameters.json',
      'a key more',
      '{ "learning_rate": 0.1 }',
      '{ "learning_rate": 0.1, "decay": [0.5, 0.25], "schedule": { "kind": "cosine", "from": -1e-3 } }',
    ],
    [
      'hyperparameters.json',
      'keys that end in a protected name',
      '{}',
      '{ "seedling": 1, "random-seed-note": "seed", "substeps": 4 }',
    ],
    [
      'features.json',
      'a feature more',
      '{ "use": ["education"] }',
      '{ "use": ["education", "experience"] }',
    ],
    [
      'features.json',
      'labels of all alphabets',
      '{}',
      '{ "labels": ["Ä", "приезжий", "€", "👩‍🔬", "a/b", "50/50", "1/3"] }',
    ],
    ['features.json', 'white space', '{ "use": [] }', '{\n  "use": []\n}\n'],
  ] as const
).map(([path, what, before, after]) => ({ what, path, before, after }));

/** Honest edits of real programs in each language that the gate reads. */
export const HONEST_MUTATIONS: readonly HonestMutation[] = [
  ...of('model.js', 'examples/pay/program/model.js', JAVASCRIPT),
  ...of('model.ts', 'test/fixtures/typescript-program/model.ts', TYPESCRIPT),
  ...of('model.py', 'test/fixtures/python-program/model.py', PYTHON),
  ...JSON_EDITS,
];
