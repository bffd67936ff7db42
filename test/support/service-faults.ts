import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { FLEET, openLedger, verdictOn, watchTrainings, type Ledger } from '#apps/runner';
import { localTokens } from '#libs/access';
import { verifyHash } from '#libs/event-log';
import { systemClock, type RecordedEvent, type Role } from '#libs/kernel';
import { openKey } from '#libs/signatures';
import {
  startEventStoreDouble,
  type EventStoreDouble,
} from '../doubles/event-store/event-store-double.ts';
import { startMember, until, type Member } from './cluster.ts';
import { makeStudy, uniform } from './fixture-study.ts';
import { freePort } from './free-port.ts';
import { git } from './git.ts';
import { startPostgres, type Postgres } from './postgres.ts';
import { temporaryFolder, writeSplitKey } from './prepared.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { good } from './results.ts';

export interface ServiceFaults {
  /** Runs of one study, all at once; each has about four iterations. */
  readonly runs: number;
  /** Pause between two faults, at most. */
  readonly pauseMs: number;
  /** How long the event store and the database are down when it is their turn. */
  readonly downMs: number;
  readonly patienceMs: number;
  /** Chooses the faults, so that a failure can be made again. */
  readonly seed: number;
}

export interface Survived {
  readonly iterations: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly starts: Readonly<Record<string, number>>;
}

/**
 * Two APIs, two runners and three workers in processes of their own, on a real Redis and PostgreSQL, and on the event
 * store that HOLDFAST_TEST_EVENTSTORE names, else on the double. Runs are requested while everything is killed again and
 * again, and followed to their ends; then all that must hold of the log, the repository and the views is looked at.
 */
export const surviveFaults = async (options: ServiceFaults): Promise<Survived> => {
  const cluster = await startCluster(options.seed);
  try {
    return await rage(cluster, options);
  } finally {
    await cluster.stop();
  }
};

interface Cluster {
  readonly studyId: string;
  readonly apis: readonly string[];
  readonly members: readonly Member[];
  readonly redis: TestRedis;
  readonly postgres: Postgres;
  readonly eventStore: RestartableStore;
  readonly token: string;
  readonly openLedger: () => Promise<Ledger>;
  readonly redisUrl: string;
  readonly home: string;
  readonly stop: () => Promise<void>;
}

interface RestartableStore {
  readonly connectionString: string;
  /** Null where the server is not ours to stop. */
  readonly restart: ((downMs: number) => Promise<void>) | null;
  readonly stop: () => Promise<void>;
}

const openStore = async (): Promise<RestartableStore> => {
  const named = process.env['HOLDFAST_TEST_EVENTSTORE'];
  if (named !== undefined && named !== '')
    return { connectionString: named, restart: null, stop: async () => undefined };
  let double: EventStoreDouble = await startEventStoreDouble();
  const { port, data, connectionString } = double;
  return {
    connectionString,
    restart: async (downMs) => {
      await double.stop();
      await sleep(downMs);
      double = await startEventStoreDouble({ port, data });
    },
    stop: () => double.stop(),
  };
};

const startCluster = async (seed: number): Promise<Cluster> => {
  const root = await temporaryFolder();
  // A server that is not ours may hold earlier tests' studies.
  const studyId = `parcels${Date.now().toString(36)}${seed}`;
  await makeStudy(join(root, 'studies', 'parcels'), {
    'holdfast.yaml': (text) => text.replace(/^( *id: *)parcels *$/m, `$1${studyId}`),
  });
  const [postgres, redis, eventStore] = await Promise.all([
    startPostgres(),
    startRedis({ appendOnly: true }),
    openStore(),
  ]);
  const database = await postgres.database();
  const redisUrl = `redis://127.0.0.1:${redis.connection.port}`;
  const env = {
    HOLDFAST_EVENT_STORE: eventStore.connectionString,
    HOLDFAST_DATABASE: database,
    HOLDFAST_REDIS: redisUrl,
    HOLDFAST_STUDIES: join(root, 'studies'),
    HOLDFAST_LOG_LEVEL: 'warn',
  };
  const home = join(root, 'home');
  const servers = { eventStore: eventStore.connectionString, database };
  const openIt = async (): Promise<Ledger> => good(await openLedger({ folder: home, servers }));

  const ledger = await openIt();
  await writeSplitKey(home, join(root, 'studies', 'parcels'));
  const token = await tokenOf(home, 'researcher');
  const workerHomes: string[] = [];
  for (const number of [1, 2, 3]) {
    const folder = join(root, `worker-${number}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { keyId, publicKey } = good(await openKey(join(folder, 'keys'), 'worker'));
    good(
      await ledger.fleet.send(
        FLEET,
        {
          type: 'AdmitWorker',
          id: `admit-${keyId}`,
          data: { keyId, publicKey, label: `w${number}` },
        },
        { role: 'operator', id: 'operator-1' },
      ),
    );
    workerHomes.push(folder);
  }
  await ledger.close();

  const ports = [await freePort(), await freePort()];
  const members = [
    ...ports.map((port, index) =>
      startMember({ name: `api-${index + 1}`, only: ['api'], home, port, env }),
    ),
    ...[1, 2].map((number) =>
      startMember({ name: `runner-${number}`, only: ['runner'], home, env }),
    ),
    ...workerHomes.map((folder, index) =>
      startMember({
        name: `worker-${index + 1}`,
        only: ['worker'],
        home: folder,
        env: { HOLDFAST_REDIS: redisUrl, HOLDFAST_LOG_LEVEL: 'warn' },
      }),
    ),
  ];
  return {
    ...{ studyId, members, redis, postgres, eventStore, token, redisUrl, home },
    apis: ports.map((port) => `http://127.0.0.1:${port}`),
    openLedger: openIt,
    stop: async () => {
      const codes = await Promise.all(members.map((member) => member.stop()));
      await Promise.all([redis.remove(), postgres.remove(), eventStore.stop()]);
      expect(codes.filter((code) => code !== 0 && code !== null)).toEqual([]);
    },
  };
};

const tokenOf = async (home: string, role: Role): Promise<string> =>
  good(await localTokens(home, systemClock).issue({ role, projects: 'all', days: 1 })).token;

/** Sends a command until somebody answers it: whoever was killed over it may have recorded it already. */
const command = async (
  { apis, token, members }: Cluster,
  path: string,
  key: string,
  body: object,
  patienceMs: number,
): Promise<unknown> => {
  let tries = 0;
  let last = '';
  return until(
    async () => {
      tries += 1;
      try {
        const response = await fetch(`${apis[tries % apis.length] ?? ''}${path}`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'idempotency-key': key,
          },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(20_000),
        });
        if (response.ok) return (await response.json()) as object;
        last = `${response.status} ${await response.text()}`;
        if (response.status < 500 && response.status !== 404 && response.status !== 409)
          throw new TypeError(`refused: ${last}`);
      } catch (error) {
        if (error instanceof TypeError && error.message.startsWith('refused')) throw error;
        last = String(error);
      }
      return null;
    },
    patienceMs,
    () => `${path} was never answered: ${last}\n${lastWords(members)}`,
  );
};

const rage = async (
  cluster: Cluster,
  { runs, pauseMs, downMs, patienceMs, seed }: ServiceFaults,
): Promise<Survived> => {
  const { studyId, members, redis, postgres, eventStore } = cluster;
  const next = uniform(seed);
  const faults: Record<string, number> = {};
  const calmed = new AbortController();
  const over = (): boolean => calmed.signal.aborted;
  const rampage = (async () => {
    for (;;) {
      const pause = pauseMs * (0.3 + 0.7 * next());
      await sleep(pause, null, { signal: calmed.signal }).catch(() => undefined);
      if (over()) return;
      const dice = next();
      const member = members[Math.floor(next() * members.length)];
      const did = (what: string): void => {
        faults[what] = (faults[what] ?? 0) + 1;
      };
      if (dice < 0.7 && member !== undefined) {
        member.kill();
        did(`kill -9 ${member.name.replace(/-\d$/, '')}`);
      } else if (dice < 0.8) {
        await redis.kill();
        await sleep(500 * next());
        await redis.start();
        did('kill -9 redis');
      } else if (dice < 0.87 && member !== undefined) {
        member.pause();
        await sleep(3_000 * next());
        member.resume();
        did('stand still');
      } else if (dice < 0.93 && eventStore.restart !== null) {
        await eventStore.restart(downMs * next());
        did('event store down');
      } else {
        await postgres.kill();
        await sleep(downMs * next());
        await postgres.start();
        did('database down');
      }
    }
  })();

  try {
    await command(
      cluster,
      '/v1/studies',
      'register',
      { folder: 'parcels', project: 'post' },
      patienceMs,
    );
    await Promise.all(
      Array.from({ length: runs }, (_, index) =>
        command(
          cluster,
          `/v1/studies/${studyId}/runs`,
          `run-${index}`,
          { seed: index + 1 },
          patienceMs,
        ),
      ),
    );
    const names = Array.from({ length: runs }, (_, index) => `${studyId}-${index + 1}`);
    await until(
      async () => (await sealed(cluster, names)).length === runs,
      patienceMs,
      () => `not all runs ended; faults ${JSON.stringify(faults)}\n${lastWords(members)}`,
    );
  } finally {
    calmed.abort();
    await rampage;
  }
  return { ...(await inspect(cluster, runs)), faults, starts: startsOf(members) };
};

const lastWords = (members: readonly Member[]): string =>
  members.map((member) => `${member.name}: ${member.said().slice(-1_500)}`).join('\n');

const startsOf = (members: readonly Member[]): Readonly<Record<string, number>> =>
  Object.fromEntries(members.map((member) => [member.name, member.starts()]));

/** Asked over HTTP, of whoever answers. */
const sealed = async (
  { apis, token }: Cluster,
  names: readonly string[],
): Promise<readonly string[]> => {
  const over: string[] = [];
  for (const name of names) {
    let node: unknown = null;
    for (const api of apis) {
      try {
        const response = await fetch(`${api}/v1/runs/${name}`, {
          headers: { authorization: `Bearer ${token}` },
          signal: AbortSignal.timeout(5_000),
        });
        if (response.ok) node = ((await response.json()) as { node: string }).node;
        if (response.ok) break;
      } catch {
        // It was killed; ask the other one.
      }
    }
    if (node !== 'sealed') return over;
    over.push(name);
  }
  return over;
};

const dataOf = <T>(events: readonly RecordedEvent[], ...types: readonly string[]): readonly T[] =>
  events.filter(({ type }) => types.includes(type)).map(({ data }) => data as T);

const collect = async <T>(events: AsyncIterable<T>): Promise<readonly T[]> => {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
};

/** Everything that must hold of what the service left behind, whatever happened to it. */
const inspect = async (cluster: Cluster, runs: number): Promise<Pick<Survived, 'iterations'>> => {
  const { studyId, home, redisUrl } = cluster;
  const ledger = await cluster.openLedger();
  const trainings = good(await watchTrainings(ledger, redisUrl, () => undefined));
  try {
    const study = await collect(ledger.log.readStream(`study-${studyId}`));
    expect(dataOf(study, 'RunRequested')).toHaveLength(runs);
    expect(dataOf(study, 'RunCounted')).toHaveLength(runs);
    expect(dataOf(study, 'RunRefused')).toEqual([]);
    let iterations = 0;
    let findings = 0;
    for (let number = 1; number <= runs; number += 1) {
      const runId = `${studyId}-${number}`;
      // Reading checks every hash and link.
      const events = await collect(ledger.log.readStream(`run-${runId}`));
      expect(events.every(verifyHash)).toBe(true);
      expect((await ledger.runs.load(runId)).state.node).toBe('sealed');
      const paid = dataOf<{ paysFor: string }>(events, 'BudgetCharged').map(
        ({ paysFor }) => paysFor,
      );
      expect(new Set(paid).size).toBe(paid.length);
      const idsOf = (...types: readonly string[]) =>
        dataOf<{ trainingId: string }>(events, ...types).map(({ trainingId }) => trainingId);
      expect(idsOf('TrainingCompleted', 'TrainingFailed', 'TrainingTimedOut')).toEqual(
        idsOf('TrainingLaunched'),
      );
      iterations += dataOf(events, 'HypothesisProposed').length;
      for (const { findingId } of dataOf<{ findings: readonly { findingId: string }[] }>(
        events,
        'RunClosed',
      ).flatMap((closed) => closed.findings)) {
        findings += 1;
        const { rows, verdict } = await verdictOn(ledger, findingId);
        expect(rows.filter(({ passed }) => !passed)).toEqual([]);
        expect(verdict).toBe('PASS');
      }
    }
    expect(findings).toBeGreaterThan(0);
    git(join(home, 'objects.git'), 'fsck', '--full', '--strict');
    expect(await trainings.deadLetters.list()).toEqual([]);
    await ledger.views.catchUp(ledger.log);
    const live = await everything(ledger);
    expect(live.runs.filter((row) => row.studyId === studyId)).toHaveLength(runs);
    await ledger.views.rebuild(ledger.log);
    expect(await everything(ledger)).toEqual(live);
    return { iterations };
  } finally {
    await trainings.close();
    await ledger.close();
  }
};

/** Every row of every view. */
const everything = async ({ views }: Ledger) => {
  const all = async <Row>(
    ask: (filter: { cursor?: number; limit: number }) => Promise<{
      readonly rows: readonly Row[];
      readonly next: number | null;
    }>,
  ): Promise<readonly Row[]> => {
    const rows: Row[] = [];
    let cursor: number | undefined;
    do {
      const page = await ask({ limit: 1_000, ...(cursor !== undefined && { cursor }) });
      rows.push(...page.rows);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return rows;
  };
  return {
    studies: await all((filter) => views.studies(filter)),
    runs: await all((filter) => views.runs(filter)),
    cutoverAudit: await all((filter) => views.cutoverAudit(filter)),
    restoreSource: await all((filter) => views.restoreSource(filter)),
    charges: await all((filter) => views.charges(filter)),
    findings: await all((filter) => views.findings(filter)),
  };
};
