import { describe, expect, it } from 'vitest';
import { decodeStored, eventTypes, sha256, verifyHash } from '#libs/event-log';
import { findingDecider, type FindingEvent } from '#libs/findings';
import { fleetDecider, trustedKey, type FleetEvent } from '#libs/fleet';
import { fold, type RecordedEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { runDecider, type RunEvent } from '#libs/run';
import { studyDecider, type StudyEvent } from '#libs/studies';
import { goldenBytes, goldenFiles, storedEvents } from '../../libs/payloads/src/testing/golden.ts';

/** SHA-256 of every golden log: a file here is never edited, only added. */
const LOGS: Readonly<Record<string, string>> = {
  'service-v1.jsonl': 'f908db31dffa09153e86ff9dbe5fc47263306c7557574a2cb88b670b96833ee0',
  'v1-pay.jsonl': '72468c1b7b5360e01090f6c27db0898d214d148907120eb84fac2a31eb471977',
  'v1.jsonl': 'd2a9faba8fc57f6a52f10e2c44925c91596a425b256effc9b1dc3341087686d4',
  'v2.jsonl': '5ce956f5ec986a8862acf81707bd5ba7d51ace6befa0d089eb0ec13f9ae0416d',
  'v2-pay.jsonl': 'a8ccafef2adc1996b268540fdb16dc0ba2a6797f7cced717b51674ed91399dba',
  'v1-replays.jsonl': '164ac52be68a13f9a90daf15166b1501ebd188d9cfe6b15ba9da386c92cc45fe',
  'v1-workers.jsonl': '4589e957b5bbb36d7dfe73491dadd21cd9829c8bd52b5ad3a8c5ab53594d6b86',
  'v3.jsonl': 'a5b58f9cc19eaf8de46d726193e545ffbf307fdd0ec232052ebc6800d3ccaac1',
  'v2-workers.jsonl': 'ce06cc0574c476566c42eb8c10c822b1f93210e86923d3587f464f6a22a0642e',
  'v1-erasures.jsonl': 'c86c7b6392d23a8e7eb73dae43b05a17f22b9ccfbe320b00331085507d5a4449',
  'v1-notary.jsonl': 'bad923bdcec88c18d064fcee986dc89fe3bf29ebed6ab7933c4cd68473bbfe9f',
  'v2-notary.jsonl': 'b24d5c5d4c5b97380d06777de932ca24aa003ad0533a982bc60322cae8b025e6',
  'v3-notary.jsonl': '67068c1049c2e4ddf8e6bbfd3587e15a4c058345eb07d0d41581a3fee4383eb6',
};

const types = eventTypes(EVENT_TYPES);
const read = (file: string): readonly RecordedEvent[] =>
  storedEvents(file).map((event) => decodeStored(event, types));

/** The events of one stream, upcast, as its decider takes them. */
const stream = <E>(file: string, name: string): readonly E[] =>
  read(file).filter((event) => event.stream === name) as unknown as readonly E[];

describe.each(Object.entries(LOGS))('the golden log %s', (file, digest) => {
  it('is the one that was recorded', () => {
    expect(sha256(goldenBytes(file))).toBe(digest);
  });

  it('is read whole: every hash, every link', () => {
    const last = new Map<string, RecordedEvent>();
    for (const event of read(file)) {
      const before = last.get(event.stream);
      expect(event.revision).toBe((before?.revision ?? -1) + 1);
      expect(event.prev).toBe(before?.hash ?? null);
      last.set(event.stream, event);
    }
    expect(last.size).toBeGreaterThan(0);
  });

  it('is upcast to what today may be written', () => {
    for (const { type, data, id, metadata, revision } of read(file)) {
      const schemaVersion = EVENT_TYPES.find((entry) => entry.type === type)?.version ?? 0;
      const event = { id, type, data, metadata: { ...metadata, schemaVersion } };
      expect(types.problems(event, `${type} ${revision}`)).toEqual([]);
    }
  });

  it('shows a changed byte', () => {
    const [first] = storedEvents(file);
    const canonical = Uint8Array.from(first!.canonical);
    canonical[20]! ^= 1;
    expect(verifyHash(first!)).toBe(true);
    expect(verifyHash({ ...first!, canonical })).toBe(false);
  });
});

describe('the golden logs', () => {
  it('are all named here', () => {
    expect(goldenFiles()).toEqual(Object.keys(LOGS).sort());
  });

  it('hold every version of every event type', () => {
    const found = new Set(
      Object.keys(LOGS).flatMap((file) =>
        read(file).map(({ type, metadata }) => `${type} ${metadata.schemaVersion}`),
      ),
    );
    const known = EVENT_TYPES.flatMap(({ type, version }) =>
      Array.from({ length: version }, (_, before) => `${type} ${before + 1}`),
    );
    expect(known.filter((each) => !found.has(each))).toEqual([]);
  });
});

describe('v1.jsonl, folded', () => {
  const V1 = 'v1.jsonl';

  it('is a study of one look at the sealed rows', () => {
    const study = fold(studyDecider, stream<StudyEvent>(V1, 'study-pay'));
    expect(study).toMatchObject({ studyId: 'pay', looks: 1, totalSpent: 285 });
    expect([...study.runs.values()]).toEqual([
      { runId: 'r1', number: 1, seed: 7, look: 1, spent: 285 },
    ]);
  });

  it('is a run that spent its budget, and one that the mandate halted', () => {
    const night = fold(runDecider, stream<RunEvent>(V1, 'run-r1'));
    expect(night).toMatchObject({ node: 'closed', budget: { total: 300, remaining: 15 } });
    expect(night.line.size).toBe(4);
    const halted = fold(runDecider, stream<RunEvent>(V1, 'run-r2'));
    expect(halted).toMatchObject({ node: 'halted', budget: { remaining: 300 } });
  });

  it('is a finding that was accepted, and one that was blocked', () => {
    const accepted = fold(findingDecider, stream<FindingEvent>(V1, 'finding-f1'));
    expect(accepted).toMatchObject({ status: 'passed', review: 'accepted' });
    const blocked = fold(findingDecider, stream<FindingEvent>(V1, 'finding-f2'));
    expect(blocked).toMatchObject({ status: 'discarded', review: 'rejected' });
  });
});

describe('v1-workers.jsonl, folded', () => {
  const WORKERS = 'v1-workers.jsonl';

  it('is a fleet of one worker, admitted anew, whose key signed in a run', () => {
    const fleet = fold(fleetDecider, stream<FleetEvent>(WORKERS, 'fleet'));
    const [worker] = Object.values(fleet.workers);
    expect(worker).toMatchObject({ label: 'gpu-1-l4', standing: 'admitted' });
    const run = fold(runDecider, stream<RunEvent>(WORKERS, 'run-r1'));
    expect(run.enlisted).toEqual([worker?.keyId]);
    expect(trustedKey(fleet, worker?.keyId ?? '')).toBe(worker?.publicKey);
  });
});
