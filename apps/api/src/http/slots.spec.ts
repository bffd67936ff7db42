import { expect, it } from 'vitest';
import { inSlot, slotsOf } from './slots.ts';

it('gives so many places, each once, and takes them back when the work is done or fails', async () => {
  const slots = slotsOf(2, 2);
  const first = slots.take('a');
  slots.take('b');
  expect(() => slots.take('c')).toThrow('0 places free');
  first();
  first();
  await expect(
    inSlot(slots, 'a', async () => {
      throw new Error('failed');
    }),
  ).rejects.toThrow('failed');
  expect(await inSlot(slots, 'a', async () => 'done')).toBe('done');
  slots.take('a');
  expect(() => slots.take('a')).toThrow('0 places free');
});

it('gives nobody all of them', () => {
  const slots = slotsOf(3, 1);
  slots.take('a');
  expect(() => slots.take('a')).toThrow('fewer than 1');
  expect(() => slots.take('b')).not.toThrow();
});
