import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Refusal, Result } from '#libs/kernel';
import type { TrainingProgress } from '#libs/jobs';
import type { Home } from '../home.ts';
import { replayFinding, type Replay } from '../proving/replay.ts';
import { HOME } from '../tokens.ts';

/** Trains a finding's program again, from its pinned tree and for the recorded steps, and compares. */
export class ReplayFinding extends Command<Result<Replay, Refusal>> {
  readonly findingId: string;
  readonly onProgress: (progress: TrainingProgress) => void;
  constructor(findingId: string, onProgress: (progress: TrainingProgress) => void) {
    super();
    this.findingId = findingId;
    this.onProgress = onProgress;
  }
}

@CommandHandler(ReplayFinding)
export class ReplayFindingHandler implements ICommandHandler<ReplayFinding> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ findingId, onProgress }: ReplayFinding) {
    return replayFinding(this.home, findingId, onProgress);
  }
}
