import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { deriveId, type Refusal, type Result } from '#libs/kernel';
import { LOCAL_RESEARCHER } from '../actors.ts';
import type { Home } from '../home.ts';
import { sealReason } from '../private-texts.ts';
import { HOME } from '../tokens.ts';

/** A human ends a run for good, with a reason: it yields no findings. */
export class HaltRun extends Command<Result<unknown, Refusal>> {
  readonly runId: string;
  readonly reason: string;
  constructor(runId: string, reason: string) {
    super();
    this.runId = runId;
    this.reason = reason;
  }
}

@CommandHandler(HaltRun)
export class HaltRunHandler implements ICommandHandler<HaltRun> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  async execute({ runId, reason }: HaltRun) {
    const sealed = await sealReason(this.home, reason, {
      stream: `run-${runId}`,
      type: 'RunHalted',
    });
    if (!sealed.ok) return sealed;
    const { head } = await this.home.runs.load(runId);
    const id = deriveId('halt', runId, head?.id ?? '');
    return this.home.runs.send(
      runId,
      { type: 'HaltRun', id, data: { reason: sealed.value } },
      LOCAL_RESEARCHER,
    );
  }
}
