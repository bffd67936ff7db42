import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { sealReason, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { DeadLetter, DeadLetters } from '#libs/jobs';
import { Caller } from '../../access/access.guard.ts';
import { Id } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { ProblemFound } from '../../problems/problems.ts';
import { granted } from '../granted.ts';
import { lettersFor } from '../../queries/dead-letters/dead-letters.controller.ts';
import type { Trainings } from '../../queries/workers/trainings.ts';
import { LEDGER, TRAININGS } from '../../tokens.ts';
import { ReasonBody } from '../end-run/end-run.controller.ts';

export class TrainingPath {
  @Id({ about: 'A training' }) trainingId!: string;
}

export class SettledLetter {
  @ApiProperty() trainingId!: string;
  @ApiProperty({ enum: ['retried', 'discarded'] }) settled!: 'retried' | 'discarded';
}

@ApiTags('fleet')
@Controller('v1/dead-letters/:trainingId')
export class SettleDeadLetterController {
  private readonly ledger: Ledger;
  private readonly trainings: Trainings | null;
  constructor(@Inject(LEDGER) ledger: Ledger, @Inject(TRAININGS) trainings: Trainings | null) {
    this.ledger = ledger;
    this.trainings = trainings;
  }

  @Post('retry')
  @HttpCode(200)
  @Operation({
    id: 'retryDeadLetter',
    kind: 'plain',
    summary: 'Let a training be run again',
    description:
      "With all its attempts. No event: the job is the queue's. Sent again, it finds no letter.",
    refusals: ['dead-letter-unknown'],
  })
  @ApiOkResponse({ type: SettledLetter })
  async retry(
    @Caller() caller: Principal,
    @Param() { trainingId }: TrainingPath,
  ): Promise<SettledLetter> {
    await this.settle(caller, trainingId, (letters) => letters.retry(trainingId));
    return { trainingId, settled: 'retried' };
  }

  @Post('discard')
  @HttpCode(200)
  @Operation({
    id: 'discardDeadLetter',
    kind: 'plain',
    summary: 'Give a training up',
    description:
      'Its run records that it failed, with the reason, when it is driven next. Sent again, it finds no letter.',
    refusals: ['dead-letter-unknown'],
  })
  @ApiOkResponse({ type: SettledLetter })
  async discard(
    @Caller() caller: Principal,
    @Param() { trainingId }: TrainingPath,
    @Body() { reason }: ReasonBody,
  ): Promise<SettledLetter> {
    await this.settle(caller, trainingId, async (letters, { runId }) => {
      const place = { stream: `run-${runId}`, type: 'TrainingFailed' };
      return letters.discard(trainingId, granted(await sealReason(this.ledger, reason, place)));
    });
    return { trainingId, settled: 'discarded' };
  }

  private async settle(
    caller: Principal,
    trainingId: string,
    act: (letters: DeadLetters, letter: DeadLetter) => Promise<boolean>,
  ): Promise<void> {
    const letter = (await lettersFor(this.ledger, caller, this.trainings)).find(
      (one) => one.trainingId === trainingId,
    );
    if (
      letter !== undefined &&
      this.trainings !== null &&
      (await act(this.trainings.deadLetters, letter))
    )
      return;
    throw new ProblemFound(
      'dead-letter-unknown',
      `found no dead letter of training ${trainingId}; GET /v1/dead-letters lists them`,
    );
  }
}
