import type { LedgerRead } from '#libs/ledger-reads';
import { Id, ScalarRecord } from './checks.ts';
import type { DataOf } from './shared.ts';

export class LedgerReadPayload implements DataOf<LedgerRead> {
  @Id() operation!: string;
  @ScalarRecord() asked!: LedgerRead['data']['asked'];
}
