import { expect, it } from 'vitest';
import { recent, remembered } from './recent.ts';

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

it('makes room for what is larger by what was asked for longest ago', async () => {
  const values = recent<Promise<string>>(10);
  const ask = (key: string, text: string) =>
    remembered(
      values,
      key,
      async () => text,
      ({ length }) => length,
    );
  await ask('a', 'four');
  await ask('b', 'four');
  await ask('a', 'four');
  await ask('c', 'sixsix');
  expect(values.get('b')).toBeUndefined();
  expect(await values.get('a')).toBe('four');
  await ask('d', 'more than there is room for');
  expect(values.get('d')).toBeUndefined();
});

it('makes what is asked for once, and again what failed', async () => {
  const values = recent<Promise<number>>(2);
  const made: string[] = [];
  const ask = (answer: () => number) =>
    remembered(values, 'a', async () => {
      made.push('a');
      return answer();
    });
  const fails = ask(() => {
    throw new Error('gone');
  });
  await expect(fails).rejects.toThrow('gone');
  expect(await Promise.all([ask(() => 1), ask(() => 2)])).toEqual([1, 1]);
  expect(made).toEqual(['a', 'a']);
});
