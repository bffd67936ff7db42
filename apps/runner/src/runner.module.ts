import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { DriveRunHandler } from './commands/drive-run.ts';
import { ForkRunHandler } from './commands/fork-run.ts';
import { HaltRunHandler } from './commands/halt-run.ts';
import { OpenRunHandler } from './commands/open-run.ts';
import { ReplayFindingHandler } from './commands/replay-finding.ts';
import { RequestDataHandler } from './commands/request-data.ts';
import { ReviewFindingHandler } from './commands/review-finding.ts';
import { StopLoopHandler } from './commands/stop-loop.ts';
import { VerifyFindingHandler } from './commands/verify-finding.ts';
import type { Home } from './home.ts';
import { ExportFindingHandler } from './queries/export-finding.ts';
import { RestoreStateHandler } from './queries/restore-state.ts';
import { AskViewHandler } from './queries/views.ts';
import { HOME } from './tokens.ts';

const HANDLERS = [
  AskViewHandler,
  DriveRunHandler,
  ExportFindingHandler,
  ForkRunHandler,
  HaltRunHandler,
  OpenRunHandler,
  ReplayFindingHandler,
  RequestDataHandler,
  RestoreStateHandler,
  ReviewFindingHandler,
  StopLoopHandler,
  VerifyFindingHandler,
];

/** Commands and queries on one home. */
@Module({})
export class RunnerModule {
  static on(home: Home): DynamicModule {
    return {
      module: RunnerModule,
      imports: [CqrsModule.forRoot()],
      providers: [{ provide: HOME, useValue: home }, ...HANDLERS],
    };
  }
}
