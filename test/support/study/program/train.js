// The share of `positive` among the people of each group that the used features make. Quick, and the same each
// time. `behave` in hyperparameters.json is for tests of bad programs.
import { Buffer } from 'node:buffer';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { URL } from 'node:url';

const setting = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
const readTable = (path) => {
  const [header, ...rows] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(row.map((field, i) => [header[i], field])));
};

const { use } = setting('features.json');
const { behave } = setting('hyperparameters.json');

const groupOf = (row) => use.map((name) => row[name]).join(' ');
const groups = new Map();
for (const row of readTable('/data/train.csv')) {
  const group = groups.get(groupOf(row)) ?? { n: 0, positive: 0 };
  group.n += Number(row.n);
  group.positive += Number(row.positive);
  groups.set(groupOf(row), group);
}
const predict = (row) => {
  const { n, positive } = groups.get(groupOf(row)) ?? { n: 0, positive: 0 };
  return (positive + 1) / (n + 2);
};
const lines = readTable('/data/cells.csv').map((row) => `${row.cell},${predict(row)}`);
const write = (predictions) => {
  writeFileSync('/out/predictions.csv', ['cell,p', ...predictions, ''].join('\n'));
  writeFileSync('/out/report.json', '{"steps":1}\n');
};

const MEBIBYTE = 1024 * 1024;
const BEHAVIOURS = {
  train: () => write(lines),
  crash: () => {
    throw new RangeError('the learning rate left the road');
  },
  silent: () => undefined,
  nan: () => write(lines.map((line) => line.replace(/,.*/, ',NaN'))),
  'too-few': () => write(lines.slice(1)),
  'too-much': () => {
    for (let i = 0; i < 8; i++) writeFileSync(`/out/part-${i}`, Buffer.alloc(MEBIBYTE, 1));
    write(lines);
  },
  'for-ever': () => {
    for (;;);
  },
  flood: () => {
    for (;;) writeSync(1, 'la '.repeat(1000));
  },
  hog: () => {
    const held = [];
    for (;;) held.push(Buffer.alloc(16 * MEBIBYTE, held.length));
  },
};
BEHAVIOURS[behave]();
