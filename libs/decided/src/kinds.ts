import { erasureDecider } from '#libs/erasures';
import { FINDING_UPCASTERS, findingDecider } from '#libs/findings';
import { FLEET_UPCASTERS, fleetDecider } from '#libs/fleet';
import type { Decider, Fact } from '#libs/kernel';
import { ledgerReadDecider } from '#libs/ledger-reads';
import { RUN_UPCASTERS, runDecider } from '#libs/run';
import { dataDecider, studyDecider } from '#libs/studies';
import type { Place, Reading } from './reading.ts';
import {
  readingsOfData,
  readingsOfErasures,
  readingsOfFinding,
  readingsOfFleet,
  readingsOfReads,
  readingsOfStudy,
  strangenessOfData,
  strangenessOfFinding,
  strangenessOfStudy,
} from './readings-of-others.ts';
import { readingsOfRun, strangenessOfRun } from './readings-of-run.ts';

/** How the appends of one kind of stream are judged. The states are opaque here: each kind knows its own. */
export interface Kind {
  readonly initialState: unknown;
  readonly evolve: (state: unknown, event: Fact) => unknown;
  /** The commands that an append which begins with these events can have been; none: no append begins so. */
  readonly readings: (state: unknown, events: readonly Fact[], place: Place) => readonly Reading[];
  /** What an event says against its place or its version, whatever decided it. */
  readonly strangeness: (event: Fact, place: Place, schemaVersion: number) => string | null;
  /** Ties the events of the stream together. */
  readonly correlation: (id: string) => string;
}

interface KindOf<State, E extends Fact> {
  readonly readings: (state: State, events: readonly E[], place: Place) => readonly Reading[];
  readonly strangeness?: (event: E, place: Place, schemaVersion: number) => string | null;
  readonly correlation?: (id: string) => string;
}

const kind = <State, E extends Fact>(
  { initialState, evolve }: Pick<Decider<State, never, E>, 'initialState' | 'evolve'>,
  { readings, strangeness = () => null, correlation = (id) => id }: KindOf<State, E>,
): Kind => ({ initialState, evolve, readings, strangeness, correlation }) as unknown as Kind;

/** Kinds by what the names of their streams begin with. */
const KINDS: readonly (readonly [string, Kind])[] = [
  ['run-', kind(runDecider, { readings: readingsOfRun, strangeness: strangenessOfRun })],
  [
    'finding-',
    kind(findingDecider, {
      readings: readingsOfFinding,
      strangeness: strangenessOfFinding,
      // A finding's id is its run's with a suffix.
      correlation: (id) => id.replace(/-f\d+$/, ''),
    }),
  ],
  ['study-', kind(studyDecider, { readings: readingsOfStudy, strangeness: strangenessOfStudy })],
  ['data-', kind(dataDecider, { readings: readingsOfData, strangeness: strangenessOfData })],
  ['access-', kind(ledgerReadDecider, { readings: readingsOfReads })],
];

/** Streams of which there is one. */
const ALONE: Readonly<Record<string, Kind>> = {
  fleet: kind(fleetDecider, { readings: readingsOfFleet }),
  erasures: kind(erasureDecider, { readings: readingsOfErasures }),
};

/** A stream whose kind is known, and its id. */
export interface Known {
  readonly kind: Kind;
  readonly id: string;
}

/** The kind of a stream and its id; null for a name that no kind has. */
export const kindOf = (stream: string): Known | null => {
  const alone = Object.hasOwn(ALONE, stream) ? ALONE[stream] : undefined;
  if (alone !== undefined) return { kind: alone, id: stream };
  const found = KINDS.find(([prefix]) => stream.startsWith(prefix) && stream !== prefix);
  return found === undefined ? null : { kind: found[1], id: stream.slice(found[0].length) };
};

const UPCASTERS: Readonly<Record<string, readonly unknown[]>> = {
  ...RUN_UPCASTERS,
  ...FINDING_UPCASTERS,
  ...FLEET_UPCASTERS,
};

/** The version in which events of a type are written today. */
export const newestVersion = (type: string): number =>
  (Object.hasOwn(UPCASTERS, type) ? (UPCASTERS[type]?.length ?? 0) : 0) + 1;
