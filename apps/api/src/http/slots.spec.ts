import { expect, it } from 'vitest';
import { inSlot, slotsOf } from './slots.ts';

it('gives so many places, each once, and takes them back when the work is done or fails', async () => {
  const slots = slotsOf(2);
  const first = slots.take();
  slots.take();
  expect(() => slots.take()).toThrow('2 exports and verifications under way');
  first();
  first();
  await expect(
    inSlot(slots, async () => {
      throw new Error('failed');
    }),
  ).rejects.toThrow('failed');
  expect(await inSlot(slots, async () => 'done')).toBe('done');
  slots.take();
  expect(() => slots.take()).toThrow();
});
