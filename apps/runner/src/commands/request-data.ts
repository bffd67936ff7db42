import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { deriveId, ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { CohortAnswer, DataRequest } from '#libs/vault';
import { SEARCH_AGENT } from '../actors.ts';
import type { Home } from '../home.ts';
import type { OpenedStudy } from '../opening/open-study.ts';
import { HOME } from '../tokens.ts';

/**
 * An agent asks for data during a run. The answer comes from the base cohort table only, and is recorded; a request
 * for individual records, identifiers, protected or undeclared columns halts the run.
 */
export class RequestData extends Command<Result<CohortAnswer, Refusal>> {
  readonly runId: string;
  readonly study: OpenedStudy;
  readonly request: DataRequest;
  constructor(runId: string, study: OpenedStudy, request: DataRequest) {
    super();
    this.runId = runId;
    this.study = study;
    this.request = request;
  }
}

@CommandHandler(RequestData)
export class RequestDataHandler implements ICommandHandler<RequestData> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ runId, study, request }: RequestData) {
    return requestData(this.home, runId, study, request);
  }
}

export const requestData = async (
  home: Home,
  runId: string,
  study: OpenedStudy,
  request: DataRequest,
): Promise<Result<CohortAnswer, Refusal>> => {
  const answer = study.vault.answer(request);
  const { head } = await home.runs.load(runId);
  const sent = await home.runs.send(
    runId,
    {
      type: 'RequestData',
      id: deriveId('request-data', head?.id ?? runId),
      data: answer.ok
        ? {
            dimensions: request.dimensions,
            breaches: [],
            cells: answer.value.cohorts.length,
            people: answer.value.cohorts.reduce((sum, { people }) => sum + people, 0),
          }
        : { dimensions: request.dimensions, breaches: answer.error, cells: 0, people: 0 },
    },
    SEARCH_AGENT,
  );
  if (!sent.ok) return sent;
  return answer.ok
    ? ok(answer.value)
    : refused({
        code: 'halted',
        message: `the run was halted: ${answer.error.map(({ rule, found }) => `${rule}: ${found}`).join('; ')}`,
      });
};
