import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '#libs/database';
import type { RecordedEvent } from '#libs/kernel';
import {
  commit,
  openRun,
  recordHalted,
  recordNight,
  recorder,
  replayOf,
  tree,
} from './testing/recorded-run.ts';
import { openReadModels, type DatabaseTarget, type LogReader, type ReadModels } from './index.ts';
import { MIGRATIONS } from './tables.ts';

/** Where a suite's views are kept, and how to look at them past their queries. */
export interface Storage {
  /** A new, empty one. */
  readonly target: () => Promise<DatabaseTarget>;
  /** Runs SQL on the views' tables and gives what it returns. */
  readonly sql: (target: DatabaseTarget, statement: string) => Promise<readonly object[]>;
}

export const logOf = (events: readonly RecordedEvent[]): LogReader => ({
  async *readAll({ after = -1, limit = Infinity } = {}) {
    yield* events.filter((event) => event.position > after).slice(0, limit);
  },
});

export const night = (): readonly RecordedEvent[] => {
  const to = recorder();
  recordNight(to, { runId: 'r1', number: 1 });
  recordHalted(to, { runId: 'r2', number: 2 });
  return to.events;
};

/** Many short runs of one study, one after the other. */
export const season = (runs: number): readonly RecordedEvent[] => {
  const to = recorder();
  for (let number = 1; number <= runs; number += 1)
    recordHalted(to, { runId: `r${number}`, number });
  return to.events;
};

const TABLES = [
  'studies',
  'runs',
  'cutover_audit',
  'hypotheses',
  'restore_source',
  'charges',
  'findings',
  'trail',
  'trail_links',
];

/** Every row of every view, in an order of its own. */
export const dumpOf = async (
  { sql }: Storage,
  target: DatabaseTarget,
): Promise<Record<string, readonly string[]>> => {
  const dumped: Record<string, readonly string[]> = {};
  for (const table of TABLES) {
    const rows = await sql(target, `SELECT * FROM ${table}`);
    dumped[table] = rows
      .map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).sort())))
      .sort();
  }
  return dumped;
};

type Opened = ReadModels & { readonly target: DatabaseTarget };

export const describeReadModels = (storage: Storage): void => {
  let opened: ReadModels[];

  const open = async (given?: DatabaseTarget): Promise<Opened> => {
    const target = given ?? (await storage.target());
    const views = await openReadModels(target);
    opened.push(views);
    return { ...views, target };
  };
  const dump = (target: DatabaseTarget) => dumpOf(storage, target);

  beforeEach(() => {
    opened = [];
  });

  afterEach(async () => {
    for (const views of opened) await views.close();
  });

  describe('catching up', () => {
    it('projects everything once and remembers where it is', async () => {
      const events = night();
      const views = await open();
      expect(await views.position()).toBeNull();
      expect(await views.catchUp(logOf(events))).toBe(events.length);
      expect(await views.position()).toBe(events.at(-1)?.position);
      const before = await dump(views.target);
      expect(await views.catchUp(logOf(events))).toBe(0);
      expect(await dump(views.target)).toEqual(before);
    });

    it('makes views that any earlier version left anew, whatever stands in them', async () => {
      const events = night();
      const today = await open();
      await today.catchUp(logOf(events));
      const expected = await dump(today.target);
      const names = Object.keys(MIGRATIONS).toSorted();
      for (const [at, name] of names.slice(0, -1).entries()) {
        const target = await storage.target();
        const then = Object.fromEntries(names.slice(0, at + 1).map((n) => [n, MIGRATIONS[n]!]));
        const options = { schema: 'holdfast_views', migrations: then, durable: false };
        await (await openDatabase(target, options)).close();
        // Those of 011 to 013 held a trail in another form, under the same names.
        if (name >= '011') {
          await storage.sql(target, 'CREATE TABLE trail (place text PRIMARY KEY, what text)');
          await storage.sql(target, 'CREATE TABLE trail_links (link_id text PRIMARY KEY)');
          await storage.sql(target, `INSERT INTO trail VALUES ('s@0', 'as it was told then')`);
          await storage.sql(target, 'CREATE INDEX trail_by_place ON trail (place)');
        }
        await storage.sql(target, 'UPDATE view_position SET position = 3');
        const views = await open(target);
        await views.catchUp(logOf(events));
        expect([name, await dump(target)]).toEqual([name, expected]);
      }
    });

    it('comes to the same in any steps', async () => {
      const events = night();
      const whole = await open();
      await whole.catchUp(logOf(events));
      const expected = await dump(whole.target);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: events.length }), { maxLength: 12 }),
          async (cuts) => {
            const views = await open();
            for (const cut of [...cuts.sort((a, b) => a - b), events.length]) {
              await views.catchUp(logOf(events.slice(0, cut)));
            }
            expect(await dump(views.target)).toEqual(expected);
          },
        ),
        { numRuns: 6 },
      );
    });

    it('projects nothing twice when several do it at once on one database', async () => {
      const events = night();
      const alone = await open();
      await alone.catchUp(logOf(events));
      const shared = await storage.target();
      const several = await Promise.all([open(shared), open(shared), open(shared)]);
      const counts = await Promise.all(several.map((views) => views.catchUp(logOf(events))));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(events.length);
      expect(await dump(shared)).toEqual(await dump(alone.target));
    });

    it('ignores types and streams that no view knows', async () => {
      const events = night();
      const known = await open();
      await known.catchUp(logOf(events));
      const last = events.at(-1) as RecordedEvent;
      const strangers: RecordedEvent[] = [
        { ...last, position: last.position + 1, stream: 'finding-r1-f1', type: 'FindingFramed' },
        { ...last, position: last.position + 2, stream: 'lease-1', type: 'LeaseTaken' },
      ];
      const views = await open();
      await views.catchUp(logOf([...events, ...strangers]));
      expect(await dump(views.target)).toEqual(await dump(known.target));
      expect(await views.position()).toBe(last.position + 2);
    });

    it.each([
      ['a missing event', (events: RecordedEvent[]) => events.splice(10, 1)],
      ['an event twice', (events: RecordedEvent[]) => events.splice(10, 0, again(events[10]))],
      [
        'a decision on nothing',
        (events: RecordedEvent[]) => events.splice(0, events.length, orphan()),
      ],
    ])('throws on %s and changes nothing', async (_, damage) => {
      const events = [...night()];
      damage(events);
      const renumbered = events.map((event, index) => ({ ...event, position: index + 1 }));
      const views = await open();
      await expect(views.catchUp(logOf(renumbered))).rejects.toThrow(/The views can't take/);
      expect(await views.position()).toBeNull();
      expect((await dump(views.target))['runs']).toEqual([]);
    });

    it('throws when the log gives positions out of order', async () => {
      const views = await open();
      await expect(views.catchUp(logOf([...night()].reverse()))).rejects.toThrow(/out of order/);
    });
  });

  describe('rebuilding', () => {
    it('equals the live view, whatever the tables held before', async () => {
      const events = night();
      const live = await open();
      for (const end of [17, 40, events.length]) await live.catchUp(logOf(events.slice(0, end)));

      const damaged = await open();
      await damaged.catchUp(logOf(events));
      await storage.sql(damaged.target, 'UPDATE runs SET kept = 99');
      await storage.sql(damaged.target, "DELETE FROM charges WHERE charge = 'hypothesis'");
      expect(await dump(damaged.target)).not.toEqual(await dump(live.target));

      expect(await damaged.rebuild(logOf(events))).toBe(events.length);
      expect(await dump(damaged.target)).toEqual(await dump(live.target));
      expect(await damaged.position()).toBe(events.at(-1)?.position);
    });

    it('leaves the views readable as they were until it is through', async () => {
      const events = night();
      const views = await open();
      await views.catchUp(logOf(events));
      const seen: number[] = [];
      const slow: LogReader = {
        async *readAll(options) {
          seen.push((await views.runs()).rows.length, (await views.charges()).rows.length);
          yield* logOf(events).readAll(options);
        },
      };
      await views.rebuild(slow);
      expect(new Set(seen)).toEqual(new Set([2, (await views.charges()).rows.length]));
    });

    it('changes nothing when it is cut short', async () => {
      const events = night();
      const views = await open();
      await views.catchUp(logOf(events));
      const before = await dump(views.target);
      const broken: LogReader = {
        async *readAll() {
          yield* logOf(events.slice(0, 20)).readAll();
          throw new Error('disk gone');
        },
      };
      await expect(views.rebuild(broken)).rejects.toThrow('disk gone');
      expect(await dump(views.target)).toEqual(before);
    });
  });

  describe('the views of a night', () => {
    const projected = async (): Promise<ReadModels> => {
      const views = await open();
      await views.catchUp(logOf(night()));
      return views;
    };

    it('runs: one row a run with what became of it', async () => {
      const views = await projected();
      const { rows } = await views.runs({ order: 'newest' });
      expect(rows.map((row) => [row.runId, row.status, row.message])).toEqual([
        ['r2', 'halted', 'SYSTEM HALT: protected parameter "seed" in hyperparameters.json:4'],
        ['r1', 'closed', 'SYSTEM HALT: MUTATION BUDGET EXHAUSTED (asked 25, left 10)'],
      ]);
      expect(rows[1]).toMatchObject({
        studyId: 'pay',
        number: 1,
        seed: 7,
        iterations: 7,
        kept: 1,
        discarded: 1,
        failed: 2,
        diverged: 1,
        spent: 140,
        total: 150,
        utilization: 140 / 150,
        baselineMetric: 0.5012,
        lineMetric: 0.4871,
        reason: 'exhausted',
        findingsPass: 1,
        findingsBlock: 1,
      });
    });

    it('runs by status: how many there are of each', async () => {
      const views = await open();
      expect(await views.runsByStatus()).toEqual({});
      await views.catchUp(logOf(night()));
      expect(await views.runsByStatus()).toEqual({ halted: 1, closed: 1 });
    });

    it('cutover audit: what changed, when, why, by whom, from which restore point, and the decision', async () => {
      const views = await projected();
      const { rows } = await views.cutoverAudit();
      expect(rows.map((row) => `${row.runId} ${row.number} ${row.decision}`)).toEqual([
        'r1 1 undone',
        'r1 2 discarded',
        'r1 3 failed',
        'r1 4 timed-out',
        'r1 5 reverted',
        'r1 6 kept',
        'r2 1 halted',
      ]);
      expect(rows[4]).toMatchObject({
        studyId: 'pay',
        runNumber: 1,
        hypothesis: 'Withholding goes with pay',
        actorRole: 'agent',
        actorId: 'search',
        summary: 'features: add withholding',
        declaredDomain: 'feature',
        measuredDomain: 'feature',
        cost: 20,
        fromTree: tree('k1'),
        toTree: tree('c5'),
        proposedCommit: commit('c5'),
        restorePointId: 'r1-p5',
        metric: 0.2107,
        difference: -0.2783,
        reason: 'gain: 0.5391 > 0.1',
      });
      expect(rows[6]).toMatchObject({
        cost: null,
        restorePointId: null,
        reason: 'protected parameter',
      });
    });

    it('cutover audit: what the end of the loop overtook is unfinished', async () => {
      const to = recorder();
      const stream = recordNight(to, { runId: 'r1' });
      const launched = to.events.findLast((event) => event.type === 'TrainingLaunched');
      const events = to.events.filter((event) => event.position <= (launched?.position ?? 0));
      const stopped = recorder();
      stopped.events.push(...events);
      const halt = to.events.find((event) => event.type === 'LoopEnded') as RecordedEvent;
      const revision = events.filter((event) => event.stream === stream).length;
      const views = await open();
      await views.catchUp(logOf([...events, { ...halt, revision }]));
      const { rows } = await views.cutoverAudit({ decision: 'unfinished' });
      expect(rows.map((row) => row.mutationId)).toEqual(['r1-m6']);
    });

    it('restore source: the state before each mutation', async () => {
      const views = await projected();
      const { rows } = await views.restoreSource({ mutation: 'r1-m2' });
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        restorePointId: 'r1-p2',
        studyId: 'pay',
        commit: commit('k1'),
        tree: tree('k1'),
        monitor: [{ chart: 'gain', upper: 0, lower: 0 }],
        budgetRemaining: 110,
      });
    });

    it('charges: every charge with type, cost, remaining, description and time', async () => {
      const views = await projected();
      const { rows } = await views.charges({ run: 'r1' });
      expect(rows.map((row) => row.remaining)).toEqual([
        145, 125, 120, 110, 105, 80, 75, 65, 60, 40, 35, 15, 10,
      ]);
      expect(rows[1]).toMatchObject({
        charge: 'feature',
        cost: 20,
        description: 'features: add education',
        paysFor: 'r1-m1',
      });
      expect(rows[1]?.chargedAt).toMatch(/^2026-11-09T22:/);
    });

    it('findings: claim, verdict with its rows, and what people made of it', async () => {
      const views = await projected();
      const [passed] = (await views.findings({ verdict: 'PASS' })).rows;
      expect(passed).toMatchObject({
        findingId: 'r1-f1',
        runId: 'r1',
        lower: 0.0111,
        n: 4_103,
        ...{ sealedLook: 1, dataLook: 2, lookRuns: 3, lookSpent: 275, lookClaims: 2 },
        changes: ['features: add experience'],
        planted: [],
        trust: 'self-signed, unanchored',
        review: 'accepted',
        reviewedBy: 'v-1',
        discardedAt: null,
      });
      expect(passed?.acceptedAt).not.toBeNull();
      const [blocked] = (await views.findings({ verdict: 'BLOCK' })).rows;
      expect(blocked?.rows.filter((row) => !row.passed)).toEqual([
        {
          row: 'restore point present',
          passed: false,
          found: 'none for mutation 6',
          expected: 'one for each kept mutation',
        },
      ]);
      expect(blocked).toMatchObject({
        ...{ review: 'none', acceptedAt: null, planted: ['withholding'] },
        ...{ replays: 0, replayed: null, replayedAt: null },
      });
      expect(blocked?.discardedAt).not.toBeNull();
    });

    it('findings: how often their programs were trained again, and what came of it last', async () => {
      const to = recorder();
      recordNight(to, { runId: 'r1' });
      for (const outcome of ['not-reproducible', 'bit-exact'] as const)
        to.record('finding-r1-f1', replayOf('r1-f1', outcome));
      const views = await open();
      await views.catchUp(logOf(to.events));
      const [replayed] = (await views.findings({ finding: 'r1-f1' })).rows;
      expect(replayed).toMatchObject({ replays: 2, replayed: 'bit-exact', review: 'accepted' });
      expect(replayed?.replayedAt).toBe(to.events.at(-1)?.metadata.time);
    });

    it('filters by study, run, time, actor, domain and decision', async () => {
      const views = await projected();
      const numbers = async (
        filter: Parameters<ReadModels['cutoverAudit']>[0],
      ): Promise<string[]> =>
        (await views.cutoverAudit(filter)).rows.map((row) => `${row.runId}-${row.number}`);
      expect(await numbers({ study: 'lending' })).toEqual([]);
      expect(await numbers({ study: 'pay', run: 'r2' })).toEqual(['r2-1']);
      expect(await numbers({ domain: 'feature' })).toEqual(['r1-1', 'r1-5', 'r1-6']);
      expect(await numbers({ domain: 'feature', decision: 'kept' })).toEqual(['r1-6']);
      expect(await numbers({ actor: 'agent', run: 'r2' })).toEqual(['r2-1']);
      expect(await numbers({ actor: 'harness' })).toEqual([]);
      const [, , third] = (await views.cutoverAudit()).rows;
      const from = third?.proposedAt ?? '';
      expect(await numbers({ run: 'r1', from })).toEqual(['r1-3', 'r1-4', 'r1-5', 'r1-6']);
      expect(await numbers({ to: from.replace('Z', '+00:00') })).toEqual(['r1-1', 'r1-2']);
    });

    it.each(['oldest', 'newest'] as const)('pages through all rows, %s first', async (order) => {
      const views = await projected();
      const all = (await views.charges({ order })).rows;
      const paged: (typeof all)[number][] = [];
      let cursor: number | null = null;
      do {
        const page: Awaited<ReturnType<ReadModels['charges']>> = await views.charges({
          order,
          limit: 4,
          ...(cursor === null ? {} : { cursor }),
        });
        expect(page.rows.length).toBeLessThanOrEqual(4);
        paged.push(...page.rows);
        cursor = page.next;
      } while (cursor !== null);
      expect(paged).toEqual(all);
    });
  });

  describe('studies and what is asked for', () => {
    const study = 'study-pay';

    it('studies: who registered it, its runs, looks and spend', async () => {
      const to = recorder();
      recordHalted(to, { runId: 'r1', number: 1 });
      to.record(study, { type: 'SealedRowsOpened', data: { runId: 'r1', look: 1 } });
      to.record(study, { type: 'SpendCounted', data: { runId: 'r1', spent: 5, totalSpent: 5 } });
      recordHalted(to, { runId: 'r2', number: 2 });
      to.record(study, { type: 'SealedRowsOpened', data: { runId: 'r2', look: 2 } });
      to.record(study, { type: 'SpendCounted', data: { runId: 'r2', spent: 7, totalSpent: 12 } });
      to.record('study-lending', {
        type: 'StudyRegistered',
        data: { studyId: 'lending', title: 'Who is lent to' },
      });
      const views = await open();
      await views.catchUp(logOf(to.events));
      const { rows } = await views.studies();
      expect(rows).toEqual([
        {
          position: 1,
          studyId: 'pay',
          title: 'High pay, CPS 1988',
          registeredAt: '2026-11-09T22:00:00.000Z',
          actorRole: 'researcher',
          actorId: 'r-1',
          project: 'default',
          folder: null,
          priority: 5,
          runs: 2,
          looks: 2,
          spent: 12,
          lastRevision: 6,
        },
        expect.objectContaining({
          studyId: 'lending',
          runs: 0,
          looks: 0,
          spent: 0,
          lastRevision: 0,
        }),
      ]);
      expect((await views.studies({ study: 'lending' })).rows).toHaveLength(1);
      expect((await views.studies({ actor: 'researcher' })).rows).toHaveLength(1);
    });

    it.each([
      ['missing', (events: RecordedEvent[]) => events.splice(1, 1)],
      ['twice', (events: RecordedEvent[]) => events.splice(1, 0, again(events[1]))],
    ])('a study event that is %s is found out', async (_, damage) => {
      const to = recorder();
      to.record(study, { type: 'StudyRegistered', data: { studyId: 'pay', title: 'Pay' } });
      to.record(study, { type: 'SplitCommitted', data: { dataDigest: 'a', commitment: 'b' } });
      to.record(study, { type: 'RunCounted', data: { runId: 'r1', number: 1, seed: 7 } });
      const events = [...to.events];
      damage(events);
      const views = await open();
      const renumbered = events.map((event, index) => ({ ...event, position: index + 1 }));
      await expect(views.catchUp(logOf(renumbered))).rejects.toThrow(/The views can't take/);
    });

    it('studies and runs: where one is placed, which run was requested, and which never opened', async () => {
      const to = recorder();
      to.record(study, { type: 'StudyRegistered', data: { studyId: 'pay', title: 'Pay' } });
      to.record(study, {
        type: 'StudyPlaced',
        data: { project: 'wages', folder: 'pay', priority: 3 },
      });
      to.record(study, {
        type: 'RunRequested',
        data: { runId: 'pay-1', number: 1, seed: 7, agent: null },
      });
      const position = to.events.at(-1)?.position;
      to.record(study, {
        type: 'RunRequested',
        data: { runId: 'pay-2', number: 2, seed: 2, agent: 'agent-1' },
      });
      to.record(study, { type: 'RunCounted', data: { runId: 'pay-1', number: 1, seed: 7 } });
      to.record(study, {
        type: 'RunRefused',
        data: { runId: 'pay-2', code: 'study-missing', reason: 'found no study' },
      });
      const views = await open();
      await views.catchUp(logOf(to.events));
      expect((await views.studies()).rows).toMatchObject([
        { studyId: 'pay', project: 'wages', folder: 'pay', priority: 3, runs: 1 },
      ]);
      expect((await views.runs()).rows).toMatchObject([
        { runId: 'pay-1', status: 'requested', position, seed: 7, openedAt: null },
        { runId: 'pay-2', status: 'refused', reason: 'found no study' },
      ]);
      expect((await views.runs({ project: ['wages'] })).rows).toHaveLength(2);
      expect((await views.runs({ project: ['default'] })).rows).toEqual([]);
    });

    it('runs: one that was asked for is there before it opens, and keeps its place when it does', async () => {
      const to = recorder();
      openRun(to, { runId: 'r1', number: 1 });
      const asked = to.events.findIndex(({ type }) => type === 'RunOpened');
      const views = await open();
      await views.catchUp(logOf(to.events.slice(0, asked)));
      const [requested] = (await views.runs({ status: 'requested' })).rows;
      expect(requested).toMatchObject({
        runId: 'r1',
        studyId: 'pay',
        title: 'High pay, CPS 1988',
        number: 1,
        seed: 7,
        requestedAt: '2026-11-09T22:00:01.000Z',
        openedAt: null,
        actorRole: 'harness',
        policyDigest: null,
        total: null,
        utilization: 0,
      });
      await views.catchUp(logOf(to.events));
      expect((await views.runs({ status: 'requested' })).rows).toEqual([]);
      expect((await views.runs()).rows).toMatchObject([
        {
          position: requested?.position,
          status: 'open',
          requestedAt: requested?.requestedAt,
          openedAt: '2026-11-09T22:00:02.000Z',
          actorRole: 'researcher',
          total: 150,
        },
      ]);
    });

    it('throws on a run that opens without being counted', async () => {
      const to = recorder();
      openRun(to);
      const events = to.events.filter(({ type }) => type !== 'RunCounted');
      const views = await open();
      await expect(views.catchUp(logOf(events))).rejects.toThrow(/can't take RunOpened/);
    });

    it('shows what belongs to the projects that are asked for, and nothing to none', async () => {
      const views = await open();
      await views.catchUp(logOf(night()));
      const countsFor = async (project?: readonly string[]): Promise<readonly number[]> => {
        const filter = project === undefined ? {} : { project };
        const pages = await Promise.all([
          views.studies(filter),
          views.runs(filter),
          views.cutoverAudit(filter),
          views.restoreSource(filter),
          views.charges(filter),
          views.findings(filter),
          views.changes(filter),
          views.accesses(filter),
          views.incidents(filter),
          views.findingsAt(filter),
          views.reviews(filter),
        ]);
        const { nodes } = await views.trace({ event: 'r1-f1', ...filter });
        return [...pages.map(({ rows }) => rows.length), nodes.length];
      };
      const nothing = Array.from({ length: 12 }, () => 0);
      const all = await countsFor();
      expect(all.every((count) => count > 0)).toBe(true);
      expect(await countsFor(['default'])).toEqual(all);
      expect(await countsFor([])).toEqual(nothing);
      await storage.sql(views.target, "UPDATE studies SET project = 'wages'");
      expect(await countsFor(['default', 'lending'])).toEqual(nothing);
      expect(await countsFor(['default', 'wages'])).toEqual(all);
      expect(await countsFor(["wages' or '1' = '1"])).toEqual(nothing);
    });
  });

  describe('values', () => {
    const studies = (...titles: readonly string[]): readonly RecordedEvent[] => {
      const to = recorder();
      for (const [index, title] of titles.entries())
        to.record(`study-s${index}`, {
          type: 'StudyRegistered',
          data: { studyId: `s${index}`, title },
        });
      return to.events;
    };

    it('come back as they went in: any text, the largest exact number', async () => {
      const titles = ['', "it's", 'Ünïcödé 💡', '日本語', 'a\\b\n\t"c"', '%_', '\u{1F600}'];
      const far = { ...(studies('far')[0] as RecordedEvent), position: Number.MAX_SAFE_INTEGER };
      const events = [
        ...studies(...titles),
        { ...far, stream: 'study-far', data: { studyId: 'far', title: 'far' } },
      ];
      const views = await open();
      await views.catchUp(logOf(events));
      const { rows } = await views.studies();
      expect(rows.map(({ title }) => title)).toEqual([...titles, 'far']);
      expect(rows.at(-1)?.position).toBe(Number.MAX_SAFE_INTEGER);
      expect(await views.position()).toBe(Number.MAX_SAFE_INTEGER);
    });

    it('can be asked for with U+0000 in them, for which U+FFFD stands', async () => {
      const views = await open();
      await views.catchUp(logOf(studies('nought \u0000 here')));
      expect((await views.studies()).rows[0]?.title).toBe('nought \uFFFD here');
      expect((await views.studies({ study: 's0\u0000' })).rows).toEqual([]);
      expect(
        (await views.runs({ project: ['\u0000'], run: '\u0000', actor: '\u0000' })).rows,
      ).toEqual([]);
    });

    it('are told apart by case and by accents', async () => {
      const views = await open();
      await views.catchUp(logOf(night()));
      expect((await views.runs({ run: 'R1' })).rows).toEqual([]);
      expect((await views.cutoverAudit({ actor: 'Agent' })).rows).toEqual([]);
      expect((await views.cutoverAudit({ actor: 'àgent' })).rows).toEqual([]);
    });
  });

  describe('taking a batch', () => {
    it('counts it once, however often it comes, and only where it follows', async () => {
      const events = night();
      const [first, second] = [events.slice(0, 30), events.slice(30)];
      const after = first.at(-1)?.position ?? null;
      const views = await open();
      expect(await views.take(second, after)).toBe(false);
      expect(await views.take(first, null)).toBe(true);
      expect(await views.take(first, null)).toBe(false);
      expect(await Promise.all([views.take(second, after), views.take(second, after)])).toEqual(
        expect.arrayContaining([true, false]),
      );
      const whole = await open();
      await whole.catchUp(logOf(events));
      expect(await dump(views.target)).toEqual(await dump(whole.target));
    });

    it('throws on events that are not beyond the position, or repeat within the batch', async () => {
      const events = night();
      const views = await open();
      await expect(views.take(events, events[0]?.position ?? null)).rejects.toThrow(/out of order/);
      const twice = [events[0], events[0]] as RecordedEvent[];
      await expect(views.take(twice, null)).rejects.toThrow(/out of order/);
    });

    it('is the same event by event and in batches that a season does not fit into', async () => {
      const events = season(520);
      expect(events.length).toBeGreaterThan(5_000);
      const whole = await open();
      expect(await whole.catchUp(logOf(events))).toBe(events.length);
      const bits = await open();
      let after: number | null = null;
      const some = events.slice(0, 120);
      for (const event of some) {
        await bits.take([event], after);
        after = event.position;
      }
      await bits.catchUp(logOf(events));
      expect(await dump(bits.target)).toEqual(await dump(whole.target));
    });
  });

  describe('waiting for a position', () => {
    it('is over when the views have reached it, or the time has passed', async () => {
      const events = night();
      const last = events.at(-1)?.position ?? 0;
      const views = await open();
      expect(await views.reached(1, 30)).toBe(false);
      const waits = [
        views.reached(1, 5_000),
        views.reached(last, 5_000),
        views.reached(last + 1, 300),
      ];
      await sleep(40);
      await views.catchUp(logOf(events));
      expect(await Promise.all(waits)).toEqual([true, true, false]);
      expect(await views.reached(last, 0)).toBe(true);
    });
  });

  describe('rebuilding while others go on', () => {
    /** A log that grows while it is read. */
    const growing = (events: readonly RecordedEvent[]) => {
      let visible = Math.floor(events.length / 2);
      return {
        grow: () => {
          visible = Math.min(events.length, visible + 3);
        },
        log: {
          async *readAll(options = {}) {
            yield* logOf(events.slice(0, visible)).readAll(options);
          },
        } as LogReader,
      };
    };

    it('loses nothing, counts nothing twice, and never steps back', async () => {
      const events = season(120);
      const { log, grow } = growing(events);
      const target = await storage.target();
      const [live, rebuilding, reading] = [
        await open(target),
        await open(target),
        await open(target),
      ];
      await live.catchUp(log);
      const seen: (number | null)[] = [];
      const over = new AbortController();
      const projecting = (async () => {
        while (!over.signal.aborted) {
          grow();
          await live.catchUp(log);
          await sleep(1);
        }
      })();
      const watching = (async () => {
        while (!over.signal.aborted) {
          seen.push(await reading.position());
          // Rows and position may be of two moments, but rows are never missing.
          expect((await reading.charges({ limit: 1_000 })).rows.length).toBeGreaterThanOrEqual(60);
          await sleep(1);
        }
      })();
      for (let turn = 0; turn < 4; turn += 1) await rebuilding.rebuild(log);
      await Promise.all([rebuilding.rebuild(log), live.rebuild(log)]);
      over.abort();
      await Promise.all([projecting, watching]);
      expect(seen.map(Number)).toEqual(seen.map(Number).toSorted((a, b) => a - b));
      await live.catchUp(logOf(events));
      const alone = await open();
      await alone.catchUp(logOf(events));
      expect(await dump(target)).toEqual(await dump(alone.target));
    }, 60_000);
  });
};

const again = (event: RecordedEvent | undefined): RecordedEvent => ({
  ...(event as RecordedEvent),
});

const orphan = (): RecordedEvent => {
  const kept = night().find((event) => event.type === 'MutationKept') as RecordedEvent;
  return { ...kept, position: 1 };
};
