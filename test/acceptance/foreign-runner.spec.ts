import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driveRun, openRun, type Home } from '#apps/runner';
import { openKey } from '#libs/signatures';
import { readStudy } from '#libs/studies';
import { LOCAL_RESEARCHER } from '../../apps/runner/src/actors.ts';
import { verifyAgain } from '../../apps/runner/src/proving/verify.ts';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, SHORT_RUN } from '../support/scripted-agent.ts';

const PATIENCE = 60_000;

let prepared: Prepared;
let home: Home;
inPreparedHome((made) => ({ prepared, home } = made));

it(
  'a runner that the run did not pin gives its verdict and records none',
  async () => {
    const { runId, study } = good(
      await openRun(home, { study: good(await readStudy(prepared.study)), seed: 1 }),
    );
    good(await driveRun(home, { runId, study, agent: scriptedAgent(SHORT_RUN.slice(1, 2)) }));
    const findingId = `${runId}-f1`;
    const asked = { type: 'RequestVerification', id: 'ask-again', data: {} } as const;
    good(await home.findings.send(findingId, asked, LOCAL_RESEARCHER));
    const before = (await home.findings.load(findingId)).head;

    const runner = good(await openKey(join(prepared.root, 'other-keys'), 'runner'));
    const foreign = { ...home, keys: { ...home.keys, runner } };
    const { verdict, notRecorded } = await verifyAgain(foreign, findingId);
    expect(verdict).toBe('PASS');
    expect(notRecorded).toContain(runner.keyId);
    expect(notRecorded).toContain(home.keys.runner.keyId);
    expect((await home.findings.load(findingId)).head).toEqual(before);

    // Its own runner answers what was asked, and what it signed holds the next time.
    expect(await verifyAgain(home, findingId)).toMatchObject({
      verdict: 'PASS',
      notRecorded: null,
    });
    const { state } = await home.findings.load(findingId);
    expect(state).toMatchObject({ status: 'passed', verificationAsked: false });
    expect((await verifyAgain(home, findingId)).verdict).toBe('PASS');
  },
  PATIENCE,
);
