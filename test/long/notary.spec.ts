import { expect, it } from 'vitest';
import { killFollowers } from '../support/notary-faults.ts';

it('a notary survives a hundred kills while the log grows', async () => {
  const killed = await killFollowers(100);
  process.stdout.write(`${JSON.stringify(killed)}\n`);
  expect(killed.checkpoints).toBeGreaterThan(100);
});
