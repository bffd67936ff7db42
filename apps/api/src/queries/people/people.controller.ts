import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { Ledger } from '#apps/runner';
import { Operation } from '../../http/operation.ts';
import { LEDGER } from '../../tokens.ts';

export class PersonAnswer {
  @ApiProperty({ description: 'What stands for the person in events' }) personId!: string;
  @ApiProperty({ description: 'The identity provider; `local`: a token of this ledger' })
  issuer!: string;
  @ApiProperty({ description: 'Who that is to the provider' }) subject!: string;
  @ApiProperty({ format: 'date-time', description: 'When the person was first seen' })
  since!: string;
}

export class PeopleAnswer {
  @ApiProperty({ type: () => PersonAnswer, isArray: true }) people!: readonly PersonAnswer[];
}

@ApiTags('people')
@Controller('v1/people')
export class PeopleController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Get()
  @Operation({
    id: 'listPeople',
    kind: 'read',
    summary: 'The people behind the ids',
    description:
      'Who the ids of people in events stand for, in the order in which they were first seen. Those who were erased are not among them.',
  })
  @ApiOkResponse({ type: PeopleAnswer })
  async list(): Promise<PeopleAnswer> {
    return {
      people: (await this.ledger.erasables.people()).map(
        ({ personId, issuer, subject, since }) => ({ personId, issuer, subject, since }),
      ),
    };
  }
}
