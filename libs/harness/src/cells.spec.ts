import { describe, expect, it } from 'vitest';
import { cellCount, cellLabels } from './index.ts';

describe('cells', () => {
  it('count through the product in row-major order', () => {
    const dimensions = [
      { name: 'age', labels: ['under 40', '40 to 64', '65 or more'] },
      { name: 'ward', labels: ['surgery', 'others, small'] },
    ];
    expect(cellCount(dimensions)).toBe(6);
    expect(Array.from({ length: 6 }, (_, cell) => cellLabels(dimensions, cell))).toEqual([
      ['under 40', 'surgery'],
      ['under 40', 'others, small'],
      ['40 to 64', 'surgery'],
      ['40 to 64', 'others, small'],
      ['65 or more', 'surgery'],
      ['65 or more', 'others, small'],
    ]);
  });

  it('are one without dimensions', () => {
    expect(cellCount([])).toBe(1);
    expect(cellLabels([], 0)).toEqual([]);
  });
});
