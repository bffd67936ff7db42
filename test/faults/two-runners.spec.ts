import { afterAll, beforeAll, expect, it } from 'vitest';
import { drive } from '../support/drive.ts';
import { endState, type EndState } from '../support/end-state.ts';
import { prepare, type Prepared } from '../support/prepared.ts';

const PATIENCE = 120_000;

let prepared: Prepared;
let undisturbed: EndState;

beforeAll(async () => {
  prepared = await prepare();
  const home = await prepared.home();
  expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
  undisturbed = await endState(home);
}, PATIENCE);
afterAll(() => prepared.remove());

/** Opens a run, so that two processes find it, and has both drive it until it stands at its end. */
const driveTwice = async (clock: 'frozen' | 'own'): Promise<string> => {
  const home = await prepared.home();
  await drive(home, prepared.study, { when: 'after', append: 6 }, clock).ended;
  let steppedBack = 0;
  for (let left = 40, done = 0; left > 0 && done < 2; left -= 1) {
    const endings = await Promise.all([
      drive(home, prepared.study, null, clock).ended,
      drive(home, prepared.study, null, clock).ended,
    ]);
    for (const { exitCode, stderr } of endings) {
      if (exitCode !== 0) {
        expect({ exitCode, stderr }).toEqual({
          exitCode: 3,
          stderr: expect.stringContaining('lost-race: another runner drives parcels-1'),
        });
        steppedBack += 1;
      }
    }
    done = endings.filter(({ exitCode }) => exitCode === 0).length;
  }
  expect(steppedBack).toBeGreaterThan(0);
  return home;
};

it(
  'two processes on one run: one wins each step, the other steps back, and the run ends as if alone',
  async () => {
    expect(await endState(await driveTwice('frozen'))).toEqual(undisturbed);
  },
  PATIENCE,
);

it(
  'two processes whose clocks differ, so that their events do: one of the two is recorded, the other steps back',
  async () => {
    const typesOf = ({ events }: EndState): readonly unknown[] =>
      events.map((event) => (JSON.parse(event) as { type: string }).type);
    expect(typesOf(await endState(await driveTwice('own')))).toEqual(typesOf(undisturbed));
  },
  PATIENCE,
);
