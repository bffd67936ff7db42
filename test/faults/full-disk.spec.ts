import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drive } from '../support/drive.ts';
import { endState, type EndState } from '../support/end-state.ts';
import { holdfast } from '../support/holdfast.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { canMount, giveRoom, mountDisk, unmountDisk } from '../support/tiny-disk.ts';

const PATIENCE = 120_000;

describe.skipIf(!(await canMount()))(
  'a disk that is full (skipped where nothing can be mounted)',
  () => {
    let prepared: Prepared;
    let undisturbed: EndState;
    let disks = 0;
    const mounted: string[] = [];
    beforeAll(async () => {
      prepared = await prepare();
      const home = await prepared.home();
      expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
      undisturbed = await endState(home);
    }, PATIENCE);
    afterAll(async () => {
      for (const folder of mounted) unmountDisk(folder);
      await prepared.remove();
    });

    /** The prepared home on a disk of its own. */
    const onDisk = async (kilobytes: number): Promise<{ disk: string; home: string }> => {
      disks += 1;
      const disk = join(prepared.root, `disk-${disks}`);
      await mountDisk(disk, kilobytes);
      mounted.push(disk);
      const home = join(disk, 'home');
      await cp(await prepared.home(), home, { recursive: true });
      return { disk, home };
    };
    it.each([400, 720])(
      'of %i kB stops the run; with room it goes on to the same end state',
      async (kilobytes) => {
        const { disk, home } = await onDisk(kilobytes);
        const stopped = await drive(home, prepared.study).ended;
        expect(stopped.exitCode).toBe(3);
        expect(stopped.stderr).toMatch(/full|ENOSPC|no space/i);
        giveRoom(disk);
        expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0, stderr: '' });
        expect(await endState(home)).toEqual(undisturbed);
      },
      PATIENCE,
    );

    it(
      'is said by holdfast run with exit code 3, and holdfast run --resume goes on with room',
      async () => {
        const { disk, home } = await onDisk(680);
        const stopped = await holdfast(['run', prepared.study, '--home', home]);
        expect(stopped.exitCode).toBe(3);
        expect(stopped.stderr).toMatch(/^holdfast: .*(full|ENOSPC|no space)/im);
        expect(stopped.stderr).not.toMatch(/^\s+at /m);
        giveRoom(disk);
        expect(await holdfast(['run', '--resume', '--home', home])).toMatchObject({ exitCode: 0 });
        await endState(home);
      },
      PATIENCE,
    );
  },
);
