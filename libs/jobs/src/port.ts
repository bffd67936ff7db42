import type { SandboxLayer, TrainingPolicy } from '#libs/harness';
import type { SealedText } from '#libs/kernel';
import type { EnvironmentRecord, TrainingResult } from '#libs/run';

/** What runs the program: an interpreter's binary or an image, by digest. */
export type TrainingRuntime = EnvironmentRecord['runtime'];

/** One training to run; the same id is the same training, however often it is asked for. */
export interface TrainingJob {
  /** The id of the launch. */
  readonly trainingId: string;
  readonly runId: string;
  readonly studyId: string;
  /** What the run pinned: a worker with another one must not run it. */
  readonly runtime: TrainingRuntime;
  /** Git tree of the program. */
  readonly tree: string;
  readonly entry: string;
  readonly seed: number;
  /** Steps to take (a replay), or null: as many as the program decides. */
  readonly steps: number | null;
  readonly limits: TrainingPolicy;
  /** What must contain it: a worker whose programs have fewer layers does not run it. */
  readonly demanded: readonly SandboxLayer[];
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

/** Why nobody runs a training any more. */
export type AbandonReason =
  /** Every worker that took it was gone before it could say how it ended. */
  | 'worker-lost'
  /** An operator gave it up. */
  | 'discarded';

/**
 * The training will have no result: the run records that once (see `abandonedResult`). No failure of the machinery,
 * which a queue waits out.
 */
export class TrainingAbandoned extends Error {
  override readonly name = 'TrainingAbandoned';
  readonly trainingId: string;
  readonly reason: AbandonReason;
  /** Workers that took it. */
  readonly attempts: number;
  /** Why an operator gave it up. */
  readonly note: SealedText | null;

  constructor(
    training: {
      readonly trainingId: string;
      readonly reason: AbandonReason;
      readonly attempts: number;
      readonly note: SealedText | null;
    },
    message: string,
  ) {
    super(message);
    this.trainingId = training.trainingId;
    this.reason = training.reason;
    this.attempts = training.attempts;
    this.note = training.note;
  }
}

/** Nobody here waits for the training any more. It says nothing of the training itself. */
export class TrainingLeft extends Error {
  override readonly name = 'TrainingLeft';
}

/** When to stop waiting for a training; a training in this process goes on to its end all the same. */
export interface Waiting {
  /** Whoever waits goes away: the training stays, and whoever asks for it next joins it. */
  readonly stop?: AbortSignal;
  /** Its run is over: where no worker has it yet, none gets it any more. */
  readonly unwanted?: AbortSignal;
}

/** Where a training of a runtime may be run, and what contains it there. */
export interface TrainingPlace {
  /** `this machine`, or the host as its worker calls it. */
  readonly name: string;
  readonly layers: readonly string[];
}

/** Runs trainings. Adapters: in this process; on Redis, with workers on many hosts. */
export interface TrainingQueue {
  /**
   * The signed result of a training. Asked again for one under way, it gives the same promise.
   * @throws SandboxUnavailable when the sandbox itself could not work (in this process): that says nothing about the
   *   program
   * @throws TrainingAbandoned when nobody will run it any more (on Redis)
   * @throws TrainingLeft once one of the signals of `waiting` has aborted (on Redis)
   */
  run(
    job: TrainingJob,
    onProgress?: (progress: TrainingProgress) => void,
    waiting?: Waiting,
  ): Promise<TrainingResult>;
  /**
   * Where such trainings would be run as things are now; none where no worker has announced itself. What a worker says
   * of itself helps to refuse early, and is no proof: each result is looked at for itself.
   */
  places(runtime: TrainingRuntime): Promise<readonly TrainingPlace[]>;
}
