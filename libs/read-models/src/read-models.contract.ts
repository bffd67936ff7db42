import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '#libs/kernel';
import {
  commit,
  openRun,
  recordHalted,
  recordNight,
  recorder,
  tree,
} from './testing/recorded-run.ts';
import { openReadModels, type DatabaseTarget, type LogReader, type ReadModels } from './index.ts';

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
        { numRuns: 12 },
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
      expect(blocked).toMatchObject({ review: 'none', acceptedAt: null, planted: ['withholding'] });
      expect(blocked?.discardedAt).not.toBeNull();
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
};

const again = (event: RecordedEvent | undefined): RecordedEvent => ({
  ...(event as RecordedEvent),
});

const orphan = (): RecordedEvent => {
  const kept = night().find((event) => event.type === 'MutationKept') as RecordedEvent;
  return { ...kept, position: 1 };
};
