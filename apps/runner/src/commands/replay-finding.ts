import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor, Refusal, Result } from '#libs/kernel';
import type { TrainingProgress } from '#libs/jobs';
import type { Home } from '../home.ts';
import { replayFinding, type RecordedReplay } from '../proving/replay.ts';
import { HOME } from '../tokens.ts';

/** Trains a finding's program again, from its pinned tree and for the recorded steps, compares, and records what came of it. */
export class ReplayFinding extends Command<Result<RecordedReplay, Refusal>> {
  readonly findingId: string;
  readonly actor: Actor;
  readonly onProgress: (progress: TrainingProgress) => void;
  constructor(findingId: string, actor: Actor, onProgress: (progress: TrainingProgress) => void) {
    super();
    this.findingId = findingId;
    this.actor = actor;
    this.onProgress = onProgress;
  }
}

@CommandHandler(ReplayFinding)
export class ReplayFindingHandler implements ICommandHandler<ReplayFinding> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ findingId, actor, onProgress }: ReplayFinding) {
    return replayFinding(this.home, findingId, actor, onProgress);
  }
}
