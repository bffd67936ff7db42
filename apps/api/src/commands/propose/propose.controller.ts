import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import {
  proposeFinding,
  proposeHypothesis,
  proposeMutation,
  type Ledger,
  type OutsideRequest,
  type Requested,
} from '#apps/runner';
import type { Principal } from '#libs/access';
import type { Refusal, Result } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { Caller } from '../../access/access.guard.ts';
import type { OperationId } from '../../access/permissions.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Operation } from '../../http/operation.ts';
import { RunPath } from '../../http/paths.ts';
import { ownRun } from '../../ledger/own-run.ts';
import { LEDGER } from '../../tokens.ts';
import { granted, inTrace } from '../granted.ts';
import { FindingBody, HypothesisBody, MetricBody, MutationBody, ProposalAnswer } from './dto.ts';
import { outcomeOf } from './outcome.ts';

/** What an agent outside may do: propose four things in its own run, and nothing else anywhere. */
@ApiTags('agent')
@Controller('v1/agent/runs/:runId')
export class ProposeController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Post('hypotheses')
  @HttpCode(200)
  @Operation({
    id: 'proposeHypothesis',
    kind: 'command',
    summary: 'Propose a hypothesis',
    description: 'States an idea with the effect that it expects; charged when it is recorded.',
    refusals: ['run-unknown', 'not-now', 'over'],
  })
  @ApiOkResponse({ type: ProposalAnswer })
  hypothesis(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Body() { statement, expectedEffect }: HypothesisBody,
    @Req() request: FastifyRequest,
  ): Promise<ProposalAnswer> {
    return this.propose(caller, runId, 'proposeHypothesis', request, (outside) =>
      proposeHypothesis(this.ledger, runId, outside, { statement, expectedEffect }),
    );
  }

  @Post('mutations')
  @HttpCode(200)
  @Operation({
    id: 'proposeMutation',
    kind: 'command',
    summary: 'Propose a mutation',
    description:
      'Edits mutable files to test the hypothesis that stands. The harness measures the diff, gates it and charges it; a breach halts the run.',
    refusals: ['run-unknown', 'not-now', 'over'],
  })
  @ApiOkResponse({ type: ProposalAnswer })
  mutation(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Body() { domain, summary, edits }: MutationBody,
    @Req() request: FastifyRequest,
  ): Promise<ProposalAnswer> {
    return this.propose(caller, runId, 'proposeMutation', request, (outside) =>
      proposeMutation(this.ledger, runId, outside, {
        kind: 'edit',
        domain,
        summary,
        edits: edits.map(({ path, content }) => ({ path, content })),
      }),
    );
  }

  @Post('metrics')
  @HttpCode(200)
  @Operation({
    id: 'proposeMetric',
    kind: 'command',
    summary: 'Propose a secondary metric',
    description:
      'In place of a mutation: a metric that is measured and shown from then on, and never decides a keep.',
    refusals: ['run-unknown', 'not-now', 'over'],
  })
  @ApiOkResponse({ type: ProposalAnswer })
  metric(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Body() { metric, summary }: MetricBody,
    @Req() request: FastifyRequest,
  ): Promise<ProposalAnswer> {
    return this.propose(caller, runId, 'proposeMetric', request, (outside) =>
      proposeMutation(this.ledger, runId, outside, { kind: 'metric', metric, summary }),
    );
  }

  @Post('findings')
  @HttpCode(200)
  @Operation({
    id: 'proposeFinding',
    kind: 'command',
    summary: 'Propose the line that stands as a finding',
    description:
      'Ends the loop: the harness scores the line once on the sealed rows, verifies the chain and gives the verdict.',
    refusals: ['run-unknown', 'not-now', 'over'],
  })
  @ApiOkResponse({ type: ProposalAnswer })
  finding(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Body() { reason }: FindingBody,
    @Req() request: FastifyRequest,
  ): Promise<ProposalAnswer> {
    return this.propose(caller, runId, 'proposeFinding', request, (outside) =>
      proposeFinding(this.ledger, runId, outside, reason),
    );
  }

  private async propose(
    caller: Principal,
    runId: string,
    operation: OperationId,
    request: FastifyRequest,
    send: (outside: OutsideRequest) => Promise<Result<Requested<RunEvent>, Refusal>>,
  ): Promise<ProposalAnswer> {
    await ownRun(this.ledger, caller, runId);
    const outside = outsideRequest(caller, operation, request);
    const { events } = inTrace(runId, granted(await send(outside)));
    return { runId, ...outcomeOf(events as unknown as readonly RunEvent[]) };
  }
}
