import type { FindingProposed, VerdictRow } from '#libs/findings';
import { reasonOf, type HashedBody } from '#libs/kernel';
import type { RunOpened } from '#libs/run';
import type { ChainEvent, Check, Context, Fold, Link, Outcome } from './check.ts';
import { charges } from './checks/charges.ts';
import { completeChain } from './checks/complete-chain.ts';
import { cutoverAudit } from './checks/cutover-audit.ts';
import { dataPinned } from './checks/data-pinned.ts';
import { environmentPinned } from './checks/environment-pinned.ts';
import { forkPoint } from './checks/fork-point.ts';
import { gates } from './checks/gates.ts';
import { governed } from './checks/governed.ts';
import { hashChain } from './checks/hash-chain.ts';
import { isolation } from './checks/isolation.ts';
import { keepRulings } from './checks/keep-rulings.ts';
import { knownEvents } from './checks/known-events.ts';
import { mandate } from './checks/mandate.ts';
import { monitor } from './checks/monitor.ts';
import { mutations } from './checks/mutations.ts';
import { notHalted } from './checks/not-halted.ts';
import { objects } from './checks/objects.ts';
import { restorePoints } from './checks/restore-points.ts';
import { recordedVerdicts } from './checks/recorded-verdicts.ts';
import { runHeadSigned } from './checks/run-head-signed.ts';
import { scoredPredictions } from './checks/scored-predictions.ts';
import { sealedLook } from './checks/sealed-look.ts';
import { sourcePinned } from './checks/source-pinned.ts';
import { trainingSignatures } from './checks/training-signatures.ts';
import { readData, type Source } from './event-versions.ts';
import { objectInspector } from './git-objects.ts';
import type { BareEvent, Hash, ReadObject, StoredBytes, VerifySignature } from './ports.ts';

/** Every row of a verdict, in the order in which it shows them. */
export const CHECKS: readonly Check[] = [
  hashChain,
  knownEvents,
  runHeadSigned,
  sourcePinned,
  forkPoint,
  environmentPinned,
  dataPinned,
  completeChain,
  restorePoints,
  cutoverAudit,
  objects,
  trainingSignatures,
  isolation,
  mutations,
  charges,
  monitor,
  keepRulings,
  gates,
  sealedLook,
  scoredPredictions,
  notHalted,
  governed,
  mandate,
  recordedVerdicts,
];

/** What the verifier needs of the world, as functions, so that it runs wherever there is JavaScript. */
export interface VerificationPorts {
  /** SHA-256 and SHA-1 as lower-case hex. */
  readonly sha256: Hash;
  readonly sha1: Hash;
  readonly verifySignature: VerifySignature;
  /** Null: only events are at hand; the rows that need objects fail. */
  readonly readObject: ReadObject | null;
  /** The finding that leads to a fork point, verified; left out: a forked run's findings do not pass. */
  readonly ancestor?: Context['ancestor'];
}

/** A check under way, and why it can't be finished, if so. */
interface Running {
  readonly check: Check;
  readonly fold: Fold | null;
  broken: string | null;
}

/** A handler and the check that it belongs to. */
interface Bound<F> {
  readonly running: Running;
  readonly handle: F;
}

/** A verification under way. It changes as it observes: hold one a finding, and use it once. */
export interface Verification {
  readonly ports: VerificationPorts;
  readonly running: readonly Running[];
  readonly links: readonly Bound<(link: Link) => void>[];
  readonly every: readonly Bound<(event: ChainEvent) => void>[];
  readonly handlers: Readonly<
    Record<Source, ReadonlyMap<string, readonly Bound<(event: ChainEvent) => void>[]>>
  >;
  readonly counts: Record<Source, number>;
  readonly pinned: { opened: RunOpened['data'] | null };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parsed = (canonical: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8.decode(canonical));
  } catch {
    return undefined;
  }
};

/** The event that the bytes spell; null where they spell none. */
export const bodyOf = (event: Pick<StoredBytes, 'canonical'> | BareEvent): HashedBody | null => {
  const body = 'spelled' in event ? event.spelled : parsed(event.canonical);
  return isRecord(body) &&
    isRecord(body.metadata) &&
    isRecord(body.data) &&
    typeof body.type === 'string'
    ? (body as unknown as HashedBody)
    : null;
};

const startCheck = (check: Check, context: Context): Running => {
  try {
    return { check, fold: check.start(context), broken: null };
  } catch (error) {
    return { check, fold: null, broken: reasonOf(error) };
  }
};

const bind = (
  running: readonly Running[],
  source: Source,
): ReadonlyMap<string, readonly Bound<(event: ChainEvent) => void>[]> => {
  const bound = new Map<string, Bound<(event: ChainEvent) => void>[]>();
  for (const one of running)
    for (const [type, handler] of Object.entries(one.fold?.[source] ?? {})) {
      const handle = handler as (data: unknown, event: ChainEvent) => void;
      bound.set(type, [
        ...(bound.get(type) ?? []),
        { running: one, handle: (event) => handle(event.data, event) },
      ]);
    }
  return bound;
};

/**
 * Begins to verify a finding. Feed its streams to {@link observe}: the finding's, then the study's, then that of
 * its data, then the run's, each from its first event in order.
 */
export const startVerification = (
  finding: FindingProposed['data'],
  ports: VerificationPorts,
): Verification => {
  const pinned: Verification['pinned'] = { opened: null };
  const opened = (): RunOpened['data'] => {
    if (pinned.opened === null) throw new Error('the run has no RunOpened');
    return pinned.opened;
  };
  const context: Context = {
    ...{ finding, opened },
    ...{ sha256: ports.sha256, sha1: ports.sha1, verifySignature: ports.verifySignature },
    inspect: objectInspector(ports.readObject, ports.sha1),
    hasObjects: ports.readObject !== null,
    ancestor: ports.ancestor ?? (() => Promise.resolve(null)),
  };
  const running = CHECKS.map((check) => startCheck(check, context));
  return {
    ports,
    running,
    links: running.flatMap((one) =>
      one.fold?.link === undefined ? [] : [{ running: one, handle: one.fold.link }],
    ),
    every: running.flatMap((one) =>
      one.fold?.every === undefined ? [] : [{ running: one, handle: one.fold.every }],
    ),
    handlers: {
      run: bind(running, 'run'),
      study: bind(running, 'study'),
      finding: bind(running, 'finding'),
      data: bind(running, 'data'),
    },
    counts: { run: 0, study: 0, finding: 0, data: 0 },
    pinned,
  };
};

/** Nothing but the bytes says what such an event is filed under. */
const filed = (
  { position, canonical }: BareEvent,
  hash: string,
  body: HashedBody | null,
): StoredBytes => ({
  position,
  canonical,
  hash,
  stream: body?.stream ?? '',
  revision: body?.revision ?? NaN,
  id: body?.id ?? '',
  type: body?.type ?? '',
});

/** One more event of one of the four streams, as stored. Never throws for what the bytes say. */
export const observe = (
  verification: Verification,
  source: Source,
  event: StoredBytes | BareEvent,
): void => {
  const { ports, links, every, handlers, counts, pinned } = verification;
  const digest = ports.sha256(event.canonical);
  const body = bodyOf(event);
  const stored = 'hash' in event ? event : filed(event, digest, body);
  const read = body === null ? null : readData(source, body);
  const index = counts[source];
  counts[source] += 1;
  const link: Link = { source, index, stored, digest, body, read };
  for (const bound of links) guard(bound, link);

  if (body === null || read === null || 'problem' in read) return;
  const { data } = read;
  const chained: ChainEvent = { source, index, stored, digest, body, read, data };
  if (source === 'run') {
    if (body.type === 'RunOpened') pinned.opened ??= data as RunOpened['data'];
    for (const bound of every) guard(bound, chained);
  }
  for (const bound of handlers[source].get(body.type) ?? []) guard(bound, chained);
};

/** What a check can't digest breaks that check alone, and it stays broken. */
const guard = <E>({ running, handle }: Bound<(event: E) => void>, event: E): void => {
  if (running.broken !== null) return;
  try {
    handle(event);
  } catch (error) {
    running.broken = reasonOf(error);
  }
};

/**
 * Looks at the objects named since the last time, and takes the signatures asked for before it. Call it now and then, so
 * that memory stays as it is.
 */
export const settle = async ({ running }: Verification): Promise<void> => {
  for (const one of running) {
    if (one.broken !== null || one.fold?.settle === undefined) continue;
    try {
      await one.fold.settle();
    } catch (error) {
      one.broken = reasonOf(error);
    }
  }
};

const concluded = async ({ fold, broken }: Running): Promise<Outcome> => {
  if (broken === null && fold !== null) {
    try {
      return await fold.conclude();
    } catch (error) {
      return { passed: false, found: `could not be checked: ${reasonOf(error)}` };
    }
  }
  return { passed: false, found: `could not be checked: ${broken ?? 'it did not start'}` };
};

/** Every row with what was found and what was expected. */
export const conclude = async ({ running }: Verification): Promise<readonly VerdictRow[]> => {
  const rows: VerdictRow[] = [];
  for (const one of running) {
    const { passed, found } = await concluded(one);
    rows.push({ row: one.check.row, passed, found, expected: one.check.expected });
  }
  return rows;
};
