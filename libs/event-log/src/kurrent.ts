import type { Result } from '#libs/kernel';
import type { EventTypes } from './event-types.ts';
import type {
  KurrentOptions,
  KurrentRefusal,
  KurrentSetting,
  OpenedKurrentEventLog,
} from './kurrent-options.ts';

/*
 * The client of the server is loaded when it is asked for: each process of a machine that keeps its log in a file would
 * pay for reading it.
 */

/**
 * Opens the log on an EventStoreDB or KurrentDB server. The server is asked once, so that a wrong address, wrong
 * credentials and a server that is too old are refused here. What it needs of the server's settings is told by
 * `kurrentSettings` and docs/how-to/run-on-eventstoredb.md.
 *
 * @example
 * ```ts
 * const opened = await openKurrentEventLog({ connectionString: 'esdb://localhost:2113?tls=false' }, types);
 * if (!opened.ok) return opened;
 * ```
 */
export const openKurrentEventLog = async (
  options: KurrentOptions,
  types: EventTypes,
): Promise<Result<OpenedKurrentEventLog, KurrentRefusal>> =>
  (await import('./kurrent-event-log.ts')).openKurrentEventLog(options, types);

/**
 * What of the server's settings a log depends on, as rows that a program can print: its version, its largest append,
 * whether it keeps what it acknowledges, and whether anything would shorten or has hidden one of our streams. Nothing
 * is changed. What cannot be seen is a row that is not ok, with the reason; only a connection string that cannot be
 * read throws.
 *
 * @example
 * ```ts
 * const rows = await kurrentSettings({ connectionString: 'esdb://localhost:2113?tls=false' });
 * const bad = rows.filter(({ ok }) => !ok);
 * ```
 */
export const kurrentSettings = async (
  options: KurrentOptions,
): Promise<readonly KurrentSetting[]> =>
  (await import('./kurrent-settings.ts')).kurrentSettings(options);
