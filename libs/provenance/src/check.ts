import type { FindingEvent, FindingProposed, FindingVerified } from '#libs/findings';
import type { HashedBody } from '#libs/kernel';
import type { ForkPoint, RunEvent, RunOpened } from '#libs/run';
import type { DataEvent, StudyEvent } from '#libs/studies';
import type { ReadData, Source } from './event-versions.ts';
import type { Inspect } from './git-objects.ts';
import type { Hash, StoredBytes, VerifySignature } from './ports.ts';

/** A stored event with its hash recomputed; `body` is null where the bytes are no event. */
export interface Link {
  readonly source: Source;
  /** Place in the reading, from 0. */
  readonly index: number;
  readonly stored: StoredBytes;
  readonly digest: string;
  readonly body: HashedBody | null;
  /** Its data in the newest version of its type, or what keeps it from being read; null where there is no event. */
  readonly read: ReadData | null;
}

/** A link whose bytes are an event of a known type, in its newest version. */
export interface ChainEvent extends Link {
  readonly body: HashedBody;
  readonly data: unknown;
}

type Handlers<E extends { readonly type: string; readonly data: unknown }> = {
  readonly [Type in E['type']]?: (
    data: Extract<E, { type: Type }>['data'],
    event: ChainEvent,
  ) => void;
};
export type RunHandlers = Handlers<RunEvent>;
export type StudyHandlers = Handlers<StudyEvent>;
export type FindingHandlers = Handlers<FindingEvent>;
export type DataHandlers = Handlers<DataEvent>;

/** A finding of the run that a run was forked from, verified anew. */
export interface Ancestor {
  readonly verdict: FindingVerified['data']['verdict'];
  readonly finding: FindingProposed['data'];
  /** Null where that run has no readable RunOpened. */
  readonly opened: RunOpened['data'] | null;
}

/** What a check of a run may use: its pins, and the world as functions. */
export interface RunContext {
  /** What the run's first event pinned; throws where there is none, which fails the check that asks. */
  readonly opened: () => RunOpened['data'];
  readonly sha256: Hash;
  readonly sha1: Hash;
  readonly verifySignature: VerifySignature;
  readonly inspect: Inspect;
  /** False: only the events are at hand, and rows that need objects fail. */
  readonly hasObjects: boolean;
}

/** What a check of a finding may use besides. */
export interface Context extends RunContext {
  readonly finding: FindingProposed['data'];
  /** The finding that leads to the state which a run was forked from; null: there is none at hand. */
  readonly ancestor: (point: ForkPoint) => Promise<Ancestor | null>;
}

export interface Outcome {
  readonly passed: boolean;
  readonly found: string;
}

/**
 * One check of a run under way; all findings of the run share it. A handler that throws fails its check: what can't be
 * checked doesn't hold.
 */
export interface RunFold {
  /** Sees every readable event of the run, before `run`. */
  readonly every?: (event: ChainEvent) => void;
  readonly run?: RunHandlers;
  /** Looks at the objects that were named since the last time, so that they needn't be remembered. */
  readonly settle?: () => Promise<void>;
  /** Called once, after the run's last event. */
  readonly conclude: () => Outcome | Promise<Outcome>;
  /** Where a row is also about what a finding names: its outcome for this one, the others' left as they are. */
  readonly concludeFor?: (context: Context) => Promise<Outcome>;
}

/** One check of a finding under way. */
export interface Fold extends Omit<RunFold, 'concludeFor'> {
  /** Sees every event of all four streams, unreadable ones too. */
  readonly link?: (link: Link) => void;
  readonly study?: StudyHandlers;
  readonly finding?: FindingHandlers;
  readonly data?: DataHandlers;
}

interface Row {
  readonly row: string;
  /** What has to hold, as the verdict shows it. */
  readonly expected: string;
}

/** A check of what a finding says, or of what its streams hold. */
export interface Check extends Row {
  readonly of: 'finding';
  readonly start: (context: Context) => Fold;
}

/** A check of a run alone: what it finds is the same for each of the run's findings, and found once. */
export interface RunCheck extends Row {
  readonly of: 'run';
  readonly start: (context: RunContext) => RunFold;
}
