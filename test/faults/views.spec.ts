import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventTypes, openSqliteEventLog, type EventLog } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { openReadModels } from '#libs/read-models';
import { dumpOf, season, type Storage } from '../../libs/read-models/src/read-models.contract.ts';
import { describeOnPostgres } from '../support/with-postgres.ts';

const PATIENCE = 90_000;
const PROJECTOR = join(import.meta.dirname, 'views-projector.ts');

interface Projector {
  readonly process: ChildProcess;
  /** What it said last. */
  readonly state: () => string;
  /** How often it has said so. */
  readonly said: (kind: string) => number;
}

const storage: Storage = {
  target: () => Promise.reject(new Error('each test makes its own')),
  sql: async (target, statement) => {
    if (target.kind !== 'postgres') throw new Error('not a server');
    const client = new Client({ connectionString: target.connectionString });
    await client.connect();
    try {
      await client.query('set search_path to holdfast_views');
      return (await client.query<object>(statement)).rows;
    } finally {
      await client.end();
    }
  },
};

describeOnPostgres('the views, when their projectors and their database fail', (server) => {
  let folder: string;
  let path: string;
  let log: EventLog;
  let projectors: Projector[];
  let connectionString: string;
  /** Ends what is still being written. */
  let enough: boolean;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-views-faults-'));
    path = join(folder, 'log.sqlite');
    const opened = openSqliteEventLog(
      path,
      eventTypes(EVENT_TYPES.map((type) => ({ ...type, payload: null }))),
    );
    if (!opened.ok) throw new Error(opened.error.message);
    log = opened.value.log;
    projectors = [];
    enough = false;
    connectionString = await server().database();
    // Made before they compete, so that what they do first is to project.
    await (await openReadModels({ kind: 'postgres', connectionString })).close();
  });
  afterEach(async () => {
    enough = true;
    for (const { process: child } of projectors) await killed(child);
    await log.close();
    rmSync(folder, { recursive: true });
  });

  const killed = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };

  const project = (delivery: 'repeat' | 'plain', clock: 'jumping' | 'steady'): Projector => {
    const child = spawn(process.execPath, [PROJECTOR, path, delivery, clock], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], DATABASE: connectionString },
    });
    const said: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.push(...text.split('\n').filter((line) => line !== ''));
    });
    const projector = {
      process: child,
      state: () => said.at(-1) ?? '',
      said: (kind: string) => said.filter((one) => one === kind).length,
    };
    projectors.push(projector);
    return projector;
  };

  /** Appends a season's events in log order, a few at a time. */
  const write = async (events: readonly RecordedEvent[], pauseMs: number): Promise<void> => {
    for (const { stream, revision, id, type, data, metadata } of events) {
      if (enough) return;
      const expected = revision === 0 ? 'no-stream' : revision - 1;
      const appended = await log.append(stream, expected, [{ id, type, data, metadata }]);
      if (!appended.ok) throw new Error(appended.error.message);
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };

  /** That everything was projected, once: the rows are those of a rebuild. */
  const expectAsRebuilt = async (): Promise<void> => {
    let last = 0;
    for await (const { position } of log.readAll()) last = position;
    const target = { kind: 'postgres', connectionString } as const;
    const views = await openReadModels(target);
    try {
      expect(await views.reached(last, 30_000)).toBe(true);
      const live = await dumpOf(storage, target);
      expect(live['runs']?.length).toBeGreaterThan(10);
      await views.rebuild(log);
      expect(await dumpOf(storage, target)).toEqual(live);
    } finally {
      await views.close();
    }
  };

  it(
    'several at once, whoever leads killed again and again: each event counts once',
    async () => {
      const events = season(45);
      for (let count = 0; count < 3; count += 1) project('repeat', 'steady');
      const writing = write(events, 7);
      for (let kills = 0; kills < 4;) {
        await sleep(250);
        const leading = projectors.find(
          ({ process: child, state }) =>
            child.signalCode === null && ['leading', 'projected'].includes(state()),
        );
        if (leading === undefined || leading.said('projected') < 2) continue;
        await killed(leading.process);
        project('repeat', 'steady');
        kills += 1;
      }
      await writing;
      await expectAsRebuilt();
      expect(projectors.filter((one) => one.said('projected') > 0).length).toBeGreaterThan(3);
    },
    PATIENCE,
  );

  it(
    'the database killed, started again, and standing still for longer than a lease: they go on by themselves',
    async () => {
      const first = project('plain', 'steady');
      const second = project('plain', 'steady');
      // For as long as anybody waits for more: however slow the server, what there is to project never runs out.
      const writing = write(season(2_500), 6);
      const projected = () => first.said('projected') + second.said('projected');
      const goOn = async (): Promise<void> => {
        const before = projected();
        for (const until = Date.now() + 40_000; projected() < before + 3; await sleep(20))
          if (Date.now() > until) throw new Error('nobody projects any more');
      };
      await goOn();
      // One leads, the other stands by.
      for (; first.state() === '' || second.state() === '';) await sleep(20);
      await server().kill();
      await sleep(500);
      await server().start();
      await goOn();
      server().pause();
      await sleep(1_500);
      server().resume();
      await goOn();
      enough = true;
      await writing;
      await expectAsRebuilt();
      expect(first.said('failed') + second.said('failed')).toBeGreaterThan(0);
      expect(first.said('lost') + second.said('lost')).toBeGreaterThan(0);
      // Neither had to be started again.
      expect([first.process.exitCode, second.process.exitCode]).toEqual([null, null]);
    },
    2 * PATIENCE,
  );

  it(
    'clocks that jump by an hour: leases are lost, nothing else',
    async () => {
      const jumpers = [project('repeat', 'jumping'), project('plain', 'jumping')];
      await write(season(30), 6);
      await expectAsRebuilt();
      expect(jumpers.reduce((sum, one) => sum + one.said('lost'), 0)).toBeGreaterThan(0);
    },
    PATIENCE,
  );
});
