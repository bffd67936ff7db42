import { cellCount } from '#libs/harness';
import type { Agent } from '#libs/agents';
import { parsePredictions } from '#libs/evaluator';
import type { TrainingProgress } from '#libs/jobs';
import { deriveId, type ArtefactRef, type RecordedEvent } from '#libs/kernel';
import {
  cohortDimensions,
  type RunCommand,
  type RunEvent,
  type RunOpened,
  type RunState,
} from '#libs/run';
import type { Home } from '../home.ts';
import type { OpenedStudy } from '../opening/open-study.ts';

/** All that an effect may use: the run as it stands, and the world. */
export interface EffectContext {
  readonly home: Home;
  readonly study: OpenedStudy;
  readonly agent: Agent;
  readonly runId: string;
  readonly state: RunState;
  readonly opened: RunOpened['data'];
  /** The event that launched this effect: ids and times of what the effect makes derive from it. */
  readonly head: RecordedEvent<RunEvent>;
  readonly onProgress: (progress: TrainingProgress) => void;
  /** Aborts when the driving stops: what can be waited for elsewhere is left. */
  readonly signal: AbortSignal;
}

/** A command of this effect; the same effect gives the same id, so that it is recorded once. */
export const commandId = (
  { head }: Pick<EffectContext, 'head'>,
  type: RunCommand['type'],
): string => deriveId('command', head.id, type);

/** The probabilities of a training, by cell. @throws where the artefact is gone or altered: nothing is measured then */
export const readPredictions = async (
  { home, opened }: Pick<EffectContext, 'home' | 'opened'>,
  { oid }: ArtefactRef,
): Promise<Float64Array> => {
  const content = await home.sourceTree.readFile(oid);
  if (!content.ok) throw new Error(content.error.message);
  const predictions = parsePredictions(content.value, cellCount(cohortDimensions(opened)));
  if (!predictions.ok) throw new Error(predictions.error.message);
  return predictions.value;
};
