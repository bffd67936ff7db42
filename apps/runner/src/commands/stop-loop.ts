import { setTimeout as sleep } from 'node:timers/promises';
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { deriveId, type Refusal, type Result } from '#libs/kernel';
import { LOCAL_RESEARCHER } from '../actors.ts';
import type { Home } from '../home.ts';
import { sealReason } from '../private-texts.ts';
import { HOME } from '../tokens.ts';

/** How long an iteration is waited for, and how often it is looked at. */
const PATIENCE_MS = 60_000;
const POLL_MS = 5;

/** A human ends the loop between two iterations, with a reason: what was kept goes on to its findings. */
export class StopLoop extends Command<Result<unknown, Refusal>> {
  readonly runId: string;
  readonly reason: string;
  constructor(runId: string, reason: string) {
    super();
    this.runId = runId;
    this.reason = reason;
  }
}

@CommandHandler(StopLoop)
export class StopLoopHandler implements ICommandHandler<StopLoop> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  /** A loop stops between two iterations only, so this waits for the one under way. */
  async execute({ runId, reason }: StopLoop) {
    const sealed = await sealReason(this.home, reason, {
      stream: `run-${runId}`,
      type: 'LoopEnded',
    });
    if (!sealed.ok) return sealed;
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { head } = await this.home.runs.load(runId);
      const id = deriveId('stop', runId, head?.id ?? '');
      const sent = await this.home.runs.send(
        runId,
        { type: 'StopLoop', id, data: { reason: sealed.value } },
        LOCAL_RESEARCHER,
      );
      const early = !sent.ok && (sent.error.code === 'not-now' || sent.error.code === 'lost-race');
      if (!early || head === null || performance.now() > deadline) return sent;
      await sleep(POLL_MS);
    }
  }
}
