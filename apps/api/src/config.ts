import type { OidcConfig } from './access/oidc.ts';

/** Everything that a client can send has a bound; these are them. Bytes, milliseconds, counts. */
export interface Limits {
  /** A request's body: room for a proposal's edited files. */
  readonly bodyBytes: number;
  /** The request line and all headers together. */
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly urlBytes: number;
  /** Query parameters, repeated ones counted each. */
  readonly queryCount: number;
  /** Until a request has arrived whole. */
  readonly arrivalMs: number;
  /** Until it is answered; streams are not bounded by it. */
  readonly answerMs: number;
  /** How long a connection that asks nothing is kept. */
  readonly idleMs: number;
  readonly connections: number;
  /** Streams of events at once: all, and those of one subject. */
  readonly streams: number;
  readonly streamsEach: number;
  /** How often a stream looks whether its token is still good, and still sees the run. */
  readonly streamCheckMs: number;
  /** How long what waits for a slow reader of a stream or a file may wait before he is dropped. */
  readonly streamStallMs: number;
  /** Exports, archives, verifications and reads of the log's entries at once; one more is told to come back. */
  readonly heavyWork: number;
  /** Of those, of one subject. */
  readonly heavyWorkEach: number;
  /** Events of a run that a finding's export may be made of: it is held in memory, and nothing else is answered meanwhile. */
  readonly exportEvents: number;
  /** What ends when the server does has so long for it. */
  readonly shutdownMs: number;
}

export const LIMITS: Limits = {
  bodyBytes: 2 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headerCount: 64,
  urlBytes: 4096,
  queryCount: 32,
  arrivalMs: 30_000,
  answerMs: 30_000,
  idleMs: 65_000,
  connections: 1024,
  streams: 256,
  streamsEach: 16,
  streamCheckMs: 30_000,
  streamStallMs: 30_000,
  heavyWork: 4,
  heavyWorkEach: 2,
  exportEvents: 20_000,
  shutdownMs: 10_000,
};

export interface ApiConfig {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM; without it the server speaks plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string } | null;
  /**
   * Whether plain HTTP may be spoken beyond this machine: only where a proxy in front ends TLS, since a bearer token
   * is worth the same to whoever overhears it.
   */
  readonly behindTlsProxy?: boolean;
  /** Whether the checkpoint and the tiles of the log are given without a token. Default: no. */
  readonly publicLog?: boolean;
  /** Null: only tokens that this machine handed out are taken. */
  readonly oidc?: OidcConfig | null;
  readonly limits?: Partial<Limits>;
  /** How often a stream of events says that it is alive. */
  readonly heartbeatMs?: number;
}
