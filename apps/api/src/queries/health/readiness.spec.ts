import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readinessOf } from './readiness.ts';

it('does not ask again what has not answered yet', async () => {
  let looks = 0;
  let answer: (found: string) => void = () => undefined;
  const ready = readinessOf([
    {
      name: 'log',
      look: () => {
        looks += 1;
        return new Promise((resolve) => (answer = resolve));
      },
    },
  ]);
  for (let n = 0; n < 3; n += 1) {
    void ready();
    await sleep(550);
  }
  expect(looks).toBe(1);
  answer('there');
  await sleep(550);
  const asked = ready();
  answer('there again');
  expect(await asked).toMatchObject({ ready: true, checks: [{ found: 'there again' }] });
  expect(looks).toBe(2);
});
