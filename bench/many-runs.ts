import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHome, supervise, type Home } from '#apps/runner';
import type { EventLog } from '#libs/event-log';
import type { Executor } from '#libs/executors';
import { LAYERS_BY_DEFAULT } from '#libs/harness';
import { trainingWorker } from '#libs/jobs';
import { deriveId, ok, type Actor, type Result } from '#libs/kernel';
import { followLog } from '#libs/read-models';
import type { SandboxOutcome } from '#libs/sandbox';
import { makeStudy } from './iteration.ts';
import { median } from './median.ts';
import type { Row } from './rows.ts';

/** Milliseconds of one iteration, from one hypothesis to the run's next. */
interface Measured {
  /** The harness at work, trainings apart: the time of all runs together, by the iterations in it. */
  readonly harness: number;
  /** Of this process, all its threads. */
  readonly processor: number;
  /** What a run waited for anything but its training: half of the iterations, and nine in ten, no longer. */
  readonly waited: number;
  readonly waitedP90: number;
}

export interface ManyRunsBench {
  readonly runs: number;
  readonly iterations: number;
  readonly studies: number;
  /** Trainings that cost nothing: the harness is never idle. */
  readonly busy: { readonly one: Measured; readonly many: Measured };
  /** Trainings that only sleep, for so long on average. */
  readonly sleeping: {
    readonly one: Measured;
    readonly many: Measured;
    readonly trainingMs: number;
  };
}

const must = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

const RESEARCHER: Actor = { role: 'researcher', id: 'bench' };
const utf8 = new TextEncoder();

/** From 0 to 1, the same for the same text. */
const shareOf = (text: string): number =>
  createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;

/** Cells and replicates of the study. */
const [CELLS, BASELINES] = [16, 3];

/** What a training that learns nothing writes: the same probability for everybody, another one each time. */
const filesOf = (trainingId: string): SandboxOutcome['files'] => {
  const p = (0.95 - 0.4 * shareOf(trainingId)).toFixed(6);
  const lines = Array.from({ length: CELLS }, (_, cell) => `${cell},${p}`);
  return [
    { path: 'predictions.csv', content: utf8.encode(['cell,p', ...lines, ''].join('\n')) },
    { path: 'report.json', content: utf8.encode('{"steps":1}\n') },
  ];
};

interface Trainings {
  readonly executor: Executor;
  /** How long a run's trainings have slept so far. */
  readonly slept: (runId: string) => number;
}

/**
 * A double of an executor, which runs no program: its trainings sleep, half to one and a half times the mean, any
 * number at once, as workers elsewhere would take them. Those of the baseline don't sleep; the first of a run waits for
 * that of every other run, so that all are at their iterations together.
 */
const sleepingTrainings = (
  runtime: Executor['runtime'],
  runs: number,
  meanMs: number,
): Trainings => {
  const slept = new Map<string, number>();
  const begun = new Map<string, number>();
  const allBegan = Promise.withResolvers<void>();
  return {
    slept: (runId) => slept.get(runId) ?? 0,
    executor: {
      ...{ kind: 'sandbox', runtime, device: null, layers: LAYERS_BY_DEFAULT },
      run: async ({ owner: { runId, trainingId } }) => {
        const since = performance.now();
        const nth = (begun.get(runId) ?? 0) + 1;
        begun.set(runId, nth);
        if (begun.size === runs) allBegan.resolve();
        await allBegan.promise;
        if (meanMs > 0 && nth > BASELINES)
          await sleep(meanMs * (0.5 + shareOf(`sleep ${trainingId}`)));
        const durationMs = performance.now() - since;
        slept.set(runId, (slept.get(runId) ?? 0) + durationMs);
        return {
          ...{ ended: 'exited', exitCode: 0, signal: null, durationMs, refusedFiles: [] },
          ...{ files: filesOf(trainingId), stdout: '', stderr: '', truncated: false },
          isolation: { kind: 'double', limits: null, layers: LAYERS_BY_DEFAULT },
        } as unknown as SandboxOutcome;
      },
    },
  };
};

/** Tells of each hypothesis at the moment when it is in the log. */
const tellingOf =
  (tell: (runId: string) => void) =>
  (log: EventLog): EventLog => ({
    ...log,
    append: async (stream, expected, events) => {
      const appended = await log.append(stream, expected, events);
      if (appended.ok && events.some(({ type }) => type === 'HypothesisProposed'))
        tell(stream.slice('run-'.length));
      return appended;
    },
  });

const askForRuns = async (home: Home, studies: readonly string[], runs: number): Promise<void> => {
  for (const studyId of studies) {
    must(
      await home.studies.send(
        studyId,
        { type: 'RegisterStudy', id: `register ${studyId}`, data: { studyId, title: studyId } },
        RESEARCHER,
      ),
    );
    must(
      await home.studies.send(
        studyId,
        {
          ...{ type: 'PlaceStudy', id: `place ${studyId}` },
          data: { project: 'bench', folder: studyId, priority: 5 },
        },
        RESEARCHER,
      ),
    );
  }
  for (let run = 0; run < runs; run += 1) {
    const id = deriveId('bench', run);
    must(
      await home.studies.request(
        studies[run % studies.length]!,
        { commandId: id, causationId: id, actor: RESEARCHER },
        async ({ state }) => {
          const runId = `${studies[run % studies.length]!}-${state.lastNumber + 1}`;
          return ok({ type: 'RequestRun', id, data: { runId, seed: run + 1, agent: null } });
        },
      ),
    );
  }
};

interface Plan {
  readonly studiesFolder: string;
  readonly studies: readonly string[];
  readonly runs: number;
  readonly iterations: number;
  readonly trainingMs: number;
}

/** Iterations of each run before the clock starts. */
const WARM = 2;

/** Drives so many runs at once in a home of their own, as `holdfast serve` does, and looks at the clock meanwhile. */
const measure = async (
  folder: string,
  { studiesFolder, studies, runs, iterations, trainingMs }: Plan,
): Promise<Measured> => {
  const told = new Map<string, { at: number; slept: number; waits: number[] }>();
  let total = 0;
  let trainings: Trainings | null = null;
  let begun: { at: number; processor: NodeJS.CpuUsage } | null = null;
  const over = Promise.withResolvers<Pick<Measured, 'harness' | 'processor'>>();
  const tell = (runId: string): void => {
    const at = performance.now();
    const slept = trainings?.slept(runId) ?? 0;
    const before = told.get(runId);
    if (before === undefined) told.set(runId, { at, slept, waits: [] });
    else {
      before.waits.push(at - before.at - (slept - before.slept));
      Object.assign(before, { at, slept });
    }
    total += 1;
    if (total === runs * WARM) begun = { at, processor: process.cpuUsage() };
    if (total !== runs * (WARM + iterations) || begun === null) return;
    const { user, system } = process.cpuUsage(begun.processor);
    over.resolve({
      harness: (at - begun.at) / (runs * iterations),
      processor: (user + system) / 1000 / (runs * iterations),
    });
  };
  const opened = must(await openHome({ folder, studiesFolder, throughLog: tellingOf(tell) }));
  const { runtime } = await opened.environment();
  trainings = sleepingTrainings(runtime, runs, trainingMs);
  const { sourceTree, keys } = opened;
  const run = trainingWorker({ sourceTree, executor: trainings.executor, key: keys.worker });
  const home: Home = { ...opened, queue: async () => ok({ run, places: async () => [] }) };
  await askForRuns(home, studies, runs);

  const projecting = new AbortController();
  const { views, log, leases } = home;
  const projector = followLog({ views, log, leases, signal: projecting.signal });
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  const supervisor = await supervise(home, {
    runs,
    onNotice: ({ duty, message }) => {
      fail(new Error(`${duty}: ${message}`));
    },
  });
  supervisor.ended.catch(fail);
  projector.catch(fail);
  try {
    const times = await Promise.race([over.promise, failed]);
    const waits = [...told.values()].flatMap((one) => one.waits.slice(WARM - 1));
    const sorted = waits.toSorted((a, b) => a - b);
    const waitedP90 = sorted[Math.floor(sorted.length * 0.9)] ?? NaN;
    return { ...times, waited: median(waits), waitedP90 };
  } finally {
    await supervisor.stop(60_000);
    projecting.abort();
    await projector;
    await home.close();
    await rm(folder, { recursive: true, force: true });
  }
};

const medians = (all: readonly Measured[]): Measured => ({
  harness: median(all.map(({ harness }) => harness)),
  processor: median(all.map(({ processor }) => processor)),
  waited: median(all.map(({ waited }) => waited)),
  waitedP90: median(all.map(({ waitedP90 }) => waitedP90)),
});

/**
 * Iterations of many runs at once beside those of one run alone, driven by the supervisor on the embedded default, with
 * the projector at work and the built-in agent proposing. The trainings are doubles that run no program.
 */
export const benchManyRuns = async (
  runs = 100,
  { iterations = 6, turns = 2, trainingMs = 4_000 } = {},
): Promise<ManyRunsBench> => {
  const root = await mkdtemp(join(tmpdir(), 'bench-many-runs-'));
  try {
    const studiesFolder = join(root, 'studies');
    const studies = Array.from({ length: Math.min(10, runs) }, (_, index) => `courses${index + 1}`);
    for (const studyId of studies) await makeStudy(join(studiesFolder, studyId), studyId);
    let homes = 0;
    const next = (plan: Pick<Plan, 'runs' | 'iterations' | 'trainingMs'>): Promise<Measured> => {
      homes += 1;
      return measure(join(root, `home-${homes}`), { ...plan, studiesFolder, studies });
    };
    const few = Math.ceil(iterations / 2);
    // Warms up.
    await next({ runs: Math.min(10, runs), iterations, trainingMs: 0 });
    const one: Measured[] = [];
    const alone = async (): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1)
        one.push(await next({ runs: 1, iterations: iterations * 2, trainingMs: 0 }));
    };
    await alone();
    const many = await next({ runs, iterations, trainingMs: 0 });
    await alone();
    // How long its trainings sleep is nothing to a run that is alone.
    const brief = Math.min(trainingMs, 200);
    const oneSleeps = await next({ runs: 1, iterations: iterations * 2, trainingMs: brief });
    const manySleep = await next({ runs, iterations: few, trainingMs });
    return {
      ...{ runs, iterations, studies: studies.length },
      busy: { one: medians(one), many },
      sleeping: { one: oneSleeps, many: manySleep, trainingMs },
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

const GROWS_BY = 2;

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;

export const manyRunsRows = ({ runs, busy, sleeping }: ManyRunsBench): readonly Row[] => {
  const beside = (one: number): string => `one run alone, ${milliseconds(one)}`;
  const row = (measure: string, many: number, one: number): Row => ({
    ...{ measure, value: many, unit: 'ms', beside: beside(one), ratio: many / one, aim: null },
  });
  const growth = busy.many.harness / busy.one.harness;
  return [
    {
      ...row(`${runs} runs at once`, busy.many.harness, busy.one.harness),
      aim: { text: `grows by less than ${GROWS_BY} times`, met: growth < GROWS_BY },
    },
    row('  of the processor, all threads', busy.many.processor, busy.one.processor),
    row(
      `  what a run waits, trainings of ${sleeping.trainingMs / 1000} s`,
      sleeping.many.waited,
      sleeping.one.waited,
    ),
    row('    of the slowest tenth, at least', sleeping.many.waitedP90, sleeping.one.waitedP90),
  ];
};
