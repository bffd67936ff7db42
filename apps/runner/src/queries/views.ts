import { Inject } from '@nestjs/common';
import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { ReadModels } from '#libs/read-models';
import type { Home } from '../home.ts';
import { HOME } from '../tokens.ts';

/** The views that can be asked. */
export type ViewName =
  | 'studies'
  | 'runs'
  | 'cutoverAudit'
  | 'restoreSource'
  | 'charges'
  | 'findings'
  | 'changes'
  | 'accesses'
  | 'incidents'
  | 'findingsAt'
  | 'reviews'
  | 'trace';

type FilterOf<View extends ViewName> = NonNullable<Parameters<ReadModels[View]>[0]>;
type PageOf<View extends ViewName> = Awaited<ReturnType<ReadModels[View]>>;

/** Rows of one view, as of the log's end. */
export class AskView<View extends ViewName> extends Query<PageOf<View>> {
  readonly view: View;
  readonly filter: FilterOf<View>;
  constructor(view: View, filter: FilterOf<View>) {
    super();
    this.view = view;
    this.filter = filter;
  }
}

@QueryHandler(AskView)
export class AskViewHandler implements IQueryHandler<AskView<ViewName>> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  async execute<View extends ViewName>({ view, filter }: AskView<View>): Promise<PageOf<View>> {
    const { views, log } = this.home;
    await views.catchUp(log);
    const ask = views[view] as (filter: FilterOf<View>) => Promise<PageOf<View>>;
    return ask(filter);
  }
}
