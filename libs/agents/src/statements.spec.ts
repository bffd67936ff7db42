import { describe, expect, it } from 'vitest';
import type { SearchKnob } from '#libs/harness';
import { screenText } from '#libs/mandate';
import type { StudyBrief } from './port.ts';
import type { Change, Settings } from './settings.ts';
import { statementOf } from './statements.ts';

const KNOBS: readonly SearchKnob[] = [
  {
    file: 'features.json',
    key: 'use',
    choose: 'subset',
    values: ['education', 'smsa', 'parttime', 'squares'],
  },
  { file: 'hyperparameters.json', key: 'learning_rate', choose: 'one', values: [0.03, 0.1] },
  { file: 'architecture.json', key: 'hidden', choose: 'one', values: [0, 4] },
];

const BRIEF: StudyBrief = {
  title: 'High pay',
  question: 'Which cohort-level factors go with high pay?',
  outcome: 'high_pay',
  dimensions: ['education', 'smsa', 'parttime'].map((name) => ({ name, labels: ['yes', 'no'] })),
  mutable: { hyperparameter: [], feature: [], architecture: [] },
  costs: { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 },
  entry: 'train.js',
};

const BEFORE: Settings = [['education'], 0.03, 0];

describe('a hypothesis begins with what sets it apart', () => {
  it.each<[string, readonly Change[]]>([
    [
      "Smsa separates the cohorts' rates of high pay beyond education.",
      [{ knob: 0, kind: 'add', value: 'smsa' }],
    ],
    [
      "Smsa and parttime together separate the cohorts' rates of high pay beyond education.",
      [
        { knob: 0, kind: 'add', value: 'smsa' },
        { knob: 0, kind: 'add', value: 'parttime' },
      ],
    ],
    [
      "Without education the cohorts' rates of high pay are described as well.",
      [{ knob: 0, kind: 'remove', value: 'education' }],
    ],
    [
      "Learning rate 0.1 would describe the cohorts' rates of high pay better.",
      [{ knob: 1, kind: 'set', value: 0.1 }],
    ],
    [
      "Squares among use and hidden 4 would describe the cohorts' rates of high pay better.",
      [
        { knob: 0, kind: 'add', value: 'squares' },
        { knob: 2, kind: 'set', value: 4 },
      ],
    ],
    [
      "Smsa separates the cohorts' rates of high pay beyond education, and without education the cohorts' rates of high pay are described as well.",
      [
        { knob: 0, kind: 'add', value: 'smsa' },
        { knob: 0, kind: 'remove', value: 'education' },
      ],
    ],
  ])('%s', (statement, changes) => {
    expect(statementOf(KNOBS, BEFORE, changes, BRIEF)).toBe(statement);
    expect(screenText(statement)).toEqual([]);
  });
});
