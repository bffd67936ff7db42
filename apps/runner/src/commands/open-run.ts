import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Refusal, Result } from '#libs/kernel';
import type { Home } from '../home.ts';
import { openRun, type OpenedRun, type RunToOpen } from '../opening/open-run.ts';
import { HOME } from '../tokens.ts';

/** A researcher opens a run on a study. */
export class OpenRun extends Command<Result<OpenedRun, Refusal>> {
  readonly run: RunToOpen;
  constructor(run: RunToOpen) {
    super();
    this.run = run;
  }
}

@CommandHandler(OpenRun)
export class OpenRunHandler implements ICommandHandler<OpenRun> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ run }: OpenRun) {
    return openRun(this.home, run);
  }
}
