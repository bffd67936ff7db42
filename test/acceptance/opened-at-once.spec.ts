import { expect, it } from 'vitest';
import { openRun, type Home } from '#apps/runner';
import { readStudy } from '#libs/studies';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';

const PATIENCE = 60_000;

let prepared: Prepared;
let home: Home;
inPreparedHome((made) => ({ prepared, home } = made));

it(
  'a run whose number another one took meanwhile, with another seed, takes the next',
  async () => {
    const study = good(await readStudy(prepared.study));
    let overtaken: string | null = null;
    const slow: Home = {
      ...home,
      studies: {
        ...home.studies,
        send: async (...sent) => {
          if (sent[1].type === 'CountRun' && overtaken === null)
            overtaken = good(await openRun(home, { study, seed: 7 })).runId;
          return home.studies.send(...sent);
        },
      },
    };
    const { runId } = good(await openRun(slow, { study, seed: 8 }));
    expect(overtaken).toBe('parcels-1');
    expect(runId).toBe('parcels-2');
    const seedOf = async (id: string) => (await home.runs.load(id)).state.opened?.seed;
    expect([await seedOf('parcels-1'), await seedOf('parcels-2')]).toEqual([7, 8]);
  },
  PATIENCE,
);
