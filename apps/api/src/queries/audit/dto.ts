import {
  ACCESSES,
  CHANGES,
  DIRECTIONS,
  INCIDENTS,
  STANDINGS,
  TRACE_DEFAULTS,
  TRACE_LIMITS,
  type AccessKind,
  type ChangeKind,
  type Direction,
  type IncidentKind,
  type Standing,
} from '#libs/read-models';
import { FORMATS, type Format } from '../../http/formats.ts';
import { Id, Moment, OneOf, WholeInUrl, Words } from '../../http/members.ts';
import { OrderedPageQuery } from '../../http/paging.ts';
import { LedgerQuery } from '../ledgers/dto.ts';

export class ChangesQuery extends LedgerQuery {
  @OneOf(CHANGES, { about: 'Only of this kind', optional: true }) change?: ChangeKind;
}

export class AccessesQuery extends LedgerQuery {
  @OneOf(ACCESSES, { about: 'Only of this kind', optional: true }) access?: AccessKind;
}

export class IncidentsQuery extends LedgerQuery {
  @OneOf(INCIDENTS, { about: 'Only of this kind', optional: true }) incident?: IncidentKind;
}

export class ReviewsQuery extends LedgerQuery {
  @Id({ about: 'Only of this finding', optional: true, example: 'pay-1-f1' }) finding?: string;
}

export class FindingsAtQuery extends OrderedPageQuery {
  @Moment({
    about: 'As things stood at this time, inclusive; default: now',
    optional: true,
    example: '2026-11-23T00:00:00Z',
  })
  at?: string;
  @Id({ about: 'Only of this study', optional: true }) study?: string;
  @Id({ about: 'Only of this run', optional: true }) run?: string;
  @OneOf(STANDINGS, {
    about: 'Only those that stood so; a page may then hold fewer rows than its limit',
    optional: true,
  })
  standing?: Standing;
  @OneOf(FORMATS, {
    about: 'json gives a page, the others a file with every row; the Accept header says the same',
    optional: true,
  })
  format?: Format;
}

export class TraceQuery {
  @Words(300, {
    about:
      'An event: its id, its stream@revision, or the id of a study, run, hypothesis, mutation, restore point, training or finding',
    example: 'pay-1-f1',
  })
  event!: string;
  @OneOf(DIRECTIONS, {
    about: 'backward: what it rests on (default); forward: what it led to',
    optional: true,
  })
  direction?: Direction;
  @WholeInUrl(1, TRACE_LIMITS.depth, {
    about: 'Most steps away from it',
    optional: true,
    default: TRACE_DEFAULTS.depth,
  })
  depth?: number;
  @WholeInUrl(1, TRACE_LIMITS.nodes, {
    about: 'Most events',
    optional: true,
    default: TRACE_DEFAULTS.nodes,
  })
  nodes?: number;
  @OneOf(['yes', 'no'], {
    about:
      'Whether to follow each event to the one that its command came after, too; default: only where it names nothing that it rests on',
    optional: true,
  })
  causation?: 'yes' | 'no';
}
