import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Ledger } from '#apps/runner';
import type { LocalTokens } from '#libs/access';
import { AccessGuard } from './access/access.guard.ts';
import type { Oidc } from './access/oidc.ts';
import type { Limits } from './config.ts';
import { DeadlineInterceptor } from './http/deadline.interceptor.ts';
import { EtagInterceptor } from './http/etag.interceptor.ts';
import { InputInterceptor } from './http/input.interceptor.ts';
import { ReadsInterceptor } from './http/reads.interceptor.ts';
import type { ApiLogger } from './observing/logger.ts';
import type { Metrics } from './observing/metrics.ts';
import { ProblemFilter } from './problems/problem.filter.ts';
import { HealthController } from './queries/health/health.controller.ts';
import type { Readiness } from './queries/health/readiness.ts';
import { MetricsController } from './queries/metrics/metrics.controller.ts';
import { OpenApiDocumentController } from './queries/openapi-document/openapi-document.controller.ts';
import { AdmitWorkerController } from './commands/admit-worker/admit-worker.controller.ts';
import { SettleDeadLetterController } from './commands/settle-dead-letter/settle-dead-letter.controller.ts';
import { DeadLettersController } from './queries/dead-letters/dead-letters.controller.ts';
import type { Trainings } from './queries/workers/trainings.ts';
import { WorkersController } from './queries/workers/workers.controller.ts';
import { EraseController } from './commands/erase/erase.controller.ts';
import { EndRunController } from './commands/end-run/end-run.controller.ts';
import { OpenRunController } from './commands/open-run/open-run.controller.ts';
import { PlaceStudyController } from './commands/place-study/place-study.controller.ts';
import { ProposeController } from './commands/propose/propose.controller.ts';
import { RegisterStudyController } from './commands/register-study/register-study.controller.ts';
import { RequestVerificationController } from './commands/request-verification/request-verification.controller.ts';
import { ReviewFindingController } from './commands/review-finding/review-finding.controller.ts';
import { slotsOf } from './http/slots.ts';
import { AgentController } from './queries/agent/agent.controller.ts';
import { FindingExportsController } from './queries/finding-exports/finding-exports.controller.ts';
import { AuditController } from './queries/audit/audit.controller.ts';
import { LogController } from './queries/log/log.controller.ts';
import { FindingsController } from './queries/findings/findings.controller.ts';
import { LedgerStateController } from './queries/ledger-state/ledger-state.controller.ts';
import { LedgersController } from './queries/ledgers/ledgers.controller.ts';
import { PeopleController } from './queries/people/people.controller.ts';
import { RestorePointsController } from './queries/restore-points/restore-points.controller.ts';
import { RunsController } from './queries/runs/runs.controller.ts';
import { StudiesController } from './queries/studies/studies.controller.ts';
import { openStreams } from './queries/watch-run/open-streams.ts';
import { WatchRunController } from './queries/watch-run/watch-run.controller.ts';
import * as tokens from './tokens.ts';

/** In the order of the document. */
const CONTROLLERS: Type[] = [
  StudiesController,
  RegisterStudyController,
  PlaceStudyController,
  RunsController,
  WatchRunController,
  OpenRunController,
  EndRunController,
  LedgersController,
  RestorePointsController,
  LedgerStateController,
  FindingsController,
  FindingExportsController,
  RequestVerificationController,
  ReviewFindingController,
  AuditController,
  LogController,
  AgentController,
  ProposeController,
  WorkersController,
  AdmitWorkerController,
  DeadLettersController,
  SettleDeadLetterController,
  PeopleController,
  EraseController,
  HealthController,
  MetricsController,
  OpenApiDocumentController,
];

/** What a server is made of. */
export interface Parts {
  readonly ledger: Ledger;
  readonly limits: Limits;
  readonly local: LocalTokens;
  readonly oidc: Oidc | null;
  readonly logger: ApiLogger;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly document: { readonly value: object };
  readonly stopping: AbortSignal;
  readonly studiesFolder: string | null;
  readonly publicLog: boolean;
  readonly heartbeatMs: number;
  readonly trainings: Trainings | null;
}

@Module({})
export class ApiModule {
  static of(parts: Parts): DynamicModule {
    const { limits } = parts;
    return {
      module: ApiModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: tokens.LEDGER, useValue: parts.ledger },
        { provide: tokens.LIMITS_IN_FORCE, useValue: limits },
        { provide: tokens.LOCAL_TOKENS, useValue: parts.local },
        { provide: tokens.OIDC, useValue: parts.oidc },
        { provide: tokens.LOGGER, useValue: parts.logger },
        { provide: tokens.METRICS, useValue: parts.metrics },
        { provide: tokens.READINESS, useValue: parts.readiness },
        { provide: tokens.DOCUMENT, useValue: parts.document },
        { provide: tokens.STOPPING, useValue: parts.stopping },
        { provide: tokens.STUDIES_FOLDER, useValue: parts.studiesFolder },
        { provide: tokens.PUBLIC_LOG, useValue: parts.publicLog },
        { provide: tokens.HEARTBEAT, useValue: parts.heartbeatMs },
        { provide: tokens.TRAININGS, useValue: parts.trainings },
        { provide: tokens.HEAVY_WORK, useValue: slotsOf(limits.heavyWork, limits.heavyWorkEach) },
        { provide: tokens.STREAMS, useValue: openStreams(limits.streams, limits.streamsEach) },
        { provide: APP_GUARD, useClass: AccessGuard },
        // In this order: the time limit covers all; nothing is recorded of a request that says nonsense.
        { provide: APP_INTERCEPTOR, useClass: DeadlineInterceptor },
        { provide: APP_INTERCEPTOR, useClass: InputInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ReadsInterceptor },
        { provide: APP_INTERCEPTOR, useClass: EtagInterceptor },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
