import { describe, expect, it } from 'vitest';
import type { ErasureCommand } from '#libs/erasures';
import { eventTypes, memoryEventLog } from '#libs/event-log';
import type { FindingCommand } from '#libs/findings';
import type { FleetCommand } from '#libs/fleet';
import type { RecordRead } from '#libs/ledger-reads';
import { ACTORS, ACTS, rolesForCommand } from '#libs/mandate';
import { EVENT_TYPES } from '#libs/payloads';
import type { NotaryCommand } from '#libs/notary';
import type { AgentCommand, RunCommand } from '#libs/run';
import type { DataCommand, StudyCommand } from '#libs/studies';
import {
  dataStreams,
  erasureStream,
  findingStreams,
  fleetStream,
  ledgerReadStreams,
  notaryStream,
  runStreams,
  studyStreams,
} from './streams.ts';

/** Every command that there is: the compiler asks for all of them and takes no other. */
const RUN: Readonly<Record<RunCommand['type'], true>> = {
  OpenRun: true,
  LaunchBaseline: true,
  RecordTraining: true,
  ObserveMetric: true,
  ProposeHypothesis: true,
  ProposeMutation: true,
  RefuseProposal: true,
  ProposeSecondaryMetric: true,
  RequestData: true,
  CutOver: true,
  Judge: true,
  FinishLoop: true,
  StopLoop: true,
  HaltRun: true,
  SignRunHead: true,
  CloseRun: true,
};
const STUDY: Readonly<Record<StudyCommand['type'], true>> = {
  RegisterStudy: true,
  PlaceStudy: true,
  CommitSplit: true,
  RequestRun: true,
  CountRun: true,
  RefuseRun: true,
  OpenSealedRows: true,
  CountSpend: true,
};
const DATA: Readonly<Record<DataCommand['type'], true>> = {
  FixSplit: true,
  FixTable: true,
  CountLook: true,
};
const FINDING: Readonly<Record<FindingCommand['type'], true>> = {
  ProposeFinding: true,
  RecordVerdict: true,
  ReviewFinding: true,
  RequestVerification: true,
  RecordReplay: true,
};
const FLEET: Readonly<Record<FleetCommand['type'], true>> = {
  AdmitWorker: true,
  DismissWorker: true,
};
const NOTARY: Readonly<Record<NotaryCommand['type'], true>> = {
  OpenNotary: true,
  RotateNotaryKey: true,
  RecordCheckpoint: true,
  RecordAnchor: true,
  RaiseAlarm: true,
  SettleAlarm: true,
};
const ERASURES: Readonly<Record<ErasureCommand['type'], true>> = {
  EraseText: true,
  ErasePerson: true,
};
const READS: Readonly<Record<RecordRead['type'], true>> = { RecordRead: true };
const AGENTS: Readonly<Record<AgentCommand['type'], true>> = {
  ProposeHypothesis: true,
  ProposeMutation: true,
  RefuseProposal: true,
  ProposeSecondaryMetric: true,
  RequestData: true,
  FinishLoop: true,
};

const clock = { now: () => '2026-01-01T00:00:00.000Z' };
const KINDS = [
  [RUN, runStreams],
  [STUDY, studyStreams],
  [DATA, dataStreams],
  [FINDING, findingStreams],
  [FLEET, fleetStream],
  [READS, ledgerReadStreams],
  [NOTARY, notaryStream],
  [ERASURES, erasureStream],
] as const;

describe('every command', () => {
  it('is an act of the table, and the table has no others', () => {
    expect(
      Object.values(ACTS)
        .flatMap(({ commands }) => commands as readonly string[])
        .toSorted(),
    ).toEqual(KINDS.flatMap(([commands]) => Object.keys(commands)).toSorted());
  });

  it('of an agent is one that proposes', () => {
    const agents = KINDS.flatMap(([commands]) => Object.keys(commands)).filter((type) =>
      rolesForCommand(type).includes('agent'),
    );
    expect(agents.toSorted()).toEqual(Object.keys(AGENTS).toSorted());
  });

  it.each(
    KINDS.flatMap(([commands, streams]) =>
      Object.keys(commands).map((type) => [type, streams] as const),
    ),
  )(
    '%s is refused by its stream from whoever may not send it, and written by nobody',
    async (type, streams) => {
      const log = memoryEventLog(eventTypes(EVENT_TYPES));
      const stream = streams(log, clock);
      for (const role of ACTORS) {
        if (rolesForCommand(type).includes(role)) continue;
        const actor = { role, id: 'somebody' };
        const command = { type, id: 'id', data: {} } as never;
        expect(await stream.send('pay-1', command, actor)).toMatchObject({
          ok: false,
          error: { code: 'not-authorised' },
        });
        const request = { commandId: 'id', causationId: 'cause', actor };
        expect(
          await stream.request('pay-1', request, async () => ({ ok: true, value: command })),
        ).toMatchObject({ ok: false, error: { code: 'not-authorised' } });
      }
      expect((await stream.load('pay-1')).head).toBeNull();
    },
  );
});
