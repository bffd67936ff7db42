import { openSqliteEventLog, eventTypes } from '#libs/event-log';
import { openLeases, systemLeaseClock, type LeaseClock } from '#libs/leases';
import { EVENT_TYPES } from '#libs/payloads';
import { followLog, openReadModels, type FollowedLog } from '#libs/read-models';

/**
 * The process that the fault tests of the views kill: a projector on a log file and a PostgreSQL server, from the built
 * code. `DATABASE=<connection string> node views-projector.ts <log file> <repeat|plain> <jumping|steady clock>`. Says on
 * its standard output, a line each, what it is up to.
 */
const [path = '', delivery, clock] = process.argv.slice(2);
const target = { kind: 'postgres', connectionString: process.env['DATABASE'] ?? '' } as const;

const opened = openSqliteEventLog(
  path,
  eventTypes(EVENT_TYPES.map((type) => ({ ...type, payload: null }))),
);
if (!opened.ok) throw new Error(opened.error.message);
const { log } = opened.value;

/** Gives every event twice, and old ones again now and then. */
const repeating: FollowedLog = {
  async *subscribe(options) {
    const recent = [];
    for await (const event of log.subscribe(options)) {
      yield event;
      yield event;
      recent.push(event);
      if (recent.length === 7) yield* recent.splice(0);
    }
  },
};

/** An hour to and fro, every now and then. */
const jumping: LeaseClock = {
  wall: () => Date.now() + (Math.floor(performance.now() / 250) % 2) * 3_600_000,
  steady: systemLeaseClock.steady,
};

const views = await openReadModels(target);
const leases = await openLeases(target, clock === 'jumping' ? jumping : systemLeaseClock);
await followLog({
  views,
  leases,
  log: delivery === 'repeat' ? repeating : log,
  signal: new AbortController().signal,
  ttlMs: 600,
  onProgress: ({ kind }) => process.stdout.write(`${kind}\n`),
});
