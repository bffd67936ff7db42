import { Inject } from '@nestjs/common';
import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Refusal, Result } from '#libs/kernel';
import type { Home } from '../home.ts';
import { restoreState, type Restored } from '../proving/restore.ts';
import { HOME } from '../tokens.ts';

/** State and tree of a run as they were when a restore point was taken, from the log and the repository alone. */
export class RestoreState extends Query<Result<Restored, Refusal>> {
  readonly restorePointId: string;
  readonly into: string | null;
  constructor(restorePointId: string, into: string | null) {
    super();
    this.restorePointId = restorePointId;
    this.into = into;
  }
}

@QueryHandler(RestoreState)
export class RestoreStateHandler implements IQueryHandler<RestoreState> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ restorePointId, into }: RestoreState) {
    return restoreState(this.home, restorePointId, into);
  }
}
