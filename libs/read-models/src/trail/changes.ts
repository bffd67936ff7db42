import { sql, type Kysely } from 'kysely';
import type { ViewTables } from '../tables.ts';
import {
  auditRow,
  listed,
  pageOfTrail,
  plain,
  summariesOf,
  trailRows,
  type AsOf,
  type AuditFilter,
  type AuditPage,
  type AuditRow,
  type TrailRow,
} from './asked.ts';
import { differences, type Difference } from './differences.ts';
import type { ChangeDetail } from './facts.ts';
import type { ChangeKind } from './table.ts';

/** A human who stands behind a change: by doing it, or by accepting a finding whose chain holds it. */
export interface Approval {
  readonly role: string;
  readonly id: string;
  readonly at: string;
  /** The finding that was accepted; null: his own act. */
  readonly findingId: string | null;
  /** When a later BLOCK took the acceptance back. */
  readonly takenBackAt: string | null;
}

export interface ChangeRow extends AuditRow {
  readonly change: ChangeKind;
  /** The mutation, finding, run, study or key that it is about. */
  readonly subject: string;
  /** Of a mutation: what it changes, in its own words. */
  readonly summary: string | null;
  /** Why, or by which rule. */
  readonly grounds: string | null;
  readonly fromTree: string | null;
  readonly toTree: string | null;
  /** Of a run that opens: how its pins and policy differ from those of the study's run before; null: it is the first. */
  readonly differs: readonly Difference[] | null;
  /** Empty: the harness decided by rule, and no human has approved it by then. */
  readonly approvedBy: readonly Approval[];
}

export interface ChangeFilter extends AuditFilter {
  readonly change?: ChangeKind;
}

/** Everything that changed, in log order, with who approved it. */
export const queryChanges = (
  db: Kysely<ViewTables>,
  filter: ChangeFilter = {},
): Promise<AuditPage<ChangeRow>> =>
  pageOfTrail(db, filter, listed('change', filter.change), async (rows, asOf) => {
    const accepted = await acceptances(db, rows, asOf);
    const summaries = await summariesOf(
      db,
      rows.map(({ detail }) => detail.change?.subject ?? ''),
    );
    const made: ChangeRow[] = [];
    for (const row of rows) {
      const { pinned, ...detail } = row.detail.change as ChangeDetail;
      made.push({
        ...auditRow(row),
        change: row.change as ChangeKind,
        ...detail,
        summary: summaries.get(detail.subject) ?? null,
        differs: row.change === 'run-opened' ? await differsFrom(db, row, pinned) : null,
        approvedBy: [...ownAct(row), ...(accepted.get(detail.subject) ?? [])],
      });
    }
    return made;
  });

/** What a human did himself, he approved. */
const ownAct = ({ actorRole, actorId, at }: TrailRow): readonly Approval[] =>
  actorRole === 'harness' || actorRole === 'agent'
    ? []
    : [{ role: actorRole, id: actorId, at, findingId: null, takenBackAt: null }];

const BY_ACCEPTANCE: ReadonlySet<string | null> = new Set(['cut-over', 'kept']);

/** Who accepted findings whose chain holds these mutations, by mutation. */
const acceptances = async (
  db: Kysely<ViewTables>,
  rows: readonly TrailRow[],
  { position }: AsOf,
): Promise<ReadonlyMap<string, readonly Approval[]>> => {
  const found = new Map<string, Approval[]>();
  const mutations = rows
    .filter(({ change }) => BY_ACCEPTANCE.has(change))
    .map(({ detail }) => detail.change?.subject ?? '');
  if (mutations.length === 0) return found;
  const chains = await db
    .selectFrom('trailLinks')
    .innerJoin('trail', 'trail.position', 'trailLinks.position')
    .select(['trailLinks.name', 'trail.findingId'])
    .where('trailLinks.role', '=', 'uses')
    .where('trail.type', '=', 'FindingProposed')
    .where('trail.position', '<=', position)
    .where(
      'trailLinks.name',
      'in',
      mutations.map((mutationId) => `kept:${mutationId}`),
    )
    .execute();
  const findings = [...new Set(chains.flatMap(({ findingId }) => findingId ?? []))];
  if (findings.length === 0) return found;
  const history = await db
    .selectFrom('trail')
    .select(['findingId', 'type', 'at', 'actorRole', 'actorId'])
    .where('findingId', 'in', findings)
    .where('type', 'in', ['FindingAccepted', 'AcceptedLineReverted'])
    .where('position', '<=', position)
    .orderBy('position')
    .execute();
  for (const { name, findingId } of chains) {
    const mutationId = name.slice('kept:'.length);
    const own = history.filter((one) => one.findingId === findingId);
    const approvals = own.flatMap((one, nth): Approval[] =>
      one.type !== 'FindingAccepted'
        ? []
        : [
            {
              role: one.actorRole,
              id: one.actorId,
              at: one.at,
              findingId,
              takenBackAt:
                own.slice(nth + 1).find(({ type }) => type === 'AcceptedLineReverted')?.at ?? null,
            },
          ],
    );
    found.set(mutationId, [...(found.get(mutationId) ?? []), ...approvals]);
  }
  return found;
};

/** Against the run of the same study that opened before it. */
const differsFrom = async (
  db: Kysely<ViewTables>,
  { studyId, position }: TrailRow,
  pinned: unknown,
): Promise<readonly Difference[] | null> => {
  const before = await trailRows(db)
    .where('trail.change', '=', 'run-opened')
    .where(sql<boolean>`${sql.ref('trail.studyId')} = ${studyId}`)
    .where('trail.position', '<', position)
    .orderBy('trail.position', 'desc')
    .limit(1)
    .executeTakeFirst();
  return before === undefined
    ? null
    : differences(plain(before).detail.change?.pinned, pinned).slice(0, MOST_DIFFERENCES);
};

const MOST_DIFFERENCES = 500;
