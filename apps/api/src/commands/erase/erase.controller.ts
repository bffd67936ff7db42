import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { applyErasures, assertPerson, ERASURES, textAt, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { ErasureCommand } from '#libs/erasures';
import { ok } from '#libs/kernel';
import { Caller } from '../../access/access.guard.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Id, Whole } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { visibleFinding, visibleRun } from '../../ledger/visible.ts';
import { LEDGER } from '../../tokens.ts';
import { granted } from '../granted.ts';

const PERSON_ID = /^person-[0-9a-f]{32}$/;

export class PersonPath {
  @Matches(PERSON_ID, { message: 'must be the id of a person' })
  @ApiProperty({ description: 'What stands for a person in events', pattern: PERSON_ID.source })
  personId!: string;
}

export class EraseTextBody {
  @Id({ about: 'The stream of the event that holds the text', example: 'finding-pay-1-f1' })
  stream!: string;
  @Whole(0, Number.MAX_SAFE_INTEGER, { about: 'Its place in that stream' }) revision!: number;
}

export class ErasedPerson {
  @ApiProperty() personId!: string;
}

export class ErasedText {
  @ApiProperty({ example: 'finding-pay-1-f1' }) stream!: string;
  @ApiProperty({ type: 'integer' }) revision!: number;
}

@ApiTags('people')
@Controller('v1')
export class EraseController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Post('people/:personId/erasure')
  @HttpCode(200)
  @Operation({
    id: 'erasePerson',
    kind: 'command',
    summary: 'Erase who a person is',
    description:
      "For good: the events that name the id stay, and nobody can tell whose it was. Tokens that this ledger handed out to the person are worth nothing from then on; one who comes back from an identity provider is given a new id. That it was done is an event of the stream `erasures`; backups of the store are the operator's to erase.",
    refusals: ['person-unknown'],
  })
  @ApiOkResponse({ type: ErasedPerson })
  async erasePerson(
    @Caller() caller: Principal,
    @Param() { personId }: PersonPath,
    @Req() request: FastifyRequest,
  ): Promise<ErasedPerson> {
    // Before the command: its sender may be who is erased, and would be somebody else after it.
    const outside = outsideRequest(caller, 'erasePerson', request);
    granted(await assertPerson(this.ledger, personId));
    await this.erase(outside, { type: 'ErasePerson', id: outside.commandId, data: { personId } });
    return { personId };
  }

  @Post('erasures')
  @HttpCode(200)
  @Operation({
    id: 'eraseText',
    kind: 'command',
    summary: 'Erase what a human wrote',
    description:
      "For good: the key of the event's sealed text is erased, and the text with it. The event stays as it is, and so does every hash. That it was done is an event of the stream `erasures`; backups of the keys are the operator's to erase.",
    refusals: ['text-unknown', 'run-unknown', 'finding-unknown'],
  })
  @ApiOkResponse({ type: ErasedText })
  async eraseText(
    @Caller() caller: Principal,
    @Body() { stream, revision }: EraseTextBody,
    @Req() request: FastifyRequest,
  ): Promise<ErasedText> {
    const [, kind, id] = /^(run|finding)-(.+)$/.exec(stream) ?? [];
    if (kind === 'run') await visibleRun(this.ledger, caller, id ?? '');
    if (kind === 'finding') await visibleFinding(this.ledger, caller, id ?? '');
    const data = granted(await textAt(this.ledger, stream, revision));
    const outside = outsideRequest(caller, 'eraseText', request);
    await this.erase(outside, { type: 'EraseText', id: outside.commandId, data });
    return { stream, revision };
  }

  /** The event first: what is gone is never a riddle. A repetition carries out what a stopped one did not. */
  private async erase(
    outside: ReturnType<typeof outsideRequest>,
    command: ErasureCommand,
  ): Promise<void> {
    granted(await this.ledger.erasures.request(ERASURES, outside, async () => ok(command)));
    granted(await applyErasures(this.ledger));
  }
}
