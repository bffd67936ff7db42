import { DECISIONS } from './decisions.ts';
import { FORMATS, type Format } from '../../http/formats.ts';
import { Id, Moment, OneOf } from '../../http/members.ts';
import { OrderedPageQuery } from '../../http/paging.ts';

/** What every ledger can be filtered by; all parts that are given must match. */
export class LedgerQuery extends OrderedPageQuery {
  @Id({ about: 'Only of this study', optional: true }) study?: string;
  @Id({ about: 'Only of this run', optional: true }) run?: string;
  @Moment({ about: 'From this time on', optional: true, example: '2026-11-23T00:00:00Z' })
  from?: string;
  @Moment({ about: 'Until before this time', optional: true }) to?: string;
  @Id({ about: 'Only by this actor: an id, or a role', optional: true }) actor?: string;
  @OneOf(FORMATS, {
    about: 'json gives a page, the others a file with every row; the Accept header says the same',
    optional: true,
  })
  format?: Format;
}

export class CutoverQuery extends LedgerQuery {
  @OneOf(['hyperparameter', 'feature', 'architecture'], {
    about: 'Only of this domain, as it was measured',
    optional: true,
  })
  domain?: string;
  @OneOf(DECISIONS, { about: 'Only with this outcome', optional: true })
  decision?: (typeof DECISIONS)[number];
}

export class RestorePointsQuery extends LedgerQuery {
  @Id({ about: 'The one before this mutation', optional: true }) mutation?: string;
}

export class ChargesQuery extends LedgerQuery {
  @OneOf(['hypothesis', 'hyperparameter', 'feature', 'architecture', 'metric'], {
    about: 'Only for this',
    optional: true,
  })
  charge?: string;
}
