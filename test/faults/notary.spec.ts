import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  killFollowers,
  notaryBench,
  type NotaryBench,
  type Step,
} from '../support/notary-faults.ts';

const PATIENCE = 240_000;

let bench: NotaryBench;
beforeEach(async () => {
  bench = await notaryBench();
});
afterEach(() => bench.close());

const inPeace = async (): Promise<void> => {
  expect(await bench.notary('seal').ended).toMatchObject({ exitCode: 0, stderr: '' });
};

/**
 * A seal writes places and hashes of the leaves to the tree, appends what it signed, pushes a tag, appends that, asks a
 * witness, appends that. It is stopped in the midst of each, and before and after.
 */
const STEPS: readonly (readonly [Step, number])[] = [
  ['tiles', 1],
  ['tiles', 2],
  ['before', 1],
  ['after', 1],
  ['ref', 1],
  ['before', 2],
  ['after', 2],
  ['before', 3],
  ['after', 3],
];

it(
  'kill -9 at each step of a seal: the next one goes on from there, and what was anchored stays so',
  async () => {
    await bench.grow(5);
    await inPeace();
    for (const [step, nth] of STEPS) {
      await bench.grow(9);
      expect(await bench.notary(step, nth).ended, `${step} ${nth}`).toMatchObject({
        signal: 'SIGKILL',
      });
      // Nothing came since: the same checkpoint is signed, or only handed on to who doesn't hold it yet.
      await inPeace();
      expect(await bench.anchors()).toBe(2);
      await bench.look();
    }
  },
  PATIENCE,
);

it(
  'kill -9 at one step after the other, over a log that goes on: there is one history',
  async () => {
    // Over the edge of a tile, where a second level begins.
    for (const [at, [step, nth]] of STEPS.entries()) {
      await bench.grow(at === 2 ? 260 : 7);
      expect(await bench.notary(step, nth).ended, `${step} ${nth}`).toMatchObject({
        signal: 'SIGKILL',
      });
    }
    await inPeace();
    const { checkpoints, leaves } = await bench.look();
    expect(leaves).toBe(260 + 7 * (STEPS.length - 1));
    expect(checkpoints).toBeGreaterThan(2);
  },
  PATIENCE,
);

it(
  'kill -9 of a notary that follows a growing log, at random moments: there is one history',
  async () => {
    expect((await killFollowers(6)).checkpoints).toBeGreaterThan(6);
  },
  PATIENCE,
);
