import { mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  agentOf,
  DriveRun,
  DriveRunHandler,
  locateStudy,
  openStudy,
  pinnedBy,
  supervise,
  type Home,
  type Supervisor,
  type SupervisorNotice,
} from '#apps/runner';
import type { EventLog } from '#libs/event-log';
import type { Actor } from '#libs/kernel';
import { openKey } from '#libs/signatures';
import { verifyAgain } from '../../apps/runner/src/proving/verify.ts';
import { follow, openTestHome } from '../support/follow.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { registerParcels, requestRun, RESEARCHER } from '../support/requests.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, SHORT_RUN } from '../support/scripted-agent.ts';

const REVIEWER: Actor = { role: 'reviewer', id: 'reviewer-1' };
const PATIENCE = 120_000;

let prepared: Prepared;
let folder: string;
let home: Home;
let supervisor: Supervisor | null;
let notices: SupervisorNotice[];
/** What happens just before an append. */
let beforeAppend: (stream: string) => Promise<void>;

const throughLog = (log: EventLog): EventLog => ({
  ...log,
  append: async (stream, ...rest) => {
    await beforeAppend(stream);
    return log.append(stream, ...rest);
  },
});

const open = async (more: Partial<Parameters<typeof openTestHome>[0]> = {}): Promise<void> => {
  home = await openTestHome({ folder, studiesFolder: prepared.root, throughLog, ...more });
};
const start = async (runs = 4): Promise<Supervisor> => {
  supervisor = await supervise(home, { runs, onNotice: (notice) => notices.push(notice) });
  return supervisor;
};
const stop = async (): Promise<void> => {
  await supervisor?.stop(60_000);
  supervisor = null;
};

beforeEach(async () => {
  prepared = await prepare();
  folder = await prepared.home();
  notices = [];
  beforeAppend = () => Promise.resolve();
  supervisor = null;
  await open();
  await registerParcels(home);
}, PATIENCE);
afterEach(async () => {
  await stop();
  await home.close();
  await prepared.remove();
});

const request = (key: string, agent: string | null = null) =>
  requestRun(home, 'parcels', key, agent);

const until = async (look: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await look()) return;
    await sleep(50);
  }
  throw new Error(`it never came to that; notices: ${JSON.stringify(notices)}`);
};
const sealed = async (runId: string) => (await home.runs.load(runId)).state.node === 'sealed';
const askForVerdict = async (findingId: string, id: string) =>
  good(
    await home.findings.send(
      findingId,
      { type: 'RequestVerification', id, data: {} },
      { role: 'auditor', id: 'auditor-1' },
    ),
  );
const isAsked = async (findingId: string) =>
  (await home.findings.load(findingId)).state.verificationAsked;

/** The study's first run is under way, and whoever drove it is gone. */
const stopInRun = async (): Promise<void> => {
  await request('key-1');
  await start();
  await until(async () => (await home.runs.load('parcels-1')).state.hypotheses >= 1);
  await stop();
  await home.close();
};

/** The study's first run, with a finding that passed. */
const withFinding = async (): Promise<void> => {
  good(await follow(home, prepared.study, scriptedAgent(SHORT_RUN)));
};

it(
  'an event that was altered keeps its own run from going on, says so, and no other run',
  async () => {
    await stopInRun();
    const database = new DatabaseSync(join(folder, 'log.sqlite'));
    for (const { name } of database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
      .all())
      database.exec(`DROP TRIGGER "${String(name)}"`);
    database.exec(
      "UPDATE events SET canonical = CAST(canonical || X'20' AS BLOB) WHERE stream = 'run-parcels-1' AND revision = 1",
    );
    database.close();
    await open();
    const again = await start();
    await request('key-2');
    await until(() => sealed('parcels-2'));
    expect(again.status().owed).toBe(1);
    expect(notices.map(({ duty }) => duty)).toContain('follow the log');
    expect(notices.map(({ duty }) => duty)).toContain('run:parcels-1');
    expect(notices[0]?.message).toContain('event 1 of run-parcels-1');
  },
  PATIENCE,
);

it(
  'a verdict that was asked for is given, whoever wrote to the finding in between',
  async () => {
    await withFinding();
    await askForVerdict('parcels-1-f1', 'ask');
    let reviews = 0;
    beforeAppend = async (stream) => {
      if (stream !== 'finding-parcels-1-f1' || reviews > 0) return;
      reviews += 1;
      good(
        await home.findings.send(
          'parcels-1-f1',
          {
            type: 'ReviewFinding',
            id: 'review',
            data: { decision: 'rejected', reason: SEALED },
          },
          REVIEWER,
        ),
      );
    };
    const running = await start();
    await until(async () => reviews > 0 && running.status().owed === 0);
    expect(await isAsked('parcels-1-f1')).toBe(false);
  },
  PATIENCE,
);

it(
  'a verdict that another runner has to record is waited for, and not made over and over',
  async () => {
    await withFinding();
    const { keys } = home;
    const runner = good(await openKey(join(prepared.root, 'other-keys'), 'runner'));
    home = { ...home, keys: { ...keys, runner } };
    await askForVerdict('parcels-1-f1', 'ask');
    const running = await start();
    await until(async () => notices.length > 0);
    // Longer than the pause after which what another runner holds is looked at again.
    await sleep(3_000);
    expect(notices).toMatchObject([
      {
        duty: 'verification:parcels-1-f1',
        message: expect.stringContaining(keys.runner.keyId) as string,
      },
    ]);
    expect(running.status().owed).toBe(1);
    expect((await verifyAgain({ ...home, keys }, 'parcels-1-f1')).notRecorded).toBeNull();
    await until(async () => running.status().owed === 0);
    expect(await isAsked('parcels-1-f1')).toBe(false);
    expect(notices).toHaveLength(1);
  },
  PATIENCE,
);

it(
  'a verdict does not wait for runs to end that take all the places there are',
  async () => {
    await withFinding();
    const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
    let holding = 0;
    beforeAppend = async (stream) => {
      if (stream !== 'run-parcels-2') return;
      holding += 1;
      await held;
    };
    await request('key-1');
    await start(1);
    await until(async () => holding === 1);
    await askForVerdict('parcels-1-f1', 'ask');
    await until(async () => !(await isAsked('parcels-1-f1')));
    expect(holding).toBe(1);
    letGo(undefined);
  },
  PATIENCE,
);

it(
  'a mark that can not be written costs a longer start, and nothing else',
  async () => {
    await mkdir(join(folder, 'settled-before'));
    const running = await start();
    const ended = running.ended.then(
      () => 'ended',
      () => 'failed',
    );
    await until(async () => notices.some(({ duty }) => duty === 'keep the mark'));
    expect(await Promise.race([ended, sleep(100, 'running')])).toBe('running');
    await request('key-1');
    await until(() => sealed('parcels-1'));
  },
  PATIENCE,
);

it(
  'a run is signed by the keys that it pinned, or waits',
  async () => {
    await stopInRun();
    const key = join(folder, 'keys', 'runner.pem');
    await rename(key, `${key}.away`);
    await open();
    const { head } = await home.runs.load('parcels-1');
    await start();
    await until(async () =>
      notices.some(({ message }) => message.includes('pinned the runner key')),
    );
    expect((await home.runs.load('parcels-1')).head?.revision).toBe(head?.revision);
    await stop();
    await home.close();
    await rename(`${key}.away`, key);
    await open();
    await start();
    await until(() => sealed('parcels-1'));
  },
  PATIENCE,
);

it(
  'a run whose studies folder is away waits until it is back',
  async () => {
    await home.close();
    const away = join(prepared.root, 'mounted-later');
    await open({ studiesFolder: away });
    await request('key-1');
    await start();
    await until(async () => notices.some(({ message }) => message.includes('HOLDFAST_STUDIES')));
    await symlink(prepared.root, away);
    await until(() => sealed('parcels-1'));
  },
  PATIENCE,
);

/** As a command line does on the same home, in a process of its own. */
const driveBeside = async (runId: string, waiting: string[]) => {
  const beside = await openTestHome({ folder, studiesFolder: prepared.root });
  try {
    const { opened } = (await beside.runs.load(runId)).state;
    if (opened === null) throw new Error(`${runId} is not open`);
    const onDisk = good(await locateStudy(beside, 'parcels'));
    const study = good(await openStudy(beside, onDisk.folder, opened.policy, pinnedBy(opened)));
    const agent = await agentOf(beside, runId, opened.policy);
    const drive = { runId, study, agent, onWaiting: (why: string) => waiting.push(why) };
    return good(await new DriveRunHandler(beside).execute(new DriveRun(drive)));
  } finally {
    await beside.close();
  }
};

it(
  'a command line follows the run that a runner drives to its end, and neither loses a race',
  async () => {
    await request('key-1');
    await start();
    await until(async () => (await home.runs.load('parcels-1')).state.opened !== null);
    const waiting: string[] = [];
    expect((await driveBeside('parcels-1', waiting)).node).toBe('sealed');
    expect(waiting).toEqual(['driven-elsewhere']);
    expect(notices).toEqual([]);
  },
  PATIENCE,
);

it(
  'a command line goes on with the run of a runner that was stopped',
  async () => {
    await request('key-1');
    await start();
    await until(async () => (await home.runs.load('parcels-1')).state.hypotheses >= 1);
    const waiting: string[] = [];
    const driven = driveBeside('parcels-1', waiting);
    await until(async () => waiting.length > 0);
    await stop();
    expect((await driven).node).toBe('sealed');
  },
  PATIENCE,
);

it(
  'a command line proposes nothing in a run that was given to an agent outside',
  async () => {
    await request('key-1', 'agent-1');
    await start();
    await until(async () => (await home.runs.load('parcels-1')).state.node === 'idle');
    const waiting: string[] = [];
    const driven = driveBeside('parcels-1', waiting);
    await until(async () => waiting.includes('agent'));
    const { state } = await home.runs.load('parcels-1');
    expect([state.node, state.hypotheses]).toEqual(['idle', 0]);
    const halt = { type: 'HaltRun', id: 'halt', data: { reason: SEALED } } as const;
    good(await home.runs.send('parcels-1', halt, RESEARCHER));
    expect((await driven).node).toBe('sealed');
  },
  PATIENCE,
);
