import {
  advance,
  chartInput,
  chartsOf,
  isRemeasurementDue,
  memoriesOf,
  recentred,
  remembered,
  ZERO,
} from '#libs/divergence';
import type { ChartReading, Memories, Sums } from '#libs/divergence';
import type { ChartPolicy, Observation } from '#libs/harness';
import { counted } from '#libs/kernel';
import { keptUndone } from '#libs/run';
import type { MetricObserved } from '#libs/run';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';
import { followStanding } from '../standing.ts';
import type { Standing } from '../standing.ts';

/** The state that a chart vouches for; `age` orders states by when they came to stand. */
interface Stable {
  readonly standing: Standing | null;
  readonly age: number;
}

interface Trigger {
  readonly mutationId: string | null;
  readonly fired: readonly ChartReading[];
  readonly index: number;
}

const FIELDS = ['chart', 'x', 'upper', 'lower', 'fired'] as const;

/** Every chart recomputes from what was observed, and a chart that fires is answered at once by the right revert. */
export const monitor: RunCheck = {
  of: 'run',
  row: 'monitor',
  expected:
    "each chart's x and sums recompute from the observations (Page 1954, Hawkins 1987), a sum above its decision interval is followed at once by DivergenceDetected and the revert to the last stable state, and by nothing else; the incumbent is measured again whenever the stability chart has its turn",
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
    let remeasured = 0;
    let reverts = 0;
    /** What the charts know at each standing state, the baseline first, when nothing was charted since. */
    const line: Memories[] = [];
    /** The metrics of the candidate's seeds. */
    let seeds: readonly number[] = [];
    let baseline: readonly number[] = [];
    let memories: Memories = {};
    let decided = 0;
    /** Where the launch of a re-measurement has to stand: right after the decision that it is due by. */
    let due: number | null = null;
    let trigger: Trigger | null = null;
    let detected = false;

    const charts = (): readonly ChartPolicy[] => opened().policy.charts;
    const known = (): Memories => line.at(-1) ?? memoriesOf(opened().policy, []);
    const sumsOf = (kind: ChartPolicy['kind']): Sums => sums.get(kind) ?? ZERO;

    const recompute = (
      observation: Observation,
      purpose: 'candidate' | 'remeasurement',
    ): readonly ChartReading[] =>
      chartsOf(opened().policy, purpose).flatMap((chart) => {
        const x = chartInput(chart, observation, memories[chart.kind] ?? null);
        return x === null ? [] : [advance(chart, sumsOf(chart.kind), x)];
      });

    /** Counts a decided mutation, and whether the incumbent's next measurement is due by it. */
    const decide = (index: number): void => {
      decided += 1;
      if (isRemeasurementDue(opened().policy, decided)) due = index + 1;
    };

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

    /** A chart at zero vouches for the state that stands. */
    const vouch = (kinds: readonly ChartPolicy['kind'][]): void => {
      for (const kind of kinds) {
        const { upper, lower } = sumsOf(kind);
        if (upper === 0 && lower === 0) stable.set(kind, { standing: standing.now(), age });
      }
    };
    /** After a decision: every chart but that of stability, which speaks for no state that it has not measured. */
    const vouchDecided = (): void => {
      vouch(chartsOf(opened().policy, 'candidate').map(({ kind }) => kind));
    };

    const tally = (kind: ChartPolicy['kind']): string => {
      const measured = taken.get(kind) ?? 0;
      if (kind === 'stability')
        return `${kind} took ${String(measured)} (${counted(remeasured - measured, 'training')} failed)`;
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

    /** Each chart's reading as it has to be, and what it knows and stands at from here on. */
    const take = (
      { mutationId, observation, charts: read }: MetricObserved['data'],
      purpose: 'candidate' | 'remeasurement',
      index: number,
    ): void => {
      const expected = recompute(observation, purpose);
      compare(read, expected, `event ${String(index)}`);
      for (const { chart, upper, lower } of expected) {
        sums.set(chart, { upper, lower });
        taken.set(chart, (taken.get(chart) ?? 0) + 1);
      }
      memories = remembered(memories, expected, observation.metric.value);
      const fired = expected.filter((reading) => reading.fired);
      detected = false;
      trigger = fired.length === 0 ? null : { mutationId, fired, index };
    };

    return {
      every: ({ index, body: { type } }) => {
        if (due !== null && index >= due && type !== 'TrainingLaunched') {
          faults.add(
            `a re-measurement of the incumbent was due after ${String(decided)} decided mutations: ${type} follows, expected TrainingLaunched`,
          );
          due = null;
        }
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
          memories = memoriesOf(opened().policy, baseline);
          line.splice(0, line.length, memories);
        },
        TrainingLaunched: ({ purpose, trainingId }) => {
          const isDue = due !== null;
          due = null;
          if (isDue !== (purpose === 'remeasurement'))
            faults.add(
              isDue
                ? `a re-measurement of the incumbent was due after ${String(decided)} decided mutations: training ${trainingId} is a ${purpose}`
                : `training ${trainingId} measures the incumbent again, which was not due after ${String(decided)} decided mutations`,
            );
          if (purpose === 'remeasurement') remeasured += 1;
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
        MetricObserved: (data, { index }) => {
          const { purpose, observation, charts: read } = data;
          const { value } = observation.metric;
          switch (purpose) {
            case 'baseline':
            case 'replicate':
              faults.differ(`charts read of the ${purpose}`, read.length, 0);
              if (purpose === 'baseline') baseline = [...baseline, value];
              else seeds = [...seeds, value];
              return;
            case 'candidate':
              observed += 1;
              seeds = [value];
              take(data, purpose, index);
              return;
            case 'remeasurement':
              take(data, purpose, index);
              vouch(['stability']);
          }
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
            faults.differ('the candidate of the revert', data.mutationId, trigger.mutationId);
            if (trigger.mutationId !== null)
              faults.differ('the mutation undone last', data.undone.at(-1), trigger.mutationId);
            target = back;
          }
          reverts += 1;
          standing.run.RunReverted(data, event);
          sums.clear();
          stable.clear();
          line.splice(Math.max(1, line.length - keptUndone(data)));
          memories = known();
          trigger = null;
          if (data.mutationId !== null) decide(event.index);
        },
        MutationKept: (data, event) => {
          age += 1;
          standing.run.MutationKept(data, event);
          line.push(recentred(known(), seeds));
          memories = recentred(memories, seeds);
          vouchDecided();
          decide(event.index);
        },
        MutationReverted: ({ reason }, { index }) => {
          vouchDecided();
          // What the post-loop gate takes back ends the run.
          if (reason !== 'post-loop-gate') decide(index);
        },
      },
      conclude: () => {
        if (due !== null)
          faults.add(
            `a re-measurement of the incumbent was due after ${String(decided)} decided mutations: nothing follows`,
          );
        if (trigger !== null)
          faults.add(
            `the trigger at event ${String(trigger.index)} is unresolved: nothing follows`,
          );
        return faults.outcome(
          `${counted(observed, 'observation')}: ${charts()
            .map(({ kind }) => tally(kind))
            .join(', ')}; ${counted(reverts, 'trigger')}, each with its revert`,
        );
      },
    };
  },
};
