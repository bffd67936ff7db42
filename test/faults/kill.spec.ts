import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drive } from '../support/drive.ts';
import { endState, typesOf, type EndState } from '../support/end-state.ts';
import { prepare, type Prepared } from '../support/prepared.ts';

const PATIENCE = 400_000;
/** The append of its own at which a process dies. */
const APPEND = 3;
/** More appends than the short run has. */
const ENOUGH = 100;
const RANDOM_ROUNDS = 10;

let prepared: Prepared;
let undisturbed: EndState;

beforeAll(async () => {
  prepared = await prepare();
  const home = await prepared.home();
  expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
  undisturbed = await endState(home);
}, PATIENCE);
afterAll(() => prepared.remove());

it('the undisturbed run shows a keep, a discard, a divergence, exhaustion and a finding', () => {
  const types = typesOf(undisturbed);
  expect(types).toEqual(
    expect.arrayContaining([
      'MutationReverted',
      'MutationKept',
      'DivergenceDetected',
      'RunReverted',
      'BudgetExhausted',
      'FindingVerified',
      'RunClosed',
    ]),
  );
  // One look, and that is what every killed run below has to come to.
  for (const look of ['LookCounted', 'SealedRowsOpened'])
    expect(types.filter((type) => type === look)).toHaveLength(1);
  expect(types.at(-1)).toBe('RunHeadSigned');
});

describe.concurrent('a run whose process is killed', () => {
  /**
   * Each process gets some appends further than the one before it: `after` dies as soon as its third append is
   * acknowledged, `before` makes its first two and dies with the third one's effect done and not recorded. The long
   * form in test/long/faults.spec.ts dies at every append.
   */
  it.each(['after', 'before'] as const)(
    'kill -9 right %s every few appends leads to the same end state',
    async (when) => {
      const home = await prepared.home();
      const kill = { when, append: APPEND };
      let killed = 0;
      for (; killed < ENOUGH; killed += 1) {
        const { exitCode, signal, stderr } = await drive(home, prepared.study, kill).ended;
        if (signal === 'SIGKILL') continue;
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
        break;
      }
      expect(killed).toBeGreaterThan(10);
      expect(await endState(home)).toEqual(undisturbed);
    },
    PATIENCE,
  );
});

it(
  'kill -9 at random moments leads to the same end state',
  async () => {
    const home = await prepared.home();
    for (let round = 0; round < RANDOM_ROUNDS; round += 1) {
      const driver = drive(home, prepared.study);
      await Promise.race([driver.ended, sleep(600 + Math.random() * 1500)]);
      driver.kill();
      await driver.ended;
    }
    expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
    expect(await endState(home)).toEqual(undisturbed);
  },
  PATIENCE,
);
