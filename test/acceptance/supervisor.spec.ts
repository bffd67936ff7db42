import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  proposeFinding,
  proposeHypothesis,
  proposeMutation,
  supervise,
  viewOfRun,
  type Home,
  type Supervisor,
  type SupervisorNotice,
} from '#apps/runner';
import { deriveId, type Actor } from '#libs/kernel';
import { openTestHome } from '../support/follow.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { registerParcels, requestRun, RESEARCHER } from '../support/requests.ts';
import { good } from '../support/results.ts';

const AGENT: Actor = { role: 'agent', id: 'agent-1' };
const PATIENCE = 120_000;

let prepared: Prepared;
let home: Home;
let supervisor: Supervisor;
let notices: SupervisorNotice[];

const start = async (): Promise<void> => {
  supervisor = await supervise(home, {
    runs: 4,
    onNotice: (notice) => notices.push(notice),
  });
};

beforeEach(async () => {
  prepared = await prepare();
  notices = [];
  home = await openTestHome({ folder: await prepared.home(), studiesFolder: prepared.root });
  await start();
}, PATIENCE);
afterEach(async () => {
  await supervisor.stop(60_000);
  await home.close();
  await prepared.remove();
});

const until = async <T>(look: () => Promise<T | null | false>): Promise<T> => {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const found = await look();
    if (found !== null && found !== false) return found;
    await sleep(50);
  }
  throw new Error(`it never came to that; notices: ${JSON.stringify(notices)}`);
};

const node = async (runId: string) => (await home.runs.load(runId)).state.node;

describe('the supervisor', () => {
  it(
    'opens the runs that were asked for and drives them to their findings',
    async () => {
      await registerParcels(home);
      const first = await requestRun(home, 'parcels', 'key-1');
      await requestRun(home, 'parcels', 'key-2');
      const again = await requestRun(home, 'parcels', 'key-1');
      expect(again).toEqual({ events: first.events, repeated: true });
      await until(async () => (await node('parcels-1')) === 'sealed');
      await until(async () => (await node('parcels-2')) === 'sealed');
      await until(async () => supervisor.status().owed === 0);
      expect((await home.runs.load('parcels-1')).state.opened?.governance.governed).toBe(true);
      for await (const { type, metadata } of home.log.readStream('run-parcels-1', { limit: 1 }))
        expect([type, metadata.actor]).toEqual(['RunOpened', RESEARCHER]);
      expect(notices).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'goes on where it was stopped',
    async () => {
      await registerParcels(home);
      await requestRun(home, 'parcels', 'key-1');
      await until(async () => (await home.runs.load('parcels-1')).state.hypotheses >= 2);
      await supervisor.stop(60_000);
      const stopped = (await home.runs.load('parcels-1')).head?.revision ?? 0;
      expect(await node('parcels-1')).not.toBe('sealed');
      await sleep(300);
      expect((await home.runs.load('parcels-1')).head?.revision).toBe(stopped);
      await start();
      await until(async () => (await node('parcels-1')) === 'sealed');
    },
    PATIENCE,
  );

  it(
    'refuses a run that can never be opened, with the reason',
    async () => {
      await registerParcels(home, 'nothing-here');
      await requestRun(home, 'parcels', 'key-1');
      const reason = await until(
        async () => (await home.studies.load('parcels')).state.requests.first()?.refused ?? null,
      );
      expect(reason).toContain('nothing-here');
      expect(await node('parcels-1')).toBe('new');
    },
    PATIENCE,
  );

  it(
    'never leaves the studies folder',
    async () => {
      await registerParcels(home, '../../../../../../etc');
      await requestRun(home, 'parcels', 'key-1');
      const reason = await until(
        async () => (await home.studies.load('parcels')).state.requests.first()?.refused ?? null,
      );
      expect(reason).toContain('below the studies folder');
    },
    PATIENCE,
  );
});

describe('an agent outside', () => {
  const request = (key: string, actor = AGENT) => ({
    commandId: deriveId(key),
    causationId: deriveId('body', key),
    actor,
  });
  const hypothesis = { statement: 'Route separates late parcels.', expectedEffect: 0.05 };

  it(
    'sees its own run alone, proposes in turn, and ends with a finding',
    async () => {
      await registerParcels(home);
      await requestRun(home, 'parcels', 'key-1', AGENT.id);
      await until(async () => (await node('parcels-1')) === 'idle');
      expect(await viewOfRun(home, 'agent-2', 'parcels-1')).toMatchObject({
        ok: false,
        error: { code: 'run-unknown' },
      });
      const view = good(await viewOfRun(home, AGENT.id, 'parcels-1'));
      expect(view.cohorts.split('\n')[0]).toContain('route');

      const early = await proposeMutation(home, 'parcels-1', request('early'), {
        kind: 'metric',
        summary: 'accuracy',
        metric: 'accuracy',
      });
      expect(early).toMatchObject({ ok: false, error: { code: 'not-now' } });
      expect(
        await proposeHypothesis(
          home,
          'parcels-1',
          request('h0', { role: 'agent', id: 'agent-2' }),
          hypothesis,
        ),
      ).toMatchObject({ ok: false, error: { code: 'run-unknown' } });

      const first = good(await proposeHypothesis(home, 'parcels-1', request('h1'), hypothesis));
      expect(first.events.map(({ type }) => type)).toEqual(['HypothesisProposed', 'BudgetCharged']);
      expect(first.events[0]?.metadata.actor).toEqual(AGENT);
      const again = good(await proposeHypothesis(home, 'parcels-1', request('h1'), hypothesis));
      expect(again).toEqual({ events: first.events, repeated: true });
      const features = view.files['features.json'] ?? '{"use":[]}';
      const use = (JSON.parse(features) as { use: string[] }).use;
      good(
        await proposeMutation(home, 'parcels-1', request('m1'), {
          kind: 'edit',
          domain: 'feature',
          summary: 'add route to use',
          edits: [{ path: 'features.json', content: JSON.stringify({ use: [...use, 'route'] }) }],
        }),
      );
      // The harness trains, measures and judges by itself, then waits for the next idea.
      await until(async () => {
        const { state } = await home.runs.load('parcels-1');
        return state.node === 'idle' && state.attempt?.outcome !== 'pending';
      });
      expect((await home.runs.load('parcels-1')).state.attempt?.outcome).toBe('kept');
      good(await proposeFinding(home, 'parcels-1', request('f1'), 'nothing left to try'));
      await until(async () => (await node('parcels-1')) === 'sealed');
      const { verified } = (await home.findings.load('parcels-1-f1')).state;
      expect(verified?.rows.filter(({ passed }) => !passed)).toEqual([]);
      expect(verified?.verdict).toBe('PASS');

      // Whoever asks for a verdict gets a new one, though nothing has changed.
      const before = (await home.findings.load('parcels-1-f1')).head?.revision ?? 0;
      good(
        await home.findings.send(
          'parcels-1-f1',
          { type: 'RequestVerification', id: 'ask', data: {} },
          { role: 'auditor', id: 'auditor-1' },
        ),
      );
      await until(async () => !(await home.findings.load('parcels-1-f1')).state.verificationAsked);
      const after = await home.findings.load('parcels-1-f1');
      expect(after.state.verified?.verdict).toBe('PASS');
      expect(after.head?.revision).toBe(before + 2);
    },
    PATIENCE,
  );
});
