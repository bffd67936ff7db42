import { expect, it } from 'vitest';
import { recent } from './recent.ts';

it('keeps so many, and of them those that were asked for last', () => {
  const values = recent<number>(2);
  values.set('a', 1);
  values.set('b', 2);
  expect(values.get('a')).toBe(1);
  values.set('c', 3);
  expect(['a', 'b', 'c'].map((key) => values.get(key))).toEqual([1, undefined, 3]);
  values.delete('c');
  expect(values.get('c')).toBeUndefined();
});
