import type { FindingProposed, VerdictRow } from '#libs/findings';
import { reasonOf, type HashedBody } from '#libs/kernel';
import type { RunOpened } from '#libs/run';
import type {
  ChainEvent,
  Check,
  Context,
  Fold,
  Link,
  Outcome,
  RunCheck,
  RunContext,
  RunFold,
} from './check.ts';
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
export const CHECKS: readonly (Check | RunCheck)[] = [
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
}

/** A check under way, and why it can't be finished, if so. */
interface Running<F extends RunFold = Fold> {
  readonly fold: F | null;
  broken: string | null;
}

/** A handler and the check that it belongs to. */
interface Bound<F> {
  readonly running: Running<RunFold>;
  readonly handle: F;
}

type Handlers = ReadonlyMap<string, readonly Bound<(event: ChainEvent) => void>[]>;

/**
 * What the findings of one run have in common, under way: its stream, and the checks that look at that alone. It changes
 * as it observes: hold one a run, and use it once.
 */
export interface RunVerification {
  readonly ports: VerificationPorts;
  readonly context: RunContext;
  readonly pinned: { opened: RunOpened['data'] | null };
  readonly running: ReadonlyMap<RunCheck, Running<RunFold>>;
  readonly every: readonly Bound<(event: ChainEvent) => void>[];
  readonly handlers: Handlers;
  readonly outcomes: Map<RunCheck, Promise<Outcome>>;
  count: number;
}

/** A verification of a finding under way. It changes as it observes: hold one a finding, and use it once. */
export interface Verification {
  readonly run: RunVerification;
  readonly context: Context;
  readonly running: ReadonlyMap<Check, Running>;
  readonly links: readonly Bound<(link: Link) => void>[];
  readonly every: readonly Bound<(event: ChainEvent) => void>[];
  readonly handlers: Readonly<Record<Source, Handlers>>;
  readonly counts: Record<Exclude<Source, 'run'>, number>;
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

const started = <F extends RunFold>(start: () => F): Running<F> => {
  try {
    return { fold: start(), broken: null };
  } catch (error) {
    return { fold: null, broken: reasonOf(error) };
  }
};

const bind = (running: Iterable<Running>, source: Source): Handlers => {
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

const everyOf = (running: Iterable<Running>): Verification['every'] =>
  [...running].flatMap((one) =>
    one.fold?.every === undefined ? [] : [{ running: one, handle: one.fold.every }],
  );

/** Begins to verify what the findings of a run have in common. */
export const startRunVerification = (ports: VerificationPorts): RunVerification => {
  const pinned: RunVerification['pinned'] = { opened: null };
  const context: RunContext = {
    opened: () => {
      if (pinned.opened === null) throw new Error('the run has no RunOpened');
      return pinned.opened;
    },
    ...{ sha256: ports.sha256, sha1: ports.sha1, verifySignature: ports.verifySignature },
    inspect: objectInspector(ports.readObject, ports.sha1),
    hasObjects: ports.readObject !== null,
  };
  const running = new Map(
    CHECKS.flatMap((check) =>
      check.of === 'run' ? [[check, started(() => check.start(context))] as const] : [],
    ),
  );
  return {
    ...{ ports, context, pinned, running },
    every: everyOf(running.values()),
    handlers: bind(running.values(), 'run'),
    outcomes: new Map(),
    count: 0,
  };
};

/**
 * Begins to verify a finding. Feed its streams to {@link observe}: the finding's, then the study's, then that of
 * its data; then the run's, each from its first event in order. Of several findings of a run, each its own streams first.
 */
export const startVerification = (
  finding: FindingProposed['data'],
  run: RunVerification,
  ancestor: Context['ancestor'] = () => Promise.resolve(null),
): Verification => {
  const context: Context = { ...run.context, finding, ancestor };
  const running = new Map(
    CHECKS.flatMap((check) =>
      check.of === 'finding' ? [[check, started(() => check.start(context))] as const] : [],
    ),
  );
  const all = [...running.values()];
  return {
    ...{ run, context, running },
    links: all.flatMap((one) =>
      one.fold?.link === undefined ? [] : [{ running: one, handle: one.fold.link }],
    ),
    every: everyOf(all),
    handlers: {
      run: bind(all, 'run'),
      study: bind(all, 'study'),
      finding: bind(all, 'finding'),
      data: bind(all, 'data'),
    },
    counts: { study: 0, finding: 0, data: 0 },
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

const linkOf = (
  { sha256 }: VerificationPorts,
  source: Source,
  index: number,
  event: StoredBytes | BareEvent,
): Link => {
  const digest = sha256(event.canonical);
  const body = bodyOf(event);
  const stored = 'hash' in event ? event : filed(event, digest, body);
  return {
    source,
    index,
    stored,
    digest,
    body,
    read: body === null ? null : readData(source, body),
  };
};

/** The link as an event; null where it is none that can be read. */
const eventIn = (link: Link): ChainEvent | null => {
  const { body, read } = link;
  return body === null || read === null || 'problem' in read
    ? null
    : { ...link, body, data: read.data };
};

/** One more event of a finding's own three streams, as stored. Never throws for what the bytes say. */
export const observe = (
  { run, links, handlers, counts }: Verification,
  source: Exclude<Source, 'run'>,
  event: StoredBytes | BareEvent,
): void => {
  const link = linkOf(run.ports, source, counts[source], event);
  counts[source] += 1;
  for (const bound of links) guard(bound, link);
  const read = eventIn(link);
  if (read === null) return;
  for (const bound of handlers[source].get(read.body.type) ?? []) guard(bound, read);
};

/** One more event of the run, which all of these are findings of, as stored. Never throws for what the bytes say. */
export const observeRun = (
  run: RunVerification,
  findings: readonly Verification[],
  event: StoredBytes | BareEvent,
): void => {
  const link = linkOf(run.ports, 'run', run.count, event);
  run.count += 1;
  for (const { links } of findings) for (const bound of links) guard(bound, link);
  const read = eventIn(link);
  if (read === null) return;
  const { type } = read.body;
  if (type === 'RunOpened') run.pinned.opened ??= read.data as RunOpened['data'];
  showRun(run.every, run.handlers, read);
  for (const { every, handlers } of findings) showRun(every, handlers.run, read);
};

const showRun = (every: Verification['every'], handlers: Handlers, event: ChainEvent): void => {
  for (const bound of every) guard(bound, event);
  for (const bound of handlers.get(event.body.type) ?? []) guard(bound, event);
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
export const settle = async ({ running }: RunVerification | Verification): Promise<void> => {
  for (const one of running.values()) {
    if (one.broken !== null || one.fold?.settle === undefined) continue;
    try {
      await one.fold.settle();
    } catch (error) {
      one.broken = reasonOf(error);
    }
  }
};

const concluded = async <F extends RunFold>(
  { fold, broken }: Running<F>,
  conclude: (fold: F) => Outcome | Promise<Outcome>,
): Promise<Outcome> => {
  if (broken === null && fold !== null) {
    try {
      return await conclude(fold);
    } catch (error) {
      return { passed: false, found: `could not be checked: ${reasonOf(error)}` };
    }
  }
  return { passed: false, found: `could not be checked: ${broken ?? 'it did not start'}` };
};

const ofRun = ({ context, run }: Verification, check: RunCheck): Promise<Outcome> => {
  const running = run.running.get(check)!;
  const { concludeFor } = running.fold ?? {};
  if (concludeFor !== undefined) return concluded(running, () => concludeFor(context));
  const known = run.outcomes.get(check) ?? concluded(running, (fold) => fold.conclude());
  run.outcomes.set(check, known);
  return known;
};

/** Every row with what was found and what was expected. */
export const conclude = async (verification: Verification): Promise<readonly VerdictRow[]> => {
  const rows: VerdictRow[] = [];
  for (const check of CHECKS) {
    const { row, expected } = check;
    const { passed, found } =
      check.of === 'run'
        ? await ofRun(verification, check)
        : await concluded(verification.running.get(check)!, (fold) => fold.conclude());
    rows.push({ row, passed, found, expected });
  }
  return rows;
};
