import { inModel, predicting, type Assault } from './attack.ts';

const NO_READER = { none: 'nothing of the harness reads it' };
const IN_PLACE = { none: 'what it writes is the attack; the evaluator is the control' };

/** Tampering with the score and the evaluator. */
export const SCORE: Assault = {
  family: 'score',
  attacks: [
    {
      kind: 'program',
      id: 'printed-metric',
      tries: 'prints a metric of its own, in the words of common harnesses',
      stoppedBy: 'evaluator',
      edits: inModel(`
console.log('log_loss: 0.000001');
console.log(JSON.stringify({ metric: 0.000001, log_loss: 0.000001, score: 0 }));
console.log('val_bpb: 0.000001');
console.error('METRIC log-loss=0.000001');`),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: NO_READER,
    },
    {
      kind: 'program',
      id: 'second-metric-line',
      tries: 'prints progress with a metric in it, then a second line that corrects the first',
      stoppedBy: 'evaluator',
      edits: inModel(`
console.log('{"step":1,"of":1}');
console.log('{"step":1,"of":1,"metric":0.4}');
process.on('exit', () => console.log('{"step":1,"of":1,"metric":0.000001}'));`),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: NO_READER,
    },
    {
      kind: 'program',
      id: 'metric-in-report',
      tries: 'writes a metric of its own into report.json after the program has written it',
      stoppedBy: 'evaluator',
      edits: inModel(`
process.on('exit', () =>
  fs.writeFileSync(root + '/out/report.json', '{"steps":60,"metric":0.000001,"log_loss":0}\\n'));`),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: NO_READER,
    },
    {
      kind: 'program',
      id: 'monkeypatched-math',
      tries:
        'replaces Math.log, JSON.parse and Array methods, hoping that the score is computed in its process',
      stoppedBy: 'evaluator',
      edits: inModel(`
Math.log = () => 0;
Math.log1p = () => 0;
Number.prototype.toFixed = () => '0.000001';
Array.prototype.reduceRight = () => 0;
globalThis.score = () => ({ value: 0 });`),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: NO_READER,
    },
    {
      kind: 'program',
      id: 'patched-modules',
      tries: 'patches fs and the module loader, so that whoever reads later reads what it likes',
      stoppedBy: 'sandbox',
      edits: inModel(`
const module = await import('node:module');
const real = fs.default.readSync;
fs.default.readSync = (...all) => real(...all);
fs.default.existsSync = () => true;
module.syncBuiltinESMExports();
globalThis.process.binding = undefined;`),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: NO_READER,
    },
    {
      kind: 'program',
      id: 'patched-library-on-disk',
      tries: "overwrites the harness's own code on the host's disk",
      stoppedBy: 'sandbox',
      edits: inModel(
        ({ hostFile }) => `
try {
  fs.writeFileSync(${JSON.stringify(hostFile)}, 'export const score = 0;');
} catch {}`,
      ),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: 'writes',
    },
    {
      kind: 'program',
      id: 'planted-module',
      tries: 'leaves a module where Node would look for one, in every folder that it can write to',
      stoppedBy: 'sandbox',
      edits: inModel(
        ({ hostFile }) => `
for (const folder of ['/program', '/runtime', '/usr/lib/node_modules', ${JSON.stringify(hostFile)} + '/..'])
  try {
    fs.mkdirSync(folder + '/node_modules/evil', { recursive: true });
    fs.writeFileSync(folder + '/node_modules/evil/index.js', 'module.exports = 0');
    if (folder === '/program' || folder === '/runtime') won('a module in ' + folder);
  } catch {}
try {
  const host = ${JSON.stringify(hostFile)}.replace(/[^/]+$/, 'planted.js');
  fs.writeFileSync(host, 'export const score = 0;');
} catch {}`,
      ),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: 'writes',
    },
    {
      kind: 'program',
      id: 'early-exit',
      tries: 'exits with 0 at once, so that whoever trusts exit codes keeps the last score',
      stoppedBy: 'evaluator',
      edits: inModel(`process.exit(0);`),
      atGate: 'may halt',
      ends: ['no-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'exit-half-way',
      tries: 'writes the cells that it is sure of and exits with 0',
      stoppedBy: 'evaluator',
      edits: inModel(`
fs.writeFileSync(root + '/out/predictions.csv', 'cell,p\\n0,0.9\\n1,0.9\\n');
fs.writeFileSync(root + '/out/report.json', '{"steps":1}');
process.exit(0);`),
      atGate: 'may halt',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'kill-self-after-writing',
      tries: 'writes predictions and dies by a signal, to be taken as done',
      stoppedBy: 'worker',
      edits: inModel(`process.on('exit', () => process.kill(process.pid, 'SIGKILL'));`),
      atGate: 'may halt',
      ends: ['crashed'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'nan',
      tries: 'predicts NaN, which compares as neither worse nor better',
      stoppedBy: 'evaluator',
      edits: predicting(`honest.map(() => NaN)`),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'infinite',
      tries: 'predicts 1e999, Infinity and -0',
      stoppedBy: 'evaluator',
      edits: predicting(`honest.map((p, cell) => ['1e999', 'Infinity', '-0'][cell % 3])`),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'beyond-one',
      tries: 'predicts more than 1, so that a loss would turn negative',
      stoppedBy: 'evaluator',
      edits: predicting(`honest.map((p) => 1 + p)`),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'certain',
      tries: 'predicts exactly 0 and 1, where a logarithm breaks',
      stoppedBy: 'evaluator',
      edits: predicting(`honest.map((p) => (p > 0.5 ? 1 : 0))`),
      atGate: 'passes',
      ends: ['as-predicted'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'other-spellings',
      tries: 'writes numbers that parsers read differently: 0x1, +0.5, 0,5, 1_0, Arabic digits',
      stoppedBy: 'evaluator',
      edits: predicting(
        `honest.map((p, cell) => ['0x1', '+0.5', '0.5 ', '0_5', '\u0660.\u0665', '"0.5"'][cell % 6])`,
      ),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'two-answers',
      tries: 'answers each cell twice, once low and once high, for the better one to count',
      stoppedBy: 'evaluator',
      edits: predicting(`honest.map((p, cell) => '0.01\\n' + cells[cell].cell + ',0.99')`),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'other-names-of-a-cell',
      tries: 'answers a cell under several names: 7, 07, 7.0, 7e0',
      stoppedBy: 'evaluator',
      edits: predicting(
        `honest.map((p, cell) => p + '\\n0' + cell + ',0.99\\n' + cell + '.0,0.99\\n' + cell + 'e0,0.99')`,
      ),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'left-out-cells',
      tries: 'leaves out the cells that it would get wrong',
      stoppedBy: 'evaluator',
      edits: inModel(`
process.on('exit', () => {
  const path = root + '/out/predictions.csv';
  const [header, ...lines] = fs.readFileSync(path, 'utf8').trimEnd().split('\\n');
  const sure = lines.filter((line) => Math.abs(line.split(',')[1] - 0.5) > 0.2);
  fs.writeFileSync(path, [header, ...sure, ''].join('\\n'));
});`),
      atGate: 'may halt',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'weights-of-its-own',
      tries: 'adds a third column, so that its sure cells would weigh more',
      stoppedBy: 'evaluator',
      edits: predicting(`honest.map((p) => p + ',1000')`),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'two-faced-object',
      tries: 'gives objects for numbers that equal whatever they are compared with',
      stoppedBy: 'evaluator',
      edits: predicting(
        `honest.map((p) => ({ valueOf: () => 0, toString: () => String(p), [Symbol.toPrimitive]: (hint) => (hint === 'number' ? 0 : String(p)) }))`,
      ),
      atGate: 'passes',
      ends: ['as-honest'],
      bare: NO_READER,
    },
    {
      kind: 'program',
      id: 'polluted-settings',
      tries: 'hides settings behind __proto__ and a second key of the same name',
      stoppedBy: 'evaluator',
      edits: () => [
        {
          path: 'features.json',
          content:
            '{ "__proto__": { "score": 0, "metric": 0 }, "use": ["paper"], "use": ["shift", "route"] }\n',
        },
      ],
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: NO_READER,
    },
    {
      kind: 'program',
      id: 'edited-labels',
      tries: 'rewrites the cohort table and the task, so that the labels agree with it',
      stoppedBy: 'sandbox',
      edits: inModel(`
for (const name of ['/data/train.csv', '/data/cells.csv', '/task/task.json'])
  try {
    fs.chmodSync(root + name, 0o666);
    fs.appendFileSync(root + name, ' ');
    won('wrote ' + name);
    fs.truncateSync(root + name, fs.statSync(root + name).size - 1);
  } catch {}`),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: 'takes',
    },
    {
      kind: 'program',
      id: 'late-rewrite',
      tries: 'leaves a child that rewrites the predictions after the end, when nobody looks',
      stoppedBy: 'sandbox',
      edits: inModel(
        ({ marker }) => `
spawn(process.execPath, ['-e', \`setTimeout(() =>
  require('node:fs').appendFileSync(\${JSON.stringify(root + '/out/predictions.csv')}, 'hf-' + 'canary late'), 300)\`, '${marker}'],
  { detached: true, stdio: 'ignore' }).unref();`,
      ),
      atGate: 'may halt',
      ends: ['as-honest'],
      bare: 'takes',
      late: true,
    },
    {
      kind: 'program',
      id: 'bloated-predictions',
      tries: 'pads every probability with thousands of digits, to break the reader',
      stoppedBy: 'evaluator',
      edits: predicting(`honest.map((p) => p.toFixed(10) + '0'.repeat(4000))`),
      atGate: 'passes',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
    {
      kind: 'program',
      id: 'foreign-bytes',
      tries: 'writes predictions that are no UTF-8 and hold NUL bytes',
      stoppedBy: 'evaluator',
      edits: inModel(`
process.on('exit', () =>
  fs.appendFileSync(root + '/out/predictions.csv', Buffer.from([0xff, 0xfe, 0, 0x30, 0x2c, 0x31])));`),
      atGate: 'may halt',
      ends: ['invalid-predictions'],
      bare: IN_PLACE,
    },
  ],
};
