/**
 * The training program of the attacks' study: `node train.js [root]`. It is fixed; what may be tried stands in the
 * files beside it. `root` goes before /task, /data and /out, to run it without a sandbox.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { URL } from 'node:url';
import { fit } from './model.js';

const root = process.argv[2] ?? '';
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const setting = (name) => readJson(new URL(name, import.meta.url));
const readTable = (path) => {
  const [header, ...rows] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(row.map((field, i) => [header[i], field])));
};

const task = readJson(`${root}/task/task.json`);
const cells = readTable(`${root}/data/cells.csv`);
const table = readTable(`${root}/data/train.csv`).map((row) => ({
  ...row,
  n: Number(row.n),
  positive: Number(row.positive),
}));
const hyperparameters = setting('hyperparameters.json');
const predictions = fit({
  table,
  cells,
  features: setting('features.json').use,
  hyperparameters,
  architecture: setting('architecture.json'),
  random: task.seed,
});
const lines = cells.map(({ cell }, i) => `${cell},${predictions[i]}`);
writeFileSync(`${root}/out/predictions.csv`, ['cell,p', ...lines, ''].join('\n'));
writeFileSync(`${root}/out/report.json`, `{"steps":${hyperparameters.epochs}}\n`);
