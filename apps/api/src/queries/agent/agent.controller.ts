import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { viewOfRun, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { AgentView } from '#libs/agents';
import { Caller } from '../../access/access.guard.ts';
import { Operation } from '../../http/operation.ts';
import { RunPath } from '../../http/paths.ts';
import { ownRun } from '../../ledger/own-run.ts';
import { problemOf } from '../../problems/problems.ts';
import { LEDGER } from '../../tokens.ts';
import { AgentViewAnswer, ProgramFilesAnswer, StudyBriefAnswer } from './answers.ts';

/** What an agent outside may read: four things of its own run, and nothing else anywhere. */
@ApiTags('agent')
@Controller('v1/agent/runs/:runId')
export class AgentController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Get()
  @Operation({
    id: 'getAgentView',
    kind: 'read',
    summary: 'All that an agent may know of its run',
    description:
      "Brief, budget, the incumbent's mutable files, the base cohort table, the rounded score and its own attempts. No sums of a chart, no check or sealed score, no standard error.",
    refusals: ['run-unknown', 'not-now'],
  })
  @ApiOkResponse({ type: AgentViewAnswer })
  async view(@Caller() caller: Principal, @Param() { runId }: RunPath): Promise<AgentView> {
    await ownRun(this.ledger, caller, runId);
    const view = await viewOfRun(this.ledger, caller.subject, runId);
    if (!view.ok) throw problemOf(view.error);
    return view.value;
  }

  @Get('brief')
  @Operation({
    id: 'getBrief',
    kind: 'read',
    summary: 'The study brief',
    description: 'What the study asks, which files can be edited and what that costs.',
    refusals: ['run-unknown', 'not-now'],
  })
  @ApiOkResponse({ type: StudyBriefAnswer })
  async brief(@Caller() caller: Principal, @Param() path: RunPath): Promise<AgentView['brief']> {
    return (await this.view(caller, path)).brief;
  }

  @Get('cohorts')
  @Operation({
    id: 'getCohortTable',
    kind: 'read',
    summary: 'The cohort table',
    description:
      'The base cohort table of the train rows as CSV: grouped counts, nothing below the minimum cell. The same for the whole run.',
    refusals: ['run-unknown', 'not-now'],
  })
  @ApiProduces('text/csv')
  @ApiOkResponse({ content: { 'text/csv': { schema: { type: 'string' } } } })
  @Header('content-type', 'text/csv; charset=utf-8')
  async cohorts(@Caller() caller: Principal, @Param() path: RunPath): Promise<string> {
    return (await this.view(caller, path)).cohorts;
  }

  @Get('files')
  @Operation({
    id: 'getMutableFiles',
    kind: 'read',
    summary: 'The mutable files',
    description: "The incumbent's mutable files by path, with their whole text.",
    refusals: ['run-unknown', 'not-now'],
  })
  @ApiOkResponse({ type: ProgramFilesAnswer })
  async files(@Caller() caller: Principal, @Param() path: RunPath): Promise<ProgramFilesAnswer> {
    return { files: (await this.view(caller, path)).files };
  }
}
