import type { HarnessPolicy } from '../policy.ts';

/** A policy for tests to start from, each spreading its own over it: two charts, two seeds, a budget of 300. */
export const examplePolicy: HarnessPolicy = {
  version: 2,
  study: { id: 'pay', title: 'Pay', question: 'Which cohorts have high pay?' },
  program: {
    path: 'program',
    entry: 'train.js',
    runtime: 'node',
    mutable: {
      hyperparameter: ['hyperparameters.json'],
      feature: ['features.json'],
      architecture: ['architecture.json'],
    },
    protectedParameters: ['seed'],
  },
  data: {
    path: 'data.csv',
    format: 'csv',
    rowId: null,
    identifiers: [],
    outcome: {
      name: 'high pay',
      column: 'wage',
      positive: { atLeast: 500 },
      labels: { positive: 'positive', negative: 'negative' },
    },
    dimensions: [
      {
        name: 'region',
        column: 'region',
        kind: 'groups',
        labels: ['n', 's'],
        values: [['n'], ['s']],
      },
    ],
    coarsen: [],
    magnitudes: [],
    planted: ['withholding'],
    protected: [
      {
        name: 'ethnicity',
        column: 'ethnicity',
        kind: 'groups',
        labels: ['cauc', 'afam'],
        values: [['cauc'], ['afam']],
      },
    ],
    split: { train: 50, dev: 25, check: 15, sealed: 10 },
    minimumCell: 11,
    disclosure: { emptyCells: 'hidden', minimumOutcome: 0, totals: 'auto', tables: 'one' },
    pii: { allow: [] },
  },
  training: { seconds: 5, memoryMb: 256, outputMb: 8, processes: 16 },
  sandbox: { minimum: [] },
  objective: { metric: 'log-loss' },
  budget: {
    total: 300,
    costs: { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 },
  },
  replicates: 2,
  keep: { falseKeeps: 0.05, effect: 0.02 },
  charts: [
    { kind: 'gain', reference: 0, allowance: 0.02, decisionInterval: 0.1 },
    { kind: 'gap', reference: 0, allowance: 1, decisionInterval: 5 },
  ],
  gates: {
    preLoop: { minimumRows: 100, minimumGroup: 30, maximumSuppression: 20 },
    midLoop: { maximumFiles: 3, maximumFileBytes: 65536, maximumRefusals: 3 },
    postLoop: {
      threshold: 0.5,
      favourable: 'positive',
      minimumGroup: 30,
      decide: 'interval',
      level: 0.95,
      intersections: [],
      disparateImpact: { numerator: 4, denominator: 5 },
      demographicParity: null,
      equalOpportunity: null,
      equalizedOdds: null,
    },
  },
  agent: { kind: 'search', knobs: [] },
  governance: { acceptUngoverned: false },
};
