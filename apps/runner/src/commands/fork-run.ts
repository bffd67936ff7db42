import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Refusal, Result } from '#libs/kernel';
import type { Home } from '../home.ts';
import type { Fork } from '../opening/fork-point.ts';
import { openRun, type OpenedRun, type RunToOpen } from '../opening/open-run.ts';
import { HOME } from '../tokens.ts';

/** A researcher opens a run that starts where an earlier one stood, with a budget of its own. */
export class ForkRun extends Command<Result<OpenedRun, Refusal>> {
  readonly run: RunToOpen;
  readonly fork: Fork;
  constructor(run: RunToOpen, fork: Fork) {
    super();
    this.run = run;
    this.fork = fork;
  }
}

@CommandHandler(ForkRun)
export class ForkRunHandler implements ICommandHandler<ForkRun> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ run, fork }: ForkRun) {
    return openRun(this.home, run, fork);
  }
}
