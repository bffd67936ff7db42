import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventLog } from '#libs/event-log';
import { markFile, START } from './mark.ts';

/** A log of events at these positions, as far as the mark looks at it. */
const log = (name: string, ...positions: readonly number[]) =>
  ({
    async *readStored({ after = 0, limit = Infinity }) {
      for (const position of positions.filter((one) => one > after).slice(0, limit))
        yield { position, id: `${name}-${position}` };
    },
  }) as unknown as Pick<EventLog, 'readStored'>;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-mark-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('is where it was left, in the same log', async () => {
  expect(await markFile(folder, log('a', 3, 7, 9)).read()).toEqual(START);
  const place = { before: 3, position: 7, id: 'a-7' };
  await markFile(folder, log('a', 3, 7)).write(place);
  expect(await markFile(folder, log('a', 3, 7, 9)).read()).toEqual(place);
});

it('is the start in another log, or in one that was restored to an earlier state', async () => {
  await markFile(folder, log('a', 3, 7)).write({ before: 3, position: 7, id: 'a-7' });
  expect(await markFile(folder, log('b', 3, 7, 9)).read()).toEqual(START);
  expect(await markFile(folder, log('a', 3)).read()).toEqual(START);
  expect(await markFile(folder, log('a')).read()).toEqual(START);
});

it('may be written by many at once', async () => {
  const mark = markFile(folder, log('a', 3, 7));
  const place = { before: 3, position: 7, id: 'a-7' };
  await Promise.all(Array.from({ length: 50 }, () => mark.write(place)));
  expect(await mark.read()).toEqual(place);
  expect(await readdir(folder)).toEqual(['settled-before']);
});
