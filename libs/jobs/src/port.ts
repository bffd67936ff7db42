import type { TrainingPolicy } from '#libs/harness';
import type { TrainingResult } from '#libs/run';

/** One training to run; the same id is the same training, however often it is asked for. */
export interface TrainingJob {
  /** The id of the launch. */
  readonly trainingId: string;
  readonly runId: string;
  /** Git tree of the program. */
  readonly tree: string;
  readonly entry: string;
  readonly seed: number;
  /** Steps to take (a replay), or null: as many as the program decides. */
  readonly steps: number | null;
  readonly limits: TrainingPolicy;
  /** Git blobs of the cohort table and of the cells to predict. */
  readonly table: string;
  readonly cells: string;
  readonly cellCount: number;
  readonly outcome: string;
  readonly dimensions: readonly { readonly name: string; readonly labels: readonly string[] }[];
}

export interface TrainingProgress {
  readonly trainingId: string;
  readonly step: number;
  readonly of: number;
}

/** Runs trainings. Adapters: in this process; a queue with workers on many hosts has its place beside it. */
export interface TrainingQueue {
  /**
   * The signed result of a training. Asked again for one under way, it gives the same promise.
   * @throws SandboxUnavailable when the sandbox itself could not work: that says nothing about the program
   */
  run(job: TrainingJob, onProgress?: (progress: TrainingProgress) => void): Promise<TrainingResult>;
}
