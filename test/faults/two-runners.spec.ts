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

it(
  'two processes on one run: one wins each step, the other steps back, and the run ends as if alone',
  async () => {
    const home = await prepared.home();
    // The run is opened, so that both find it; then both drive it, again and again until it stands at its end.
    await drive(home, prepared.study, { when: 'after', append: 4 }).ended;
    let steppedBack = 0;
    for (let left = 40, done = 0; left > 0 && done < 2; left -= 1) {
      const endings = await Promise.all([
        drive(home, prepared.study).ended,
        drive(home, prepared.study).ended,
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
    expect(await endState(home)).toEqual(undisturbed);
  },
  PATIENCE,
);
