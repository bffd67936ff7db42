import { Body, Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { Caller } from '../../access/access.guard.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Operation } from '../../http/operation.ts';
import { LEDGER, STUDIES_FOLDER } from '../../tokens.ts';
import { PlacedStudy, RegisterStudyBody } from './dto.ts';
import { registerStudy } from './register-study.ts';

@ApiTags('studies')
@Controller('v1/studies')
export class RegisterStudyController {
  private readonly ledger: Ledger;
  private readonly studiesFolder: string | null;
  constructor(
    @Inject(LEDGER) ledger: Ledger,
    @Inject(STUDIES_FOLDER) studiesFolder: string | null,
  ) {
    this.ledger = ledger;
    this.studiesFolder = studiesFolder;
  }

  @Post()
  @Operation({
    id: 'registerStudy',
    kind: 'command',
    summary: 'Register a study',
    description:
      'Reads the study file and registers the study in a project. Its id and title are those of the file; data and source are looked at when a run opens.',
    refusals: [
      'study-file',
      'study-missing',
      'no-studies-folder',
      'project-forbidden',
      'study-registered',
    ],
  })
  @ApiCreatedResponse({
    type: PlacedStudy,
    headers: { Location: { schema: { type: 'string' } } },
  })
  async register(
    @Caller() caller: Principal,
    @Body() body: RegisterStudyBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PlacedStudy> {
    const placed = await registerStudy(
      { ledger: this.ledger, studiesFolder: this.studiesFolder, caller },
      outsideRequest(caller, 'registerStudy', request),
      body,
    );
    void reply.header('location', `/v1/studies/${placed.studyId}`);
    return placed;
  }
}
