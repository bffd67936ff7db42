import { expect, it } from 'vitest';
import type { DimensionPolicy } from '#libs/harness';
import { plantedIn } from './planted.ts';

const dimension = (name: string, ...labels: readonly string[]): DimensionPolicy => ({
  kind: 'groups',
  ...{ name, column: name, labels, values: labels.map((label) => [label]) },
});

const dimensions = [dimension('shift', 'day', 'night'), dimension('receipt', 'a', 'b', 'c')];

it.each([
  ['rest on it', [0.1, 0.2, 0.1, 0.3, 0.3, 0.3], ['receipt']],
  ['rest on the other dimension alone', [0.1, 0.1, 0.1, 0.3, 0.3, 0.3], []],
  ['rest on nothing', [0.1, 0.1, 0.1, 0.1, 0.1, 0.1], []],
])('names the planted dimension where predictions %s', (_, predictions, planted) => {
  expect(plantedIn(predictions, { planted: ['receipt'], dimensions })).toEqual(planted);
});

it('names none where none was planted', () => {
  expect(plantedIn([0, 1, 0, 1, 0, 1], { planted: [], dimensions })).toEqual([]);
});
