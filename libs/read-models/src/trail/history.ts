import type { Kysely } from 'kysely';
import type { ViewTables } from '../tables.ts';
import type { Detail } from './project.ts';

/** What a verdict or a review said. */
export interface Said {
  readonly verdict?: 'PASS' | 'BLOCK';
  readonly trust?: string;
  readonly decision?: 'accepted' | 'rejected';
}

export interface Past {
  readonly position: number;
  readonly place: string;
  readonly type: string;
  readonly at: string;
  readonly actorRole: string;
  readonly actorId: string;
  readonly said: Said;
}

/** What became of findings, in log order, by finding. */
export const historyOf = async (
  db: Kysely<ViewTables>,
  findings: readonly string[],
  types: readonly string[],
): Promise<ReadonlyMap<string, readonly Past[]>> => {
  const found = new Map<string, Past[]>();
  if (findings.length === 0) return found;
  const rows = await db
    .selectFrom('trail')
    .select(['findingId', 'position', 'place', 'type', 'at', 'actorRole', 'actorId', 'detail'])
    .where('findingId', 'in', [...new Set(findings)])
    .where('type', 'in', types)
    .orderBy('position')
    .execute();
  for (const { findingId, detail, ...row } of rows) {
    const said = detail === null ? {} : (((JSON.parse(detail) as Detail).said ?? {}) as Said);
    const past = found.get(findingId ?? '') ?? [];
    past.push({ ...row, said });
    found.set(findingId ?? '', past);
  }
  return found;
};
