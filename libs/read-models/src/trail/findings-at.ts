import { sql, type Kysely } from 'kysely';
import { conditions, direction, instant, pageOf, rowsToRead } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import { asOf, type AuditFilter, type AuditPage } from './asked.ts';
import { historyOf, type Past } from './history.ts';

/** What a finding was at a time. rejected: by a human. discarded: by a BLOCK, for good. */
export const STANDINGS = ['proposed', 'verified', 'accepted', 'rejected', 'discarded'] as const;
export type Standing = (typeof STANDINGS)[number];

/** A finding as it stood at a time; what came later is not in it. */
export interface FindingAtRow {
  /** Of the event that proposed it. */
  readonly position: number;
  readonly findingId: string;
  readonly studyId: string;
  readonly runId: string;
  readonly kind: string;
  readonly statement: string;
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
  readonly n: number;
  readonly toTree: string;
  readonly proposedAt: string;
  readonly standing: Standing;
  /** yes: the last verdict is PASS, no human has rejected it and no BLOCK discarded it. */
  readonly inForce: 'yes' | 'no';
  readonly verdict: 'PASS' | 'BLOCK' | null;
  readonly trust: string | null;
  readonly verifiedAt: string | null;
  /** Where the verdict stands in the log. */
  readonly verdictEvent: string | null;
  readonly review: 'none' | 'accepted' | 'rejected';
  readonly reviewedBy: string | null;
  readonly reviewedAt: string | null;
  /** Since when the accepted line stood on it, unless it was taken back. */
  readonly acceptedAt: string | null;
  readonly discardedAt: string | null;
}

export interface FindingsAtFilter extends Omit<AuditFilter, 'from' | 'to'> {
  /** As things stood at this time, inclusive (RFC 3339, UTC); default: now, as far as the views have come. */
  readonly at?: string;
  readonly standing?: Standing;
}

/** Every finding there was at a time, and its verdict then. A page may hold fewer rows than were asked for. */
export const queryFindingsAt = async (
  db: Kysely<ViewTables>,
  filter: FindingsAtFilter = {},
): Promise<AuditPage<FindingAtRow>> => {
  const { at, standing, upTo, ...rest } = filter;
  const stands = await asOf(db, upTo);
  if (stands === null) return { rows: [], next: null, asOf: null };
  const until = at === undefined ? null : instant(at);
  const read = await db
    .selectFrom('findings')
    .innerJoin('runs', 'runs.runId', 'findings.runId')
    .select(COLUMNS)
    .select('runs.studyId')
    .where((eb) =>
      eb.and([
        sql<boolean>`${sql.ref('findings.position')} <= ${stands.position}`,
        ...(until === null ? [] : [sql<boolean>`${sql.ref('findings.proposedAt')} <= ${until}`]),
        ...conditions('findings', 'proposedAt', rest),
      ]),
    )
    .orderBy('findings.position', direction(rest))
    .limit(rowsToRead(rest))
    .execute();
  const { rows: page, next } = pageOf(read, rest, (row) => row);
  const histories = await historyOf(
    db,
    page.map(({ findingId }) => findingId),
    TYPES,
  );
  const rows = page.map((row): FindingAtRow => {
    const past = (histories.get(row.findingId) ?? []).filter(
      (one) => one.position <= stands.position && (until === null || one.at <= until),
    );
    return { ...row, ...past.reduce(after, PROPOSED) };
  });
  return {
    rows: standing === undefined ? rows : rows.filter((row) => row.standing === standing),
    next,
    asOf: stands,
  };
};

const COLUMNS = [
  'findings.position',
  'findings.findingId',
  'findings.runId',
  'findings.kind',
  'findings.statement',
  'findings.estimate',
  'findings.lower',
  'findings.upper',
  'findings.level',
  'findings.n',
  'findings.toTree',
  'findings.proposedAt',
] as const;

const TYPES = [
  'FindingVerified',
  'FindingDiscarded',
  'FindingReviewed',
  'FindingAccepted',
  'AcceptedLineReverted',
] as const;

type Stood = Pick<
  FindingAtRow,
  | 'standing'
  | 'inForce'
  | 'verdict'
  | 'trust'
  | 'verifiedAt'
  | 'verdictEvent'
  | 'review'
  | 'reviewedBy'
  | 'reviewedAt'
  | 'acceptedAt'
  | 'discardedAt'
>;

const PROPOSED: Stood = {
  standing: 'proposed',
  inForce: 'no',
  verdict: null,
  trust: null,
  verifiedAt: null,
  verdictEvent: null,
  review: 'none',
  reviewedBy: null,
  reviewedAt: null,
  acceptedAt: null,
  discardedAt: null,
};

const after = (stood: Stood, past: Past): Stood => {
  const next = { ...stood, ...told(past) };
  const { verdict, review, discardedAt } = next;
  const standing =
    discardedAt !== null
      ? 'discarded'
      : review !== 'none'
        ? review
        : verdict === null
          ? 'proposed'
          : 'verified';
  const stands = verdict === 'PASS' && (standing === 'verified' || standing === 'accepted');
  return { ...next, standing, inForce: stands ? 'yes' : 'no' };
};

const told = ({ type, at, place, actorId, said }: Past): Partial<Stood> => {
  switch (type) {
    case 'FindingVerified':
      return {
        verdict: said.verdict ?? null,
        trust: said.trust ?? null,
        verifiedAt: at,
        verdictEvent: place,
      };
    case 'FindingDiscarded':
      return { discardedAt: at };
    case 'FindingReviewed':
      return { review: said.decision ?? 'none', reviewedBy: actorId, reviewedAt: at };
    case 'FindingAccepted':
      return { acceptedAt: at };
    case 'AcceptedLineReverted':
      return { acceptedAt: null };
    default:
      return {};
  }
};
