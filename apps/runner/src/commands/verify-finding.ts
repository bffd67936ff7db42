import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Home } from '../home.ts';
import { verifyAgain, type VerifiedAgain } from '../proving/verify.ts';
import { HOME } from '../tokens.ts';

/** Verifies a finding again; a verdict that has changed is recorded, and a BLOCK discards the finding. A runner that the run did not pin records nothing and says so. */
export class VerifyFinding extends Command<VerifiedAgain> {
  readonly findingId: string;
  constructor(findingId: string) {
    super();
    this.findingId = findingId;
  }
}

@CommandHandler(VerifyFinding)
export class VerifyFindingHandler implements ICommandHandler<VerifyFinding> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ findingId }: VerifyFinding) {
    return verifyAgain(this.home, findingId);
  }
}
