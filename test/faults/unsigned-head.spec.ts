import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drive } from '../support/drive.ts';
import { endState } from '../support/end-state.ts';
import { holdfast } from '../support/holdfast.ts';
import { prepare, type Prepared } from '../support/prepared.ts';

const PATIENCE = 120_000;

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare();
}, PATIENCE);
afterAll(() => prepared.remove());

it(
  'a run that was killed between its close and its last signature is the one that --resume takes up',
  async () => {
    const home = await prepared.home();
    expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
    const typesOf = async () =>
      (await endState(home)).events.map((event) => (JSON.parse(event) as { type: string }).type);
    const whole = await typesOf();
    expect(whole.at(-1)).toBe('RunHeadSigned');
    const log = new DatabaseSync(join(home, 'log.sqlite'));
    log.exec('DELETE FROM events WHERE position = (SELECT max(position) FROM events)');
    log.close();
    // As it would have been: the views had not seen that event either.
    for (const name of await readdir(home))
      if (name.startsWith('views.sqlite')) await rm(join(home, name));

    const resumed = await holdfast(['run', '--resume', '--home', home]);
    expect(resumed).toMatchObject({ exitCode: 0 });
    // The notary's events come after them.
    expect((await typesOf()).slice(0, whole.length)).toEqual(whole);
  },
  PATIENCE,
);
