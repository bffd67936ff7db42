import { expect, it } from 'vitest';
import { drive } from '../support/drive.ts';
import { endState, typesOf } from '../support/end-state.ts';
import { prepare } from '../support/prepared.ts';
it('late kills', async () => {
  const prepared = await prepare();
  const h0 = await prepared.home();
  expect(await drive(h0, prepared.study).ended).toMatchObject({ exitCode: 0 });
  const undisturbed = await endState(h0);
  const types = typesOf(undisturbed);
  console.log(types.length, types.filter((t) => t === 'LookCounted').length, types.filter((t) => t === 'SealedRowsOpened').length);
  for (const [when, first, step] of [['after', 30, 1], ['before', 30, 2]] as const) {
    const home = await prepared.home();
    let k = 0;
    for (; k < 60; k += 1) {
      const { exitCode, signal, stderr } = await drive(home, prepared.study, { when, append: k === 0 ? first : step }).ended;
      if (signal === 'SIGKILL') continue;
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      break;
    }
    console.log(when, 'killed', k);
    expect(await endState(home)).toEqual(undisturbed);
  }
}, 600000);
