import type { Refusal } from '#libs/kernel';
import type { EventLog } from './port.ts';

export interface KurrentOptions {
  /**
   * `esdb://` or `esdb+discover://`, with credentials and TLS as the client documents them. It may hold a password:
   * no message repeats it.
   */
  readonly connectionString: string;
  /**
   * What our streams are called on the server, before their own names: one server then serves several logs. Default:
   * nothing, and all streams but the server's own are the log's.
   */
  readonly prefix?: string;
  /** How long one answer of the server may take, in milliseconds. Default: 10,000. */
  readonly deadline?: number;
}

/** The server cannot be used; the message says why and what to do. */
export type KurrentRefusal = Refusal<
  'connection-string-unreadable' | 'event-store-unreachable' | 'event-store-unsuitable'
>;

/** An opened log, and the version of the server that holds it. */
export interface OpenedKurrentEventLog {
  readonly log: EventLog;
  readonly serverVersion: string;
}

/** One thing that was looked at on the server. */
export interface KurrentSetting {
  readonly name: string;
  /** False when it would lose or hide events, or when it could not be seen. */
  readonly ok: boolean;
  readonly found: string;
  readonly expected: string;
}
