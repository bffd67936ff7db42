import { expect, it } from 'vitest';
import { surviveFaults } from '../support/service-faults.ts';

/** Several runs at once, 200 iterations at least; the event store and the database are down for up to 30 s each time. */
it('a service survives faults over 200 iterations', async () => {
  const survived = await surviveFaults({
    ...{ runs: 50, pauseMs: 4_000, downMs: 30_000, seed: 11 },
    patienceMs: 2_400_000,
  });
  process.stdout.write(`${JSON.stringify(survived)}\n`);
  expect(survived.iterations).toBeGreaterThanOrEqual(200);
  for (const fault of ['api', 'runner', 'worker', 'redis'])
    expect(survived.faults[`kill -9 ${fault}`] ?? 0).toBeGreaterThan(0);
  for (const fault of ['event store down', 'database down', 'stand still'])
    expect(survived.faults[fault] ?? 0).toBeGreaterThan(0);
});
