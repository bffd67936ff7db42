import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { insert, type Change, type Recorded } from '../change.ts';

const STREAM = 'run-';

export const projectRestoreSource = (recorded: RecordedEvent): readonly Change[] => {
  if (!recorded.stream.startsWith(STREAM)) return [];
  const event = recorded as Recorded<RunEvent>;
  if (event.type !== 'RestorePointTaken') return [];
  const { data, metadata } = event;
  return [
    insert('restoreSource', {
      position: event.position,
      restorePointId: data.restorePointId,
      runId: event.stream.slice(STREAM.length),
      mutationId: data.mutationId,
      takenAt: metadata.time,
      actorRole: metadata.actor.role,
      actorId: metadata.actor.id,
      commit: data.commit,
      tree: data.tree,
      trainingId: data.trainingId,
      metric: data.metric,
      monitor: JSON.stringify(data.monitor),
      seed: data.seed,
      budgetRemaining: data.budgetRemaining,
    }),
  ];
};
