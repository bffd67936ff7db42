import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEALED } from '../../../kernel/src/testing/sealed-text.ts';
import { decodeStored, eventTypes } from '#libs/event-log';
import type { FindingReplayed } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import type { RunOpened } from '#libs/run';
import { goldenFiles, storedEvents } from '../../../payloads/src/testing/golden.ts';
import { openReadModels, type ReadModels, type Trace } from '../index.ts';
import { recordHalted, recordNight, recorder, tree } from '../testing/recorded-run.ts';
import { factsOf } from './facts.ts';

let folder: string;
let files = 0;
const opened: ReadModels[] = [];

const viewsOf = async (events: readonly RecordedEvent[]): Promise<ReadModels> => {
  const views = await openReadModels({
    kind: 'sqlite',
    path: join(folder, `views-${files++}.sqlite`),
  });
  opened.push(views);
  await views.catchUp({
    async *readAll({ after = -1, limit = Infinity } = {}) {
      yield* events.filter(({ position }) => position > after).slice(0, limit);
    },
  });
  return views;
};

const AUDITOR = { role: 'auditor', id: 'u-1' } as const;
const OPERATOR = { role: 'operator', id: 'o-1' } as const;

/** A night with a review, a halted run under another budget, a worker, and somebody who read the ledger. */
const record = (): readonly RecordedEvent[] => {
  const to = recorder();
  to.record(
    'fleet',
    { type: 'WorkerAdmitted', data: { keyId: 'aa', publicKey: 'a2V5', label: 'host-1' } },
    OPERATOR,
  );
  recordNight(to, { runId: 'r1', number: 1 });
  recordHalted(to, { runId: 'r2', number: 2 });
  for (const asked of [{ run: 'r1' }, { run: 'gone' }, {}] as Record<string, string>[])
    to.record(
      'access-u-1',
      { type: 'LedgerRead', data: { operation: 'listCharges', asked } },
      AUDITOR,
    );
  return to.events.map((event) => {
    if (event.type !== 'RunOpened' || event.stream !== 'run-r2') return event;
    const data = event.data as RunOpened['data'];
    const budget = { ...data.policy.budget, total: 200 };
    return { ...event, data: { ...data, policy: { ...data.policy, budget } } };
  });
};

let events: readonly RecordedEvent[];
let views: ReadModels;

/** When the event of this type was recorded, in this stream where it is given. */
const timeOf = (type: string, stream?: string): string => {
  const found = events.find(
    (event) => event.type === type && (stream === undefined || event.stream === stream),
  );
  if (found === undefined) throw new Error(`no ${type}`);
  return found.metadata.time;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-trail-'));
  events = record();
  views = await viewsOf(events);
});
afterAll(async () => {
  for (const one of opened) await one.close();
  rmSync(folder, { recursive: true });
});

describe('what changed, and who approved it', () => {
  it('names cutovers, keeps and reverts, with the rule that decided', async () => {
    const { rows, asOf } = await views.changes({ run: 'r1' });
    const of = (subject: string) =>
      rows.filter((row) => row.subject === subject).map(({ change }) => change);
    expect(of('r1-m1')).toEqual(['cut-over', 'kept']);
    expect(of('r1-m4')).toEqual(['cut-over', 'reverted']);
    expect(rows.find(({ change }) => change === 'run-reverted')).toMatchObject({
      fromTree: tree('c5'),
      toTree: tree('source'),
      grounds: 'gain: 0.5391 > 0.1',
      approvedBy: [],
    });
    expect(asOf?.position).toBe(events.at(-1)?.position);
  });

  it('has for approvals the acts of people and the acceptance of findings that hold it', async () => {
    const { rows } = await views.changes();
    const approved = (change: string, subject: string) =>
      rows.find((row) => row.change === change && row.subject === subject)?.approvedBy;
    const acceptance = {
      role: 'reviewer',
      id: 'v-1',
      at: timeOf('FindingAccepted'),
      findingId: 'r1-f1',
      takenBackAt: null,
    };
    expect(approved('kept', 'r1-m6')).toEqual([acceptance]);
    expect(approved('cut-over', 'r1-m6')).toEqual([acceptance]);
    // Kept once and undone since: no finding holds it.
    expect(approved('kept', 'r1-m1')).toEqual([]);
    expect(approved('worker-admitted', 'aa')).toMatchObject([{ role: 'operator', id: 'o-1' }]);
    expect(approved('line-moved', 'r1-f1')).toMatchObject([{ role: 'reviewer', id: 'v-1' }]);
  });

  it('knows no approval that came after the place up to which it was asked', async () => {
    const kept = (await views.changes({ change: 'kept' })).rows.at(-1);
    const { rows, asOf } = await views.changes({ change: 'kept', upTo: kept?.position });
    expect(rows.at(-1)).toMatchObject({ subject: 'r1-m6', approvedBy: [] });
    expect(asOf).toEqual({ position: kept?.position, at: kept?.at });
  });

  it('says how the policy of a run differs from that of the run before it', async () => {
    const { rows } = await views.changes({ change: 'run-opened' });
    expect(rows.map(({ differs }) => differs)).toEqual([
      null,
      [{ path: 'policy.budget.total', from: 150, to: 200 }],
    ]);
  });

  it('is between two times: the first is in it, the second is not', async () => {
    const from = timeOf('MutationCutOver');
    const to = timeOf('MutationKept');
    const { rows } = await views.changes({ from, to });
    expect(rows.map(({ change }) => change)).toEqual(['cut-over']);
    const shifted = new Date(from).toISOString().replace('Z', '+00:00');
    expect((await views.changes({ from: shifted, to })).rows).toEqual(rows);
  });

  it('comes in pages that neither skip nor repeat, in both orders', async () => {
    const whole = (await views.changes({ limit: 1000 })).rows;
    for (const order of ['oldest', 'newest'] as const) {
      const rows: unknown[] = [];
      let cursor: number | undefined;
      do {
        const page = await views.changes({
          limit: 3,
          order,
          ...(cursor !== undefined && { cursor }),
        });
        rows.push(...page.rows);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      expect(rows).toEqual(order === 'oldest' ? whole : whole.toReversed());
    }
  });
});

describe('access to data', () => {
  it('says what was released and what was kept back', async () => {
    const { rows } = await views.accesses({ run: 'r1', access: 'cohorts-released' });
    expect(rows).toMatchObject([
      { cells: 312, people: 13_120, suppressedCells: 214, suppressedPeople: 957, actorId: 'r-1' },
    ]);
  });

  it('says who read the ledger, and of which study where the read names one that is there', async () => {
    const { rows } = await views.accesses({ actor: 'u-1' });
    expect(rows.map(({ operation, asked, studyId }) => [operation, asked, studyId])).toEqual([
      ['listCharges', { run: 'r1' }, 'pay'],
      ['listCharges', { run: 'gone' }, null],
      ['listCharges', {}, null],
    ]);
    // What belongs to no study is nobody's who sees some projects only.
    const seen = await views.accesses({ actor: 'u-1', project: ['default'] });
    expect(seen.rows.map(({ asked }) => asked)).toEqual([{ run: 'r1' }]);
  });

  it('has the looks and the claims, with the people that they rest on', async () => {
    const { rows } = await views.accesses({ access: 'claim-released' });
    expect(rows.map(({ look, people }) => [look, people])).toEqual([
      [1, 4_103],
      [1, 4_103],
    ]);
  });
});

describe('halts, divergences and reverts', () => {
  it('have the breach with its file, line and rule', async () => {
    const { rows } = await views.incidents({ incident: 'halt' });
    expect(rows).toMatchObject([
      {
        runId: 'r2',
        by: 'mid-loop',
        mutationId: 'r2-m1',
        breaches: [
          {
            rule: 'protected parameter',
            file: 'hyperparameters.json',
            line: 4,
            found: '"seed": 8',
          },
        ],
      },
    ]);
  });

  it('have the readings of every chart at the trigger, and what was undone', async () => {
    const { rows } = await views.incidents({ run: 'r1' });
    const [divergence, revert] = rows.filter(
      ({ incident }) => incident === 'divergence' || incident === 'run-reverted',
    );
    for (const row of [divergence, revert])
      expect(row?.readings).toMatchObject({
        metric: 0.2107,
        trainingId: 'r1-t5',
        charts: [
          { chart: 'gain', x: 0.5691, upper: 0.5391, fired: true },
          { chart: 'gap', fired: false },
        ],
      });
    expect(divergence?.fired).toEqual([{ chart: 'gain', sum: 0.5391, decisionInterval: 0.1 }]);
    expect(revert).toMatchObject({
      undone: [
        { mutationId: 'r1-m1', summary: 'features: add education' },
        { mutationId: 'r1-m5', summary: 'features: add withholding' },
      ],
      toTree: tree('source'),
    });
  });

  it('have the mutations that were taken back, the spent budget and the discarded finding', async () => {
    const kinds = new Set((await views.incidents()).rows.map(({ incident }) => incident));
    expect([...kinds].toSorted()).toEqual([
      'budget-exhausted',
      'divergence',
      'finding-discarded',
      'halt',
      'line-reverted',
      'reverted',
      'run-reverted',
    ]);
  });
});

describe('findings at a time', () => {
  const standing = async (at?: string) => {
    const { rows } = await views.findingsAt(at === undefined ? {} : { at });
    return rows.map((row) => [row.findingId, row.standing, row.verdict, row.inForce]);
  };
  const before = (time: string): string => new Date(Date.parse(time) - 1).toISOString();

  it('are as they were then, whatever came later', async () => {
    const [f1, f2] = ['finding-r1-f1', 'finding-r1-f2'];
    expect(await standing(before(timeOf('FindingProposed', f1)))).toEqual([]);
    expect(await standing(timeOf('FindingProposed', f1))).toEqual([
      ['r1-f1', 'proposed', null, 'no'],
    ]);
    expect(await standing(timeOf('FindingVerified', f1))).toEqual([
      ['r1-f1', 'verified', 'PASS', 'yes'],
    ]);
    expect(await standing(timeOf('FindingVerified', f2))).toEqual([
      ['r1-f1', 'verified', 'PASS', 'yes'],
      ['r1-f2', 'verified', 'BLOCK', 'no'],
    ]);
    const now = [
      ['r1-f1', 'accepted', 'PASS', 'yes'],
      ['r1-f2', 'discarded', 'BLOCK', 'no'],
    ];
    expect(await standing(timeOf('FindingAccepted', f1))).toEqual(now);
    expect(await standing()).toEqual(now);
  });

  it('may be asked for by what they were, in any time zone', async () => {
    const at = timeOf('FindingDiscarded').replace('.000Z', '.000+00:00');
    const { rows } = await views.findingsAt({ at, standing: 'discarded' });
    expect(rows.map(({ findingId }) => findingId)).toEqual(['r1-f2']);
    expect((await views.findingsAt({ at, standing: 'accepted' })).rows).toEqual([]);
  });
});

it('reviews: who reviewed what, why, and what the verdict was by then', async () => {
  const { rows } = await views.reviews();
  expect(rows).toMatchObject([
    {
      findingId: 'r1-f1',
      actorRole: 'reviewer',
      actorId: 'v-1',
      decision: 'accepted',
      note: SEALED,
      verdict: 'PASS',
      verdictEvent: 'finding-r1-f1@1',
      at: timeOf('FindingReviewed'),
    },
  ]);
  expect((await views.reviews({ finding: 'r1-f2' })).rows).toEqual([]);
});

describe('a trace', () => {
  const typesOf = ({ nodes }: Trace): readonly string[] => nodes.map(({ type }) => type);
  const about = ({ nodes }: Trace): string => nodes.map(({ what }) => what).join('\n');

  it('backward: a finding rests on its kept mutation, down to what the run was opened on', async () => {
    const trace = await views.trace({ event: 'r1-f1', depth: 50, nodes: 2000 });
    expect(trace.cut).toBeNull();
    expect(typesOf(trace)).toEqual(
      expect.arrayContaining([
        'MutationKept',
        'MutationCutOver',
        'RestorePointTaken',
        'TrainingCompleted',
        'MutationProposed',
        'HypothesisProposed',
        'BaselineEstablished',
        'RunOpened',
        'StudyRegistered',
      ]),
    );
    // The line does not rest on what was tried after or beside it, nor on what came of it.
    expect(about(trace)).not.toContain('another seed');
    expect(typesOf(trace)).not.toContain('FindingVerified');
  });

  it('forward: a mutation led to its acceptance, and another one did not', async () => {
    const led = await views.trace({ event: 'r1-m6', direction: 'forward', depth: 50, nodes: 2000 });
    const links = led.edges.map(({ link }) => link);
    expect(typesOf(led)).toEqual(
      expect.arrayContaining([
        'RestorePointTaken',
        'MutationCutOver',
        'TrainingLaunched',
        'MetricObserved',
        'MutationKept',
        'FindingProposed',
        'FindingVerified',
        'FindingReviewed',
        'FindingAccepted',
      ]),
    );
    expect(links).toContain('kept');
    const dead = await views.trace({ event: 'r1-m4', direction: 'forward', depth: 50 });
    expect(typesOf(dead)).toContain('MutationReverted');
    expect(typesOf(dead)).not.toContain('FindingProposed');
  });

  it('both ways tell the same ties', async () => {
    const back = await views.trace({ event: 'r1-f1', depth: 50, nodes: 2000 });
    for (const { cause, effect } of back.edges) {
      const forward = await views.trace({
        event: cause,
        direction: 'forward',
        depth: 1,
        nodes: 2000,
      });
      expect(forward.edges.map((edge) => edge.effect)).toContain(effect);
    }
  });

  it('is asked for by id and by place, and is nothing where there is no such event', async () => {
    const { start } = await views.trace({ event: 'r1-f1' });
    for (const event of ['finding-r1-f1@0', start ?? ''])
      expect((await views.trace({ event })).start).toBe(start);
    expect(await views.trace({ event: 'nothing' })).toMatchObject({ start: null, nodes: [] });
  });

  it('is cut off where it grows too deep or too large, and says so', async () => {
    const shallow = await views.trace({ event: 'r1-f1', depth: 1 });
    expect(shallow.cut).toBe('depth');
    expect(Math.max(...shallow.nodes.map(({ depth }) => depth))).toBe(1);
    const small = await views.trace({ event: 'r1-f1', nodes: 3, depth: 50 });
    expect(small.cut).toBe('nodes');
    expect(small.nodes).toHaveLength(3);
  });

  it('shows nothing of a study of another project', async () => {
    const hidden = await views.trace({ event: 'r1-f1', project: ['other'] });
    expect(hidden).toMatchObject({ start: null, nodes: [], edges: [] });
  });
});

describe('what comes after a night', () => {
  const signature = { keyId: '00112233445566aa', value: 'c2lnbmF0dXJl' };
  const finding = 'finding-r1-f1';
  const replayed = (found: 'bit-exact' | 'not-reproducible'): FindingReplayed => ({
    type: 'FindingReplayed',
    data: {
      ...{ findingId: 'r1-f1', trainingId: 'r1-t6', tree: tree('k6'), steps: 400, class: found },
      rows: [
        {
          row: 'predictions',
          outcome: found === 'bit-exact' ? 'same' : 'differs',
          found: '0.31 in cell 7',
          expected: '0.29',
        },
        { row: 'metric', outcome: 'attested', found: 'no rows at hand', expected: '0.4871' },
      ],
      environment: {} as FindingReplayed['data']['environment'],
      predictions: { found: null, expected: tree('predictions') },
      signature,
    },
  });
  const later = (): readonly RecordedEvent[] => {
    const to = recorder();
    recordNight(to, { runId: 'r1', number: 1 });
    to.record(finding, { type: 'VerificationRequested', data: { findingId: 'r1-f1' } }, AUDITOR);
    to.record(finding, {
      type: 'FindingVerified',
      data: {
        ...{ findingId: 'r1-f1', verdict: 'PASS', rows: [], signature },
        trust: 'self-signed, unanchored',
      },
    });
    to.record(finding, replayed('bit-exact'), AUDITOR);
    to.record(finding, replayed('not-reproducible'), AUDITOR);
    const erased = { stream: finding, revision: 2, keyId: 'k-1' };
    to.record('erasures', { type: 'TextErased', data: erased }, OPERATOR);
    to.record('erasures', { type: 'PersonErased', data: { personId: 'v-1' } }, OPERATOR);
    const opened = { origin: 'ledger.example', verifierKey: 'key 1' };
    to.record('notary', { type: 'NotaryOpened', data: opened });
    const rotated = { from: 'key 1', to: 'key 2', note: 'signed' };
    to.record('notary', { type: 'NotaryKeyRotated', data: rotated }, OPERATOR);
    const said = { found: '8 events', expected: '9', append: null };
    const alarm = { ...said, reason: 'shorter-log', size: 9 } as const;
    to.record('notary', { type: 'NotaryAlarmRaised', data: alarm });
    const accepts = { stream: 'access-9', from: 0, to: 0, hash: 'ab'.repeat(32) };
    const settled = { reason: SEALED, alarm: 2, accepts, note: null };
    to.record('notary', { type: 'NotaryAlarmSettled', data: settled }, OPERATOR);
    return to.events;
  };
  let after: ReadModels;
  beforeAll(async () => {
    after = await viewsOf(later());
  });

  it('is in the list of changes: who was erased, whose text, which key signs, who settled an alarm', async () => {
    const { rows } = await after.changes({ actor: 'o-1' });
    expect(rows.map(({ change, subject, runId }) => [change, subject, runId])).toEqual([
      ['text-erased', `${finding}@2`, 'r1'],
      ['person-erased', 'v-1', null],
      ['notary-key-rotated', 'key 2', null],
      ['alarm-settled', 'notary', null],
    ]);
    expect(rows.at(-1)?.grounds).toBe(
      `accepted against the rules' replay: access-9@0 (${'ab'.repeat(32)})`,
    );
    for (const { approvedBy } of rows) expect(approvedBy).toMatchObject([{ id: 'o-1' }]);
    // What was erased in a run is told to whoever asks of the run, or sees its project alone.
    for (const filter of [{ run: 'r1' }, { study: 'pay' }, { project: ['default'] }])
      expect((await after.changes({ ...filter, change: 'text-erased' })).rows).toHaveLength(1);
  });

  it('is in the list of accesses: a replay gives the table out again', async () => {
    const { rows } = await after.accesses({ access: 'replayed' });
    expect(rows).toMatchObject(
      ['bit-exact', 'not-reproducible'].map((found) => ({
        ...{ actorRole: 'auditor', runId: 'r1', studyId: 'pay' },
        what: expect.stringContaining(found),
        released: 'cohort table, to the program',
      })),
    );
  });

  it('is in the list of incidents: alarms, and what could not be trained again', async () => {
    expect((await after.incidents({ incident: 'not-reproducible' })).rows).toMatchObject([
      { breaches: [{ rule: 'predictions differs', found: '0.31 in cell 7', expected: '0.29' }] },
    ]);
    expect((await after.incidents({ incident: 'alarm' })).rows).toMatchObject([
      { by: 'notary', breaches: [{ rule: 'shorter-log', found: '8 events', expected: '9' }] },
    ]);
  });

  it('is traced: an answer to who asked, a replay to the training that it did again', async () => {
    const typesAt = async (event: string, direction: 'forward' | 'backward') =>
      (await after.trace({ event, direction, depth: 1, nodes: 2000 })).nodes.map(
        ({ type }) => type,
      );
    const events = later();
    const placeOf = (type: string): string => {
      const { stream, revision } = events.findLast((event) => event.type === type)!;
      return `${stream}@${revision}`;
    };
    expect(await typesAt(placeOf('VerificationRequested'), 'forward')).toEqual([
      'VerificationRequested',
      'FindingVerified',
    ]);
    expect(await typesAt(placeOf('FindingReplayed'), 'backward')).toContain('TrainingLaunched');
    expect(await typesAt(placeOf('TrainingFailed'), 'forward')).toContain('MutationReverted');
    expect(await typesAt(`${finding}@2`, 'forward')).toContain('TextErased');
  });
});

describe('golden logs', () => {
  const types = eventTypes(EVENT_TYPES);
  const read = (file: string): readonly RecordedEvent[] =>
    storedEvents(file).map((event) => decodeStored(event, types));

  it.each(goldenFiles())('%s: every event of every version has its place in the trail', (file) => {
    for (const event of read(file)) {
      const facts = factsOf(event);
      expect(facts?.what, `${event.type} ${event.metadata.schemaVersion}`).toMatch(/\S/);
    }
  });

  it.each(goldenFiles().filter((file) => file.endsWith('-pay.jsonl')))(
    '%s: every finding rests on the opening of its run, each cause before its effect',
    async (file) => {
      const pay = await viewsOf(read(file));
      const { rows } = await pay.findingsAt();
      expect(rows.length).toBeGreaterThan(0);
      for (const { findingId } of rows) {
        const { nodes, edges, cut } = await pay.trace({ event: findingId, depth: 50, nodes: 2000 });
        expect(cut).toBeNull();
        expect(nodes.map(({ type }) => type)).toContain('RunOpened');
        const at = new Map(nodes.map(({ eventId, position }) => [eventId, position]));
        for (const { cause, effect } of edges)
          expect(at.get(cause) ?? Infinity).toBeLessThan(at.get(effect) ?? -Infinity);
      }
      const lists = [await pay.changes(), await pay.accesses(), await pay.incidents()];
      for (const list of lists) expect(list.rows.length).toBeGreaterThan(0);
    },
  );

  it('what is proposed after a revert rests on the state that the run went back to', async () => {
    const pay = read('v2-pay.jsonl');
    const views = await viewsOf(pay);
    const reverted = pay.findIndex(({ type }) => type === 'RunReverted');
    const next = pay.slice(reverted).find(({ type }) => type === 'MutationProposed');
    const { edges } = await views.trace({ event: next?.id ?? '', depth: 1 });
    const states = edges.filter(({ effect, link }) => effect === next?.id && link === 'state');
    expect(states.map(({ cause }) => cause)).toEqual([pay[reverted]?.id]);
  });
});
