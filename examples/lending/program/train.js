/**
 * The training program of the study: `node train.js [root]`. It reads /task/task.json, /data/train.csv (grouped
 * counts) and /data/cells.csv (every cell), and writes /out/predictions.csv and /out/report.json. What may be
 * tried stands in the three JSON files beside it. `root` goes before these paths, to try things out by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fit } from './model.js';

const root = process.argv[2] ?? '';
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const setting = (name) => readJson(new URL(name, import.meta.url));

/** Rows of a CSV file by column name; this study's labels need no quotes. */
const readTable = (path) => {
  const [header, ...rows] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(row.map((field, i) => [header[i], field])));
};

const started = Date.now();
const task = readJson(`${root}/task/task.json`);
const hyperparameters = setting('hyperparameters.json');
const architecture = setting('architecture.json');
const features = setting('features.json').use;

const known = task.dimensions.map(({ name }) => name);
const unknown = features.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new RangeError(`features.json names no dimension: ${unknown}`);

const cells = readTable(`${root}/data/cells.csv`);
const table = readTable(`${root}/data/train.csv`).map((row) => ({
  ...row,
  n: Number(row.n),
  positive: Number(row.positive),
}));

// A replay says how many steps to take. Without that the clock may end a training early, well before the wall.
const steps = task.steps ?? hyperparameters.epochs;
const deadline = task.steps === null ? started + task.seconds * 800 : Infinity;
let told = 0;
const onStep = (step) => {
  const now = Date.now();
  if (now - told >= 50 || step === steps) {
    told = now;
    console.log(JSON.stringify({ step, of: steps }));
  }
  return now < deadline;
};

const result = fit({
  table,
  cells,
  features,
  hyperparameters,
  architecture,
  seed: task.seed,
  steps,
  onStep,
});

const lines = cells.map(({ cell }, i) => `${cell},${result.predictions[i]}`);
writeFileSync(`${root}/out/predictions.csv`, ['cell,p', ...lines, ''].join('\n'));
writeFileSync(`${root}/out/report.json`, `${JSON.stringify({ steps: result.steps })}\n`);
