import type { Kysely } from 'kysely';
import type { ViewTables } from '../tables.ts';
import {
  auditRow,
  listed,
  pageOfTrail,
  type AuditFilter,
  type AuditPage,
  type AuditRow,
} from './asked.ts';
import type { AccessDetail } from './facts.ts';
import type { AccessKind } from './table.ts';

export interface AccessRow extends AuditRow, AccessDetail {
  readonly access: AccessKind;
}

export interface AccessFilter extends AuditFilter {
  readonly access?: AccessKind;
}

/** Every access to data and what was released by it, reads of the ledger by auditors too; in log order. */
export const queryAccesses = (
  db: Kysely<ViewTables>,
  filter: AccessFilter = {},
): Promise<AuditPage<AccessRow>> =>
  pageOfTrail(db, filter, listed('access', filter.access), (rows) =>
    rows.map((row) => ({
      ...auditRow(row),
      access: row.access as AccessKind,
      ...(row.detail.access as AccessDetail),
    })),
  );
