import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { driveRun, openRun, type Home } from '#apps/runner';
import type { BundleVerdict } from '#libs/bundle';
import { deriveId } from '#libs/kernel';
import { readStudy } from '#libs/studies';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { sealAlone } from '../support/sealing.ts';
import { scriptedAgent, SHORT_RUN } from '../support/scripted-agent.ts';

const PATIENCE = 180_000;

let prepared: Prepared;
let home: Home;
inPreparedHome((made) => ({ prepared, home } = made));
beforeAll(async () => {
  const { runId, study } = good(
    await openRun(home, { study: good(await readStudy(prepared.study)), seed: 1 }),
  );
  good(await driveRun(home, { runId, study, agent: scriptedAgent(SHORT_RUN.slice(1, 2)) }));
}, PATIENCE);

const on = (...args: readonly string[]) => holdfast([...args, '--home', home.folder]);

const seal = () => sealAlone(home);

it(
  'what the rules would not have made is signed on the word of a person, and every verdict says so',
  async () => {
    const { verifierKey } = good(await seal());
    // No agent reads over the API: the rules would not have made this one.
    const appended = good(
      await home.log.append('access-a', 'no-stream', [
        {
          ...{ id: deriveId('an append that nobody decided'), type: 'LedgerRead' },
          data: { operation: 'getRun', asked: { id: 'parcels-1' } },
          metadata: {
            ...{ correlationId: 'a', causationId: 'c', actor: { role: 'agent', id: 'a' } },
            ...{ time: home.clock.now(), schemaVersion: 1 },
          },
        },
      ]),
    );
    const { hash } = appended.events[0]!;
    expect(await seal()).toMatchObject({ ok: false, error: { code: 'notary-alarm' } });

    const shown = (await on('notary', 'status')).stdout;
    expect(shown).toContain(`--accept ${hash}`);
    const [, alarm = ''] = /notary settle (\d+) --reason/.exec(shown) ?? [];
    const settle = (accepts: string) =>
      on('notary', 'settle', alarm, '--reason', 'known', '--accept', accepts);
    expect(await settle('cd'.repeat(32))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(hash) as string,
    });
    expect(await settle(hash)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await seal()).toMatchObject({ ok: true, value: { isNew: true } });

    const said = `1 append was accepted by a person against the rules' replay: access-a@0 (${hash}) by operator local, 20`;
    expect((await on('notary', 'status')).stdout).toContain(said);
    const ofHome = await on('verify', 'parcels-1-f1');
    expect(ofHome.exitCode).toBe(0);
    expect(ofHome.stdout).toContain(`the log's signatures: ${said}`);

    const bundle = join(prepared.root, 'bundle');
    const written = await on('bundle', 'parcels-1-f1', '--out', bundle);
    expect(written.exitCode).toBe(0);
    const verified = await holdfast(['verify', bundle, '--key', verifierKey, '--json']);
    const [{ rows, standing }] = jsonLines<BundleVerdict>(verified) as [BundleVerdict];
    expect(verified.exitCode).toBe(0);
    expect(rows.find(({ row }) => row === 'checkpoints')!.found).toContain(said);
    expect(standing.find(({ about }) => about === 'rules')!.says).toContain(said);
  },
  PATIENCE,
);
