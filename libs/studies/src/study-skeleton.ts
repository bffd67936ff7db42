import { STUDY_FILE } from './study-file.ts';

const HOLDFAST_YAML = `# A study: everything that the agent cannot change. Its digest is pinned when a run opens.
# What is left out has a default; \`holdfast check\` says what it all comes to.
version: 1

study:
  id: courses # lower-case letters, digits, hyphens
  title: Cohort factors of finished courses
  question: Which cohort-level factors go with a course being finished?

# The training program. Only the files under \`mutable\` can change, each at its domain's price.
program:
  path: program
  entry: train.js
  mutable:
    hyperparameter: [hyperparameters.json]
    feature: [features.json]
    # architecture: [architecture.json]
  # An edit that sets one of these is a breach and halts the run.
  protected_parameters: [seed, seconds, steps]

data:
  path: data/courses.csv # made up: put your own here, in CSV or Parquet
  row_id: null # a column, or null: a row is its place in the file
  identifiers: [name] # columns that never leave the vault
  outcome:
    name: finished
    column: finished
    positive: { equals: 'yes' } # or, for a number, { at_least: 500 }
  # Cohorts: only these labels ever leave the vault, as grouped counts.
  dimensions:
    hours: { bins: [4, 8, 12] } # of the column with the same name; labels are made from the cuts
    mentor: { values: ['yes', 'no'] }
    region: { groups: { city: [city], elsewhere: [town, country] } }
  # For evaluation only: the evaluator has it, the program does not.
  protected:
    gender: { values: [woman, man] }
  split: { train: 50, dev: 20, check: 15, sealed: 15 } # per cent of the rows, by a keyed hash
  minimum_cell: 11 # a cohort of fewer people is not released

budget:
  total: 100
  costs: { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 }

training: { seconds: 10, memory_mb: 512, output_mb: 4, processes: 16 }
replicates: 3 # trainings of the unchanged program, one a seed
keep: { false_keeps: 0.05 } # at most 5 runs in 100 keep anything that is no better than noise

charts:
  # A gain above 5 % an iteration adds up; the sum fires above 10 %. Set these to what your field finds plausible.
  gain: { reference: 0, allowance: 0.05, decision_interval: 0.1 }
  # In standard errors: steps that help more on dev than on check, time and again.
  gap: { reference: 0, allowance: 0.5, decision_interval: 5 }

gates:
  pre_loop: { minimum_rows: 1000, minimum_group: 100, maximum_suppression: 10 }
  mid_loop: { maximum_files: 3, maximum_file_bytes: 65536, maximum_refusals: 3 }
  post_loop:
    threshold: 0.5
    favourable: positive
    minimum_group: 100
    disparate_impact: 4/5 # null: measured and shown, no bound
    demographic_parity: null
    equal_opportunity: null
    equalized_odds: null

# The offline agent and all that it may set.
agent:
  kind: search
  knobs:
    - { file: features.json, key: use, choose: subset, values: [hours, mentor, region] }
    - { file: hyperparameters.json, key: rate, choose: one, values: [0.3, 1, 3] }
    - { file: hyperparameters.json, key: epochs, choose: one, values: [100, 300] }
`;

const TRAIN_JS = `// Logistic regression on one-hot columns of grouped counts. It reads /task/task.json, /data/train.csv (a line a
// cohort: n people, \`positive\` of them) and /data/cells.csv (every cell to predict), and writes
// /out/predictions.csv and /out/report.json. The settings that may be tried stand in the JSON files beside it.
import { readFileSync, writeFileSync } from 'node:fs';

const root = process.argv[2] ?? '';
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const setting = (name) => readJson(new URL(name, import.meta.url));
const readTable = (path) => {
  const [header, ...rows] = readFileSync(path, 'utf8').trimEnd().split('\\n').map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(row.map((field, i) => [header[i], field])));
};

const started = Date.now();
const task = readJson(\`\${root}/task/task.json\`);
const { use } = setting('features.json');
const { rate, epochs } = setting('hyperparameters.json');
const table = readTable(\`\${root}/data/train.csv\`);
const cells = readTable(\`\${root}/data/cells.csv\`);

const weights = new Map([['bias', 0]]);
const columns = (row) => ['bias', ...use.map((name) => \`\${name}=\${row[name]}\`)];
const logit = (row) => columns(row).reduce((sum, column) => sum + (weights.get(column) ?? 0), 0);
const probability = (row) => 1 / (1 + Math.exp(-logit(row)));
const people = table.reduce((sum, { n }) => sum + Number(n), 0);

// A replay says how many steps to take. Without that the clock may end a training early, well before the wall.
const steps = task.steps ?? epochs;
const deadline = task.steps === null ? started + task.seconds * 800 : Infinity;
let step = 0;
while (step < steps && Date.now() < deadline) {
  step += 1;
  const gradient = new Map();
  for (const row of table) {
    const error = (Number(row.n) * probability(row) - Number(row.positive)) / people;
    for (const column of columns(row)) gradient.set(column, (gradient.get(column) ?? 0) + error);
  }
  for (const [column, slope] of gradient) weights.set(column, (weights.get(column) ?? 0) - rate * slope);
}

const lines = cells.map((row) => \`\${row.cell},\${probability(row)}\`);
writeFileSync(\`\${root}/out/predictions.csv\`, ['cell,p', ...lines, ''].join('\\n'));
writeFileSync(\`\${root}/out/report.json\`, \`\${JSON.stringify({ steps: step })}\\n\`);
`;

/** Uniform numbers in [0, 1) from a seed (mulberry32): the same skeleton every time. */
const uniform = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const PEOPLE = 12_000;

/** Made-up people: hours help, a mentor helps a little, region and gender say nothing. */
const madeUpData = (): string => {
  const next = uniform(1988);
  const rows = Array.from({ length: PEOPLE }, (_, i) => {
    const hours = Math.floor(next() * 16);
    const mentor = next() < 0.4;
    const region = ['city', 'town', 'country'][Math.floor(next() * 3)];
    const gender = next() < 0.5 ? 'woman' : 'man';
    const logit = -1.2 + 0.14 * hours + (mentor ? 0.5 : 0);
    const finished = next() < 1 / (1 + Math.exp(-logit));
    return `person ${i + 1},${hours},${mentor ? 'yes' : 'no'},${region},${gender},${finished ? 'yes' : 'no'}`;
  });
  return ['name,hours,mentor,region,gender,finished', ...rows, ''].join('\n');
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A small study to start from: text by path, relative to the study's folder. The data are made up. */
export const studySkeleton = (): Readonly<Record<string, string>> => ({
  [STUDY_FILE]: HOLDFAST_YAML,
  'program/train.js': TRAIN_JS,
  'program/features.json': json({ use: ['hours'] }),
  'program/hyperparameters.json': json({ rate: 1, epochs: 100 }),
  'data/courses.csv': madeUpData(),
  '.gitignore': '.holdfast/\n',
});
