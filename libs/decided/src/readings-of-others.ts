import { findingDecider, type FindingEvent, type FindingState } from '#libs/findings';
import { erasureDecider, type ErasureEvent, type ErasureState } from '#libs/erasures';
import { fleetDecider, type FleetEvent, type FleetState } from '#libs/fleet';
import type { Decider, Fact, Refusal, Result } from '#libs/kernel';
import { ledgerReadDecider, type LedgerReadEvent, type LedgerReadState } from '#libs/ledger-reads';
import {
  dataDecider,
  studyDecider,
  type DataEvent,
  type DataState,
  type StudyEvent,
  type StudyState,
} from '#libs/studies';
import {
  asked,
  named,
  namedAfter,
  oneOf,
  random,
  type Naming,
  type Place,
  type Reading,
} from './reading.ts';

type Unnamed<Command> = Command extends { readonly type: string; readonly data: unknown }
  ? Omit<Command, 'id'>
  : never;

const readingBy =
  <State, Command extends { readonly type: string; readonly data: unknown }, E extends Fact>(
    decider: Decider<State, Command, E>,
    state: State,
  ) =>
  (unnamed: Unnamed<Command>, naming: Naming): Reading => {
    const command = unnamed as unknown as Command;
    return {
      commands: [command.type],
      naming,
      decide: (id): Result<readonly Fact[], Refusal> => decider.decide(state, { ...command, id }),
    };
  };

export const readingsOfFinding = (
  state: FindingState,
  [event, ...then]: readonly FindingEvent[],
  { id }: Place,
): readonly Reading[] => {
  const reading = readingBy(findingDecider, state);
  switch (event?.type) {
    case 'FindingProposed':
      return [
        reading(
          { type: 'ProposeFinding', data: event.data },
          named('propose', event.data.findingId),
        ),
      ];
    case 'FindingVerified': {
      // Whether the accepted line stood on this finding is told by what became of it.
      const reverted = then
        .slice(0, 2)
        .find((other) => other.type === 'AcceptedLineReverted')?.data;
      return [
        reading(
          {
            type: 'RecordVerdict',
            data: {
              verified: event.data,
              acceptedTree: reverted?.fromTree ?? null,
              lastVerifiedTree: reverted?.toTree ?? '',
            },
          },
          namedAfter(['verdict']),
        ),
      ];
    }
    case 'FindingReviewed': {
      const { decision, reason } = event.data;
      return [
        reading(
          { type: 'ReviewFinding', data: { decision, reason } },
          asked(namedAfter(['review', id])),
        ),
      ];
    }
    case 'FindingReplayed':
      return [reading({ type: 'RecordReplay', data: event.data }, namedAfter(['replay']))];
    case 'VerificationRequested':
      return [reading({ type: 'RequestVerification', data: {} }, asked())];
    default:
      return [];
  }
};

export const readingsOfStudy = (
  state: StudyState,
  [event]: readonly StudyEvent[],
  { id }: Place,
): readonly Reading[] => {
  const reading = readingBy(studyDecider, state);
  switch (event?.type) {
    case 'StudyRegistered':
      return [reading({ type: 'RegisterStudy', data: event.data }, asked(named('register', id)))];
    case 'StudyPlaced':
      return [reading({ type: 'PlaceStudy', data: event.data }, asked())];
    case 'SplitCommitted':
      return [
        reading(
          { type: 'CommitSplit', data: event.data },
          named('commit-split', id, event.data.dataDigest),
        ),
      ];
    case 'RunRequested': {
      const { runId, seed, agent } = event.data;
      return [reading({ type: 'RequestRun', data: { runId, seed, agent } }, asked())];
    }
    case 'RunCounted': {
      const { runId, seed } = event.data;
      return [reading({ type: 'CountRun', data: { runId, seed } }, named('count', runId))];
    }
    case 'RunRefused':
      return [
        reading({ type: 'RefuseRun', data: event.data }, named('refuse-run', event.data.runId)),
      ];
    case 'SealedRowsOpened': {
      const { runId } = event.data;
      return [reading({ type: 'OpenSealedRows', data: { runId } }, named('open-sealed', runId))];
    }
    case 'SpendCounted': {
      const { runId, spent } = event.data;
      return [reading({ type: 'CountSpend', data: { runId, spent } }, named('count-spend', runId))];
    }
    default:
      return [];
  }
};

export const readingsOfData = (
  state: DataState,
  [event]: readonly DataEvent[],
  { id, head }: Place,
): readonly Reading[] => {
  const reading = readingBy(dataDecider, state);
  switch (event?.type) {
    case 'SplitFixed':
      return [reading({ type: 'FixSplit', data: event.data }, named('fix-split', id))];
    case 'TableFixed': {
      const { data: fixed } = event;
      const { runId, table } = fixed;
      const parts = ['fix-table', runId, id, table];
      // Before a run could come back with other data, its id was made of the run alone.
      const then = named('fix-table', runId);
      const naming = oneOf(
        head === null ? named(...parts, 'first') : namedAfter(parts, 'first'),
        then,
      );
      // Whether the run's policy lets several tables leave stands in the run's own stream.
      return (['one', 'any'] as const).map((tables) =>
        reading({ type: 'FixTable', data: { fixed, tables } }, naming),
      );
    }
    case 'LookCounted': {
      const { dataDigest, studyId, runId } = event.data;
      return [
        reading(
          { type: 'CountLook', data: { dataDigest, studyId, runId } },
          named('count-look', runId),
        ),
      ];
    }
    default:
      return [];
  }
};

export const readingsOfFleet = (
  state: FleetState,
  [event]: readonly FleetEvent[],
): readonly Reading[] => {
  const reading = readingBy(fleetDecider, state);
  switch (event?.type) {
    case 'WorkerAdmitted':
      return [reading({ type: 'AdmitWorker', data: event.data }, asked(random()))];
    case 'WorkerDismissed':
      return [reading({ type: 'DismissWorker', data: event.data }, asked(random()))];
    default:
      return [];
  }
};

export const readingsOfErasures = (
  state: ErasureState,
  [event]: readonly ErasureEvent[],
): readonly Reading[] => {
  const reading = readingBy(erasureDecider, state);
  switch (event?.type) {
    case 'TextErased':
      return [reading({ type: 'EraseText', data: event.data }, asked(random()))];
    case 'PersonErased':
      return [reading({ type: 'ErasePerson', data: event.data }, asked(random()))];
    default:
      return [];
  }
};

export const readingsOfReads = (
  state: LedgerReadState,
  [event]: readonly LedgerReadEvent[],
): readonly Reading[] =>
  event?.type === 'LedgerRead'
    ? [readingBy(ledgerReadDecider, state)({ type: 'RecordRead', data: event.data }, random())]
    : [];

const other = (member: string, found: string, expected: string): string | null =>
  found === expected
    ? null
    : `found data.${member} ${found}, expected ${expected}, as the stream says`;

export const strangenessOfFinding = ({ data }: FindingEvent, { id }: Place): string | null =>
  other('findingId', data.findingId, id);

export const strangenessOfStudy = ({ type, data }: StudyEvent, { id }: Place): string | null =>
  type === 'StudyRegistered' ? other('studyId', data.studyId, id) : null;

export const strangenessOfData = ({ data }: DataEvent, { id }: Place): string | null =>
  other('dataDigest', data.dataDigest, id);
