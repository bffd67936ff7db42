import { chmod, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  eventTypes,
  openKurrentEventLog,
  openSqliteEventLog,
  type EventLog,
} from '#libs/event-log';
import { ok, refused, systemClock, type Clock, type Refusal, type Result } from '#libs/kernel';
import { openLeases, type Leases } from '#libs/leases';
import { EVENT_TYPES } from '#libs/payloads';
import { openReadModels, type ReadModels } from '#libs/read-models';
import { openSourceTree, type SourceTree } from '#libs/source-tree';
import {
  dataStreams,
  findingStreams,
  fleetStream,
  ledgerReadStreams,
  notaryStream,
  runStreams,
  studyStreams,
} from './streams.ts';

/**
 * The log, the views and the bare repository: all that reading, asking and reviewing take. It holds no key and no
 * way to the data.
 *
 * Embedded, everything lies in one folder, readable by its owner only and ignored by git wherever it lies. In a service
 * the log and the views are servers that many processes share; the repository still is a folder that they see.
 */
export interface Ledger {
  readonly folder: string;
  readonly log: EventLog;
  /** What opening had to drop or set aside, for people: never an acknowledged event. */
  readonly notices: readonly string[];
  readonly studies: ReturnType<typeof studyStreams>;
  /** By data digest. */
  readonly data: ReturnType<typeof dataStreams>;
  readonly runs: ReturnType<typeof runStreams>;
  readonly findings: ReturnType<typeof findingStreams>;
  readonly reads: ReturnType<typeof ledgerReadStreams>;
  /** Loaded and asked under the one id `FLEET`. */
  readonly fleet: ReturnType<typeof fleetStream>;
  /** Loaded and asked under the one id `NOTARY`. */
  readonly notary: ReturnType<typeof notaryStream>;
  readonly sourceTree: SourceTree;
  readonly views: ReadModels;
  /** Who does what: of all processes on one ledger, one at a time. */
  readonly leases: Leases;
  readonly clock: Clock;
  close(): Promise<void>;
}

/** The servers of a service; null: embedded. Connection strings hold passwords and are never shown. */
export interface LedgerServers {
  readonly eventStore: string | null;
  readonly database: string | null;
}

export interface LedgerOptions {
  readonly folder: string;
  /** Default: everything embedded. */
  readonly servers?: LedgerServers;
  /** Whether a home that isn't there is made; reading verbs make none. Default: true. */
  readonly make?: boolean;
  readonly clock?: Clock;
  /** Stands between the home and its log: fault tests stop the process at an append. */
  readonly throughLog?: (log: EventLog) => EventLog;
}

const EMBEDDED: LedgerServers = { eventStore: null, database: null };

export const openLedger = async ({
  folder: given,
  servers = EMBEDDED,
  make = true,
  clock = systemClock,
  throughLog = (log) => log,
}: LedgerOptions): Promise<Result<Ledger, Refusal>> => {
  const folder = resolve(given);
  const laid = await layFolder(folder, make, servers.eventStore === null);
  if (!laid.ok) return laid;
  const opened = await openLog(folder, servers.eventStore);
  if (!opened.ok) return opened;

  const log = throughLog(opened.value.log);
  const sourceTree = await openSourceTree({ dir: join(folder, 'objects.git') });
  const { views, leases, setAside } = await openTables(folder, servers.database);
  return ok({
    folder,
    log,
    notices: [...opened.value.notices, setAside].filter((notice) => notice !== null),
    studies: studyStreams(log, clock),
    data: dataStreams(log, clock),
    runs: runStreams(log, clock),
    findings: findingStreams(log, clock),
    reads: ledgerReadStreams(log, clock),
    fleet: fleetStream(log, clock),
    notary: notaryStream(log, clock),
    sourceTree,
    views,
    leases,
    clock,
    close: async () => {
      await leases.close();
      await views.close();
      await log.close();
    },
  });
};

const openLog = async (
  folder: string,
  eventStore: string | null,
): Promise<
  Result<{ readonly log: EventLog; readonly notices: readonly (string | null)[] }, Refusal>
> => {
  const types = eventTypes(EVENT_TYPES);
  if (eventStore !== null) {
    const opened = await openKurrentEventLog({ connectionString: eventStore }, types);
    return opened.ok ? ok({ log: opened.value.log, notices: [] }) : opened;
  }
  const opened = openSqliteEventLog(join(folder, 'log.sqlite'), types);
  return opened.ok
    ? ok({ log: opened.value.log, notices: [opened.value.recovered.message] })
    : opened;
};

/** Makes the folder, or takes one that is a home already; never one that holds something else. */
const layFolder = async (
  folder: string,
  make: boolean,
  holdsLog: boolean,
): Promise<Result<null, Refusal>> => {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found?.includes(holdsLog ? 'log.sqlite' : 'objects.git') === true) return ok(null);
  if (!make && holdsLog)
    return refused({
      code: 'home-missing',
      message: `found no log in ${folder}, expected the home of an earlier run; open one with "holdfast run", or name another home with --home`,
    });
  // An earlier opening may have been stopped before the log was made.
  const foreign = (found ?? []).filter(
    (name) => !OWN_NAMES.includes(name) && !LOG_DRAFT.test(name),
  );
  if (foreign.length > 0)
    return refused({
      code: 'home-foreign',
      message: `found ${foreign.slice(0, 3).join(', ')} in ${folder}, expected an empty folder or a home; name another one with --home`,
    });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await writeFile(join(folder, '.gitignore'), '*\n');
  return ok(null);
};

const OWN_NAMES: readonly string[] = [
  '.gitignore',
  'keys',
  'objects.git',
  'settled-before',
  'studies',
  'tokens.json',
];

/** What a process that was killed while it made the log leaves beside it. */
const LOG_DRAFT = /^log\.sqlite\.\d+\.new(?:-journal|-wal|-shm)?$/;

interface Tables {
  readonly views: ReadModels;
  readonly leases: Leases;
  readonly setAside: string | null;
}

const openTables = async (folder: string, database: string | null): Promise<Tables> => {
  if (database !== null) {
    const target = { kind: 'postgres', connectionString: database } as const;
    return {
      views: await openReadModels(target),
      leases: await openLeases(target),
      setAside: null,
    };
  }
  const views = await openViews(join(folder, 'views.sqlite'));
  return {
    ...views,
    leases: await openLeases({ kind: 'sqlite', path: join(folder, 'leases.sqlite') }),
  };
};

/** Views can be made anew at any time, so a damaged file is set aside and never keeps anybody from the log. */
const openViews = async (
  path: string,
): Promise<{ readonly views: ReadModels; readonly setAside: string | null }> => {
  try {
    return { views: await openReadModels({ kind: 'sqlite', path }), setAside: null };
  } catch (error) {
    if (!(error instanceof Error && /malformed|not a database/.test(error.message))) throw error;
    const aside = `${path}.damaged-${Date.now()}`;
    await rename(path, aside);
    return {
      views: await openReadModels({ kind: 'sqlite', path }),
      setAside: `the views were damaged (${error.message}); they are made anew from the log, the old file is ${aside}`,
    };
  }
};
