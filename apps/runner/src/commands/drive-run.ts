import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Refusal, Result } from '#libs/kernel';
import type { RunState } from '#libs/run';
import type { Home } from '../home.ts';
import { driveInTurn, type DriveInTurn } from '../supervising/drive-in-turn.ts';
import { HOME } from '../tokens.ts';

/** Follows a run to its end, from wherever it stands, and whoever drives it. */
export class DriveRun extends Command<Result<RunState, Refusal>> {
  readonly drive: DriveInTurn;
  constructor(drive: DriveInTurn) {
    super();
    this.drive = drive;
  }
}

@CommandHandler(DriveRun)
export class DriveRunHandler implements ICommandHandler<DriveRun> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ drive }: DriveRun) {
    return driveInTurn(this.home, drive);
  }
}
