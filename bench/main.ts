/**
 * What Holdfast's guarantees cost, as ratios measured in one run. Meant for a quiet machine; medians of repetitions
 * that take turns, each after a warm-up.
 *
 *     npm run bench [-- --json] [--full]
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { appendEventStoreRows, benchAppendEventStore } from './append-eventstore.ts';
import { benchAppend } from './append.ts';
import { benchContained, containedRows } from './contained.ts';
import { benchIteration } from './iteration.ts';
import { benchJobs, jobsRows } from './jobs.ts';
import { benchManyRuns, manyRunsRows } from './many-runs.ts';
import { proofSections } from './proofs.ts';
import { benchReads, benchReadsOnPostgres, readsRows, type ReadsBench } from './reads.ts';
import { benchRebuild, rebuildRows } from './rebuild.ts';
import { benchRelease, releaseRows } from './release.ts';
import { benchReplay } from './replay.ts';
import { appendRows, iterationRows, replayRows, verifyRows } from './rows.ts';
import { table } from './table.ts';
import { benchVerify } from './verify.ts';

const json = process.argv.includes('--json');
/** A log of a million events takes minutes to write. */
const full = process.argv.includes('--full');
const since = performance.now();
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
const say = (what: string): void => {
  if (!json) process.stderr.write(`measuring ${what} …\n`);
};

const [SMALL, LARGE] = [10_000, 100_000];
// Before anything else of this process has loaded the solver.
say('opening a study');
const release = await benchRelease('examples');
say('iterations');
const iteration = await benchIteration();
say('a contained training');
const contained = await benchContained();
say('many runs at once');
const manyRuns = await benchManyRuns();
say('appends');
const append = await benchAppend();
// A double would measure nothing: this needs a server, started as docs/how-to/run-on-eventstoredb.md says.
const eventStore = process.env['HOLDFAST_TEST_EVENTSTORE'];
if (eventStore !== undefined) say('appends on EventStoreDB');
const onEventStore = eventStore === undefined ? null : await benchAppendEventStore(eventStore);
say('replay');
await benchReplay(SMALL / 5, 1);
const replay = [await benchReplay(SMALL), await benchReplay(LARGE)] as const;
say('rebuilding the views');
const rebuild = await benchRebuild();
say('trainings on Redis');
const jobs = await benchJobs();
const READ_EVENTS = full ? 1_000_000 : 50_000;
say(`reads, ${READ_EVENTS.toLocaleString('en-US')} events in the log`);
const reads = await benchReads(READ_EVENTS, { until: { seconds: full ? 5 : 2 } });
const postgresReads = full
  ? await benchReadsOnPostgres(READ_EVENTS, { until: { seconds: 5 } })
  : null;
say('verification');
await benchVerify(SMALL / 5);
const verification = [await benchVerify(SMALL), await benchVerify(LARGE)] as const;
const proofs = await proofSections(full, say);

const readsTitle = ({ events, runs, connections }: ReadsBench, views: string): string =>
  `Reads over HTTP, 99th percentile: ${events.toLocaleString('en-US')} events of ${runs.toLocaleString('en-US')} runs, views in ${views}, ${connections} connections`;

const sections = {
  'An iteration, median': iterationRows(iteration),
  'A training of one second, median': containedRows(contained),
  [`Harness time an iteration, ${manyRuns.runs} runs at once of ${manyRuns.studies} studies; trainings only sleep`]:
    manyRunsRows(manyRuns),
  'Opening a study: processor time of reading, counting and releasing': releaseRows(release),
  'Appends of one event, with synchronous=FULL': appendRows(append),
  [onEventStore === null
    ? 'Appends on EventStoreDB: not measured, since HOLDFAST_TEST_EVENTSTORE names no server'
    : `Appends on EventStoreDB ${onEventStore.serverVersion}, ${onEventStore.eventBytes} bytes an event`]:
    onEventStore === null ? [] : appendEventStoreRows(onEventStore),
  'Replay of one run': replayRows(replay),
  'Views rebuilt from a log of many runs': rebuildRows(rebuild),
  [jobs === null
    ? 'Trainings on Redis: not measured, since no redis-server is installed'
    : `Trainings on Redis, ${jobs.inFlight} asked for at once, ${jobs.atOnce} taken at once; programs that cost nothing`]:
    jobsRows(jobs),
  [readsTitle(reads, 'a SQLite file')]: readsRows(reads),
  ...(postgresReads !== null &&
    ('missing' in postgresReads
      ? { [`Reads with the views on PostgreSQL: not measured: ${postgresReads.missing}`]: [] }
      : { [readsTitle(postgresReads, 'PostgreSQL')]: readsRows(postgresReads) })),
  'Verification of one run, on one core': verifyRows(verification),
  ...proofs,
};
const seconds = Math.round((performance.now() - since) / 1000);
process.stdout.write(
  json
    ? `${JSON.stringify({ machine, seconds, sections })}\n`
    : `\n${machine}\n\n${table(sections)}\n\n${seconds} s in all\n`,
);
