import { advance, chartInput, ZERO } from '#libs/divergence';
import type { ChartReading, Sums } from '#libs/divergence';
import type { ChartPolicy, Observation } from '#libs/harness';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';
import { followStanding } from '../standing.ts';
import type { Standing } from '../standing.ts';

/** The state that a chart vouches for; `age` orders states by when they came to stand. */
interface Stable {
  readonly standing: Standing | null;
  readonly age: number;
}

interface Trigger {
  readonly mutationId: string;
  readonly fired: readonly ChartReading[];
  readonly index: number;
}

const FIELDS = ['chart', 'x', 'upper', 'lower', 'fired'] as const;

/** Every chart recomputes from what was observed, and a chart that fires is answered at once by the right revert. */
export const monitor: Check = {
  row: 'monitor',
  expected:
    "each chart's x and sums recompute from the observations (Page 1954), a sum above its decision interval is followed at once by DivergenceDetected and the revert to the last stable state, and by nothing else",
  start: ({ opened }) => {
    const faults = collectFaults();
    const standing = followStanding();
    const sums = new Map<ChartPolicy['kind'], Sums>();
    const stable = new Map<ChartPolicy['kind'], Stable>();
    let target: Stable = { standing: null, age: 0 };
    let age = 0;
    /** Values that each chart took; an observation that it could not measure leaves it standing. */
    const taken = new Map<string, number>();
    let observed = 0;
    let reverts = 0;
    let trigger: Trigger | null = null;
    let detected = false;

    const charts = (): readonly ChartPolicy[] => opened().policy.charts;
    const sumsOf = (kind: ChartPolicy['kind']): Sums => sums.get(kind) ?? ZERO;

    const recompute = (observation: Observation): readonly ChartReading[] =>
      charts().flatMap((chart) => {
        const x = chartInput(chart.kind, observation);
        return x === null ? [] : [advance(chart, sumsOf(chart.kind), x)];
      });

    const compare = (
      found: readonly ChartReading[],
      expected: readonly ChartReading[],
      at: string,
    ): void => {
      faults.differ(`${at}: charts read`, found.length, expected.length);
      for (const [place, reading] of expected.entries())
        for (const field of FIELDS)
          faults.differ(
            `${at}: ${field} of ${reading.chart}`,
            found[place]?.[field],
            reading[field],
          );
    };

    /** A chart at zero after a decision vouches for the state that stands then. */
    const vouch = (): void => {
      for (const { kind } of charts()) {
        const { upper, lower } = sumsOf(kind);
        if (upper === 0 && lower === 0) stable.set(kind, { standing: standing.now(), age });
      }
    };

    const tally = (kind: ChartPolicy['kind']): string => {
      const measured = taken.get(kind) ?? 0;
      return `${kind} took ${String(measured)} (${String(observed - measured)} not measurable)`;
    };

    const compareFired = (
      found: readonly { chart: string; sum: number; decisionInterval: number }[],
      expected: readonly ChartReading[],
    ): void => {
      faults.differ('charts that fired', found.length, expected.length);
      for (const [place, { chart, upper, lower }] of expected.entries()) {
        const interval = charts().find(({ kind }) => kind === chart)?.decisionInterval;
        faults.differ('the chart that fired', found[place]?.chart, chart);
        faults.differ(`the sum of ${chart}`, found[place]?.sum, Math.max(upper, lower));
        faults.differ(`the interval of ${chart}`, found[place]?.decisionInterval, interval);
      }
    };

    return {
      every: ({ index, body: { type } }) => {
        if (trigger === null) return;
        const wanted = ['DivergenceDetected', 'RunReverted'][index - trigger.index - 1];
        if (wanted === undefined || type === wanted) return;
        faults.add(
          `the trigger at event ${String(trigger.index)} is unresolved: ${type} follows, expected ${wanted}`,
        );
        trigger = null;
      },
      run: {
        BaselineEstablished: (data, event) => {
          standing.run.BaselineEstablished(data, event);
          target = { standing: standing.now(), age };
        },
        RestorePointTaken: ({ mutationId, monitor: kept }) => {
          const at = `the restore point of ${mutationId}`;
          faults.differ(`${at}: charts`, kept.length, charts().length);
          for (const [place, { kind }] of charts().entries()) {
            const { upper, lower } = sumsOf(kind);
            faults.differ(`${at}: chart`, kept[place]?.chart, kind);
            faults.differ(`${at}: upper sum of ${kind}`, kept[place]?.upper, upper);
            faults.differ(`${at}: lower sum of ${kind}`, kept[place]?.lower, lower);
          }
        },
        MetricObserved: ({ mutationId, observation, charts: read }, { index }) => {
          if (mutationId === null) {
            faults.differ('charts read of the baseline', read.length, 0);
            return;
          }
          observed += 1;
          const expected = recompute(observation);
          compare(read, expected, `event ${String(index)}`);
          for (const { chart, upper, lower } of expected) {
            sums.set(chart, { upper, lower });
            taken.set(chart, (taken.get(chart) ?? 0) + 1);
          }
          const fired = expected.filter((reading) => reading.fired);
          detected = false;
          trigger = fired.length === 0 ? null : { mutationId, fired, index };
        },
        DivergenceDetected: ({ mutationId, fired }, { index }) => {
          if (trigger === null) {
            faults.add(`divergence at event ${String(index)} without a trigger`);
            return;
          }
          detected = true;
          faults.differ('the mutation of the divergence', mutationId, trigger.mutationId);
          compareFired(fired, trigger.fired);
        },
        RunReverted: (data, event) => {
          if (trigger === null || !detected) {
            faults.add(`revert at event ${String(event.index)} without a trigger`);
          } else {
            const vouched = trigger.fired.map(({ chart }) => stable.get(chart) ?? target);
            const back = vouched.reduce((a, b) => (b.age < a.age ? b : a));
            const at = 'the last stable state';
            faults.differ(`${at}: tree`, data.toTree, back.standing?.tree);
            faults.differ(`${at}: commit`, data.toCommit, back.standing?.commit);
            faults.differ(`${at}: training`, data.toTrainingId, back.standing?.trainingId);
            faults.differ(`${at}: metric`, data.toMetric, back.standing?.metric);
            faults.differ('the mutation undone last', data.undone.at(-1), trigger.mutationId);
            target = back;
          }
          reverts += 1;
          standing.run.RunReverted(data, event);
          sums.clear();
          stable.clear();
          trigger = null;
        },
        MutationKept: (data, event) => {
          age += 1;
          standing.run.MutationKept(data, event);
          vouch();
        },
        MutationReverted: () => {
          vouch();
        },
      },
      conclude: () => {
        if (trigger !== null)
          faults.add(
            `the trigger at event ${String(trigger.index)} is unresolved: nothing follows`,
          );
        return faults.outcome(
          `${String(observed)} observations: ${charts()
            .map(({ kind }) => tally(kind))
            .join(', ')}; ${String(reverts)} triggers, each with its revert`,
        );
      },
    };
  },
};
