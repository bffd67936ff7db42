import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { startApi } from '#apps/api';
import { openLedger, type Ledger } from '#apps/runner';
import { localTokens, type TokenToIssue } from '#libs/access';
import { eventTypes, openSqliteEventLog } from '#libs/event-log';
import type { Result } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { postgresMissing, startPostgres } from '../test/support/postgres.ts';
import { writeClosedRuns, type ClosedRuns } from './closed-runs.ts';
import type { Load, Loaded } from './load.ts';
import type { Row } from './rows.ts';

export interface ReadsBench {
  readonly events: number;
  readonly runs: number;
  readonly studies: number;
  /** Events a second when the log was written, unchecked, and when the views were made of it. */
  readonly written: number;
  readonly rebuilt: number;
  readonly connections: number;
  readonly reads: readonly (Loaded & {
    readonly name: string;
    /** The same question to the views or the log, without HTTP: answers a second, one after the other. */
    readonly alone: number;
  })[];
}

export interface ReadsOptions {
  /** How long each question is asked. */
  readonly until?: Load['until'];
  readonly eventsOfARun?: number;
  readonly studies?: number;
  /** Connection string of the PostgreSQL that holds the views; null: a SQLite file. */
  readonly database?: string | null;
}

const CONNECTIONS = 10;
/** How long each question is asked without HTTP. */
const ALONE_MS = 400;

const must = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

const drain = async (events: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of events);
};

interface Question {
  readonly name: string;
  readonly paths: readonly string[];
  /** What the nth path comes to without HTTP. */
  readonly alone: (nth: number) => Promise<unknown>;
  readonly caller: 'everything' | 'small project';
}

/** Different runs each time, all over the log: many more than any cache of the database's holds. */
const DIFFERENT = 1_000;

const questions = ({ views, log }: Ledger, made: ClosedRuns): readonly Question[] => {
  const { studies, agents, runs } = made;
  // A step that shares no factor with the number of runs meets all of them.
  const runIds = Array.from({ length: Math.min(DIFFERENT, runs) }, (_, nth) => {
    const ordinal = (nth * 7_919) % runs;
    return `${studies[ordinal % studies.length]!}-${Math.floor(ordinal / studies.length) + 1}`;
  });
  const run = (nth: number): string => runIds[nth % runIds.length]!;
  const study = (nth: number): string => studies[nth % studies.length]!;
  const agent = (nth: number): string => agents[nth % agents.length]!;
  const middle = new Date(Date.parse('2026-01-01T00:00:00.000Z') + (runs / 2) * 60_000);
  const [from, small] = [middle.toISOString(), studies.at(-1)!];
  const all = (
    name: string,
    path: (nth: number) => string,
    alone: Question['alone'],
    different = 1,
  ): Question => ({
    ...{ name, alone, caller: 'everything' },
    paths: Array.from({ length: different }, (_, nth) => path(nth)),
  });
  return [
    all(
      'a run',
      (nth) => `/v1/runs/${run(nth)}`,
      (nth) => views.runs({ run: run(nth) }),
      DIFFERENT,
    ),
    all(
      'runs, a page of 100',
      () => '/v1/runs',
      () => views.runs({}),
    ),
    all(
      'runs, the newest 100 of a study',
      (nth) => `/v1/runs?study=${study(nth)}&order=newest`,
      (nth) => views.runs({ study: study(nth), order: 'newest' }),
      studies.length,
    ),
    {
      ...{ name: 'runs that a small project sees', caller: 'small project', paths: ['/v1/runs'] },
      alone: () => views.runs({ study: small }),
    },
    all(
      'events of a run, 100 of them',
      (nth) => `/v1/runs/${run(nth)}/events`,
      (nth) => drain(log.readStream(`run-${run(nth)}`, { limit: 100 })),
      DIFFERENT,
    ),
    all(
      'cutover audit, a page of 100',
      () => '/v1/cutover-audit',
      () => views.cutoverAudit({}),
    ),
    all(
      'cutover audit of an agent, kept, from a time on',
      (nth) => `/v1/cutover-audit?actor=${agent(nth)}&decision=kept&from=${from}`,
      (nth) => views.cutoverAudit({ actor: agent(nth), decision: 'kept', from }),
      agents.length,
    ),
    all(
      'cutover audit of a study, what diverged',
      (nth) => `/v1/cutover-audit?study=${study(nth)}&decision=reverted&order=newest`,
      (nth) => views.cutoverAudit({ study: study(nth), decision: 'reverted', order: 'newest' }),
      studies.length,
    ),
    all(
      'findings, the newest 100',
      () => '/v1/findings?order=newest',
      () => views.findings({ order: 'newest' }),
    ),
    all(
      'findings with BLOCK: none',
      () => '/v1/findings?verdict=BLOCK',
      () => views.findings({ verdict: 'BLOCK' }),
    ),
    all(
      'a study',
      (nth) => `/v1/studies/${study(nth)}`,
      (nth) => views.studies({ study: study(nth) }),
      studies.length,
    ),
    all(
      'state of the ledger',
      () => '/v1/ledger',
      () => views.position(),
    ),
    all(
      'readiness',
      () => '/health/ready',
      () => views.position(),
    ),
    all(
      'metrics',
      () => '/metrics',
      () => views.position(),
    ),
    all(
      'charges, the newest 100',
      () => '/v1/charges?order=newest',
      () => views.charges({ order: 'newest' }),
    ),
  ];
};

const aloneASecond = async ({ alone, paths }: Question): Promise<number> => {
  for (let nth = 0; nth < 3; nth += 1) await alone(nth);
  const since = performance.now();
  let answers = 0;
  while (performance.now() - since < ALONE_MS || answers < 3) {
    await alone(answers % paths.length);
    answers += 1;
  }
  return (answers * 1000) / (performance.now() - since);
};

/** Asks in a process of its own. */
const startAsking = () => {
  const program = fileURLToPath(import.meta.url).replace(/reads(\.[jt]s)$/, 'load$1');
  const child = fork(program, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const { promise: ended, reject } = Promise.withResolvers<never>();
  child.once('exit', () => {
    reject(new Error('the process that asks has ended'));
  });
  ended.catch(() => undefined);
  return {
    ask: async (load: Load): Promise<Loaded> => {
      const { promise: answered, resolve } = Promise.withResolvers<Loaded>();
      child.once('message', (loaded) => {
        resolve(loaded as Loaded);
      });
      child.send(load);
      return Promise.race([answered, ended]);
    },
    end: () => child.kill(),
  };
};

/**
 * Reads through the API by several connections at once, from another process, on a log of ended runs and its views;
 * and the same questions to the views without HTTP.
 *
 * @param wanted - events in the log, at least
 */
export const benchReads = async (
  wanted: number,
  { until = { seconds: 3 }, eventsOfARun = 216, studies = 20, database = null }: ReadsOptions = {},
): Promise<ReadsBench> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-reads-'));
  const home = join(folder, 'home');
  try {
    // Lays the folder out; the log in it is then filled by a log that does not check what is known to be good.
    await must(await openLedger({ folder: home })).close();
    const unchecked = eventTypes(EVENT_TYPES.map((type) => ({ ...type, payload: null })));
    const { log } = must(openSqliteEventLog(join(home, 'log.sqlite'), unchecked));
    let since = performance.now();
    const made = await writeClosedRuns(log, { events: wanted, eventsOfARun, studies });
    const written = (made.events * 1000) / (performance.now() - since);
    await log.close();

    const servers = { eventStore: null, database };
    const ledger = must(await openLedger({ folder: home, servers }));
    since = performance.now();
    await ledger.views.rebuild(ledger.log);
    const rebuilt = (made.events * 1000) / (performance.now() - since);
    const api = await startApi({
      ...{ ledger, config: { port: 0 } },
      logTo: { write: () => undefined },
    });
    const tokens = localTokens(ledger.folder, ledger.clock);
    const tokenFor = async (projects: TokenToIssue['projects']): Promise<string> =>
      must(await tokens.issue({ role: 'operator', projects, days: 1 })).token;
    const callers = {
      everything: await tokenFor('all'),
      'small project': await tokenFor([made.smallProject]),
    };
    const asking = startAsking();
    const reads: ReadsBench['reads'][number][] = [];
    for (const question of questions(ledger, made)) {
      const alone = await aloneASecond(question);
      const load = {
        ...{ url: api.url, token: callers[question.caller], paths: question.paths },
        ...{ connections: CONNECTIONS },
      };
      // Warms up.
      await asking.ask({ ...load, until: { answers: 5 * CONNECTIONS } });
      const loaded = await asking.ask({ ...load, until });
      if (loaded.failed > 0) throw new Error(`${question.name}: ${loaded.failed} not answered`);
      reads.push({ ...loaded, name: question.name, alone });
    }
    asking.end();
    await api.close();
    await ledger.close();
    return {
      ...{ events: made.events, runs: made.runs, studies: made.studies.length },
      ...{ written, rebuilt, connections: CONNECTIONS, reads },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The same with the views on a PostgreSQL of its own; or why not. */
export const benchReadsOnPostgres = async (
  wanted: number,
  options: ReadsOptions = {},
): Promise<ReadsBench | { readonly missing: string }> => {
  const missing = postgresMissing();
  if (missing !== null) return { missing };
  const server = await startPostgres();
  try {
    return await benchReads(wanted, { ...options, database: await server.database() });
  } finally {
    await server.remove();
  }
};

const AIM_MS = 50;

export const readsRows = ({ reads }: ReadsBench): readonly Row[] =>
  reads.map(({ name, p50, p99, perSecond, alone }) => ({
    ...{ measure: name, value: p99, unit: 'ms' },
    beside: `median ${p50} ms, ${Math.round(perSecond).toLocaleString('en-US')}/s; without HTTP ${Math.round(alone).toLocaleString('en-US')}/s`,
    ratio: alone / perSecond,
    aim: { text: `under ${AIM_MS} ms`, met: p99 < AIM_MS },
  }));
