import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { ok } from '#libs/kernel';
import { Caller } from '../../access/access.guard.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Id, Whole, Words } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { StudyPath } from '../../http/paths.ts';
import { visibleStudy } from '../../ledger/visible.ts';
import { ProblemFound } from '../../problems/problems.ts';
import { LEDGER } from '../../tokens.ts';
import { granted } from '../granted.ts';
import { PlacedStudy } from '../register-study/dto.ts';
import { placedStudy, refuseProject } from '../register-study/register-study.ts';

export class PlaceStudyBody {
  @Id({ about: 'Who sees it from now on; default: as it is', optional: true }) project?: string;
  @Words(1024, {
    about: 'Where it lies below the studies folder; default: as it is',
    optional: true,
  })
  folder?: string;
  @Whole(1, 10, {
    about: 'Of its trainings, from 1 (first) to 10 (last); default: as it is',
    optional: true,
  })
  priority?: number;
}

@ApiTags('studies')
@Controller('v1/studies/:studyId/placement')
export class PlaceStudyController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Post()
  @HttpCode(200)
  @Operation({
    id: 'placeStudy',
    kind: 'command',
    summary: 'Place and rank a study',
    description:
      "Moves a study to another project or folder, or ranks its trainings among other studies'. Runs that are open go on.",
    refusals: ['study-unknown', 'project-forbidden', 'folder-needed'],
  })
  @ApiOkResponse({ type: PlacedStudy })
  async place(
    @Caller() caller: Principal,
    @Param() { studyId }: StudyPath,
    @Body() body: PlaceStudyBody,
    @Req() request: FastifyRequest,
  ): Promise<PlacedStudy> {
    await visibleStudy(this.ledger, caller, studyId);
    if (body.project !== undefined) refuseProject(caller, body.project);
    const outside = outsideRequest(caller, 'placeStudy', request);
    const { events } = granted(
      await this.ledger.studies.request(studyId, outside, async ({ state }) => {
        const folder = body.folder ?? state.folder;
        if (folder === null)
          throw new ProblemFound(
            'folder-needed',
            `found no folder for study ${studyId}, expected where it lies; say it`,
            {
              errors: [
                { pointer: '/folder', detail: 'is needed for a study that was never placed' },
              ],
            },
          );
        const { project = state.project, priority = state.priority } = body;
        return ok({
          type: 'PlaceStudy',
          id: outside.commandId,
          data: { project, folder, priority },
        });
      }),
    );
    return placedStudy(this.ledger, studyId, events);
  }
}
