import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { DeadLetter } from '#libs/jobs';
import { Caller } from '../../access/access.guard.ts';
import { Operation } from '../../http/operation.ts';
import { sees } from '../../ledger/visible.ts';
import { LEDGER, TRAININGS } from '../../tokens.ts';
import type { Trainings } from '../workers/trainings.ts';

export class DeadLetterAnswer {
  @ApiProperty() trainingId!: string;
  @ApiProperty({ example: 'pay-1' }) runId!: string;
  @ApiProperty({ example: 'pay' }) studyId!: string;
  @ApiProperty({ description: 'SHA-256 of the runtime that it needs' }) runtime!: string;
  @ApiProperty({
    enum: ['failed', 'result-refused', 'worker-lost'],
    description:
      'failed: it could not be run, and its run waits. result-refused: a result came that nobody can take, and its run waits. worker-lost: its workers were gone one after the other; its run goes on without it',
  })
  kind!: DeadLetter['kind'];
  @ApiProperty() reason!: string;
  @ApiProperty({ type: 'integer' }) attempts!: number;
  @ApiProperty({ format: 'date-time' }) since!: string;
}

export class DeadLettersAnswer {
  @ApiProperty({ type: () => DeadLetterAnswer, isArray: true })
  letters!: readonly DeadLetterAnswer[];
}

/** Letters of studies that the caller sees, oldest first. */
export const lettersFor = async (
  ledger: Ledger,
  caller: Principal,
  trainings: Trainings | null,
): Promise<readonly DeadLetter[]> => {
  const letters: DeadLetter[] = [];
  for (const letter of (await trainings?.deadLetters.list()) ?? [])
    if (await sees(ledger, caller, letter.studyId)) letters.push(letter);
  return letters.toSorted((a, b) => (a.since < b.since ? -1 : 1));
};

@ApiTags('fleet')
@Controller('v1/dead-letters')
export class DeadLettersController {
  private readonly ledger: Ledger;
  private readonly trainings: Trainings | null;
  constructor(@Inject(LEDGER) ledger: Ledger, @Inject(TRAININGS) trainings: Trainings | null) {
    this.ledger = ledger;
    this.trainings = trainings;
  }

  @Get()
  @Operation({
    id: 'listDeadLetters',
    kind: 'read',
    summary: 'Trainings that wait for an operator',
    description:
      "Trainings on Redis that could not be run, or whose result nobody can take; oldest first, at most a hundred of each runtime. None where trainings run in the runner's own process.",
  })
  @ApiOkResponse({ type: DeadLettersAnswer })
  async list(@Caller() caller: Principal): Promise<DeadLettersAnswer> {
    const letters = await lettersFor(this.ledger, caller, this.trainings);
    return {
      letters: letters.map(
        ({ trainingId, runId, studyId, runtime, kind, reason, attempts, since }) => ({
          trainingId,
          runId,
          studyId,
          runtime,
          kind,
          reason,
          attempts,
          since,
        }),
      ),
    };
  }
}
