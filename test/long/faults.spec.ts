import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drive } from '../support/drive.ts';
import { endState, type EndState } from '../support/end-state.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { canMount, giveRoom, mountDisk, unmountDisk } from '../support/tiny-disk.ts';

const RANDOM_KILLS = 200;
/** A run is killed so often before it is left to end. */
const KILLS_A_RUN = 8;

let prepared: Prepared;
let undisturbed: EndState;
beforeAll(async () => {
  prepared = await prepare();
  const home = await prepared.home();
  expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
  undisturbed = await endState(home);
});
afterAll(() => prepared.remove());

const endsUndisturbed = async (home: string): Promise<void> => {
  expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await endState(home)).toEqual(undisturbed);
};

it.each(['before', 'after'] as const)(
  'kill -9 once, %s each append of a fresh run',
  async (when) => {
    for (let append = 1; ; append += 1) {
      const home = await prepared.home();
      const { signal } = await drive(home, prepared.study, { when, append }).ended;
      await endsUndisturbed(home);
      if (signal === null) return;
    }
  },
);

it(`kill -9 at ${RANDOM_KILLS} random moments`, async () => {
  for (let kills = 0; kills < RANDOM_KILLS;) {
    const home = await prepared.home();
    for (let round = 0; round < KILLS_A_RUN; round += 1, kills += 1) {
      const driver = drive(home, prepared.study);
      await Promise.race([driver.ended, sleep(400 + Math.random() * 1500)]);
      driver.kill();
      await driver.ended;
    }
    await endsUndisturbed(home);
  }
});

describe.skipIf(!(await canMount()))('a full disk (skipped where nothing can be mounted)', () => {
  it('at every size from one that holds the keys to one that holds it all', async () => {
    let stopped = 0;
    for (let kilobytes = 64; kilobytes <= 1600; kilobytes += 32) {
      const disk = join(prepared.root, `disk-${kilobytes}`);
      await mountDisk(disk, kilobytes);
      try {
        const home = join(disk, 'home');
        await cp(await prepared.home(), home, { recursive: true });
        const { exitCode, stderr } = await drive(home, prepared.study).ended;
        expect({ kilobytes, exitCode, stderr }).toMatchObject(
          exitCode === 0
            ? { stderr: '' }
            : { exitCode: 3, stderr: expect.stringMatching(/full|ENOSPC|no space/i) },
        );
        if (exitCode !== 0) stopped += 1;
        giveRoom(disk);
        await endsUndisturbed(home);
      } finally {
        unmountDisk(disk);
      }
    }
    expect(stopped).toBeGreaterThan(8);
  });
});
