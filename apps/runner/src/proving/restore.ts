import { fold, ok, refused, type Refusal, type Result } from '#libs/kernel';
import {
  incumbent,
  runDecider,
  type RestorePointTaken,
  type RunEvent,
  type RunState,
} from '#libs/run';
import type { Ledger } from '../ledger.ts';

/** A state rebuilt, beside the restore point that says what it has to be. */
export interface Restored {
  readonly runId: string;
  readonly restorePoint: RestorePointTaken['data'];
  /** The run's state just before the mutation, folded from the events up to there. */
  readonly state: RunState;
  /** Where the tree was written; null when it wasn't asked for. */
  readonly folder: string | null;
  readonly files: number | null;
}

/**
 * Rebuilds what stood before a mutation and holds it against the restore point: tree, metric, monitor and budget.
 * Refused where they differ: then the log and its restore point contradict each other.
 */
export const restoreState = async (
  home: Ledger,
  restorePointId: string,
  into: string | null,
): Promise<Result<Restored, Refusal>> => {
  await home.views.catchUp(home.log);
  const { rows } = await home.views.restoreSource({ restorePoint: restorePointId });
  const [row] = rows;
  if (row === undefined)
    return refused({
      code: 'restore-point-unknown',
      message: `found no restore point ${restorePointId}; list them with: holdfast audit --ledger restore`,
    });
  const before: RunEvent[] = [];
  let restorePoint: RestorePointTaken['data'] | null = null;
  for await (const event of home.log.readStream<RunEvent>(`run-${row.runId}`)) {
    if (event.type === 'RestorePointTaken') {
      const data = event.data as RestorePointTaken['data'];
      if (data.restorePointId === restorePointId) {
        restorePoint = data;
        break;
      }
    }
    before.push(event as unknown as RunEvent);
  }
  if (restorePoint === null)
    return refused({
      code: 'restore-point-absent',
      message: `the views name restore point ${restorePointId}, but run ${row.runId} does not hold it; rebuild them with: holdfast rebuild`,
    });
  const state = fold(runDecider, before);
  const differences = differ(state, restorePoint);
  if (differences.length > 0)
    return refused({
      code: 'restore-point-contradicted',
      message: `the events before restore point ${restorePointId} lead elsewhere: ${differences.join('; ')}; verify the run's findings`,
    });
  if (into === null)
    return ok({ runId: row.runId, restorePoint, state, folder: null, files: null });
  const written = await home.sourceTree.materialise(restorePoint.tree, into);
  return written.ok
    ? ok({ runId: row.runId, restorePoint, state, folder: into, files: written.value.files })
    : written;
};

const differ = (state: RunState, point: RestorePointTaken['data']): readonly string[] => {
  const { tree, metric, trainingId } = incumbent(state);
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['tree', tree, point.tree],
    ['metric', metric, point.metric],
    ['training', trainingId, point.trainingId],
    ['budget', state.budget.remaining, point.budgetRemaining],
    ...point.monitor.flatMap(({ chart, upper, lower }) => [
      [`${chart} upper`, state.sums[chart]?.upper, upper] as const,
      [`${chart} lower`, state.sums[chart]?.lower, lower] as const,
    ]),
  ];
  return pairs
    .filter(([, found, expected]) => found !== expected)
    .map(
      ([what, found, expected]) => `${what}: found ${String(found)}, expected ${String(expected)}`,
    );
};
