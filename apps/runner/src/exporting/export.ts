import {
  exportFinding,
  type EnvelopeSigner,
  type ExportedFinding,
  type ExportRefusalCode,
  type FindingExport,
} from '#libs/exports';
import type { Refusal, Result } from '#libs/kernel';
import type { Ledger } from '../ledger.ts';
import { evidenceOf, type EvidenceRefusalCode } from './evidence.ts';

/**
 * A finding in a format, from the log alone. Whoever holds no key is refused what is signed.
 * Throws CorruptEvent where the log was altered.
 */
export const exportFrom = async (
  ledger: Pick<Ledger, 'log'>,
  findingId: string,
  format: FindingExport,
  signer: EnvelopeSigner | null,
  mostEvents?: number,
): Promise<Result<ExportedFinding, Refusal<ExportRefusalCode | EvidenceRefusalCode>>> => {
  const evidence = await evidenceOf(ledger, findingId, mostEvents);
  return evidence.ok ? exportFinding(findingId, evidence.value, format, signer) : evidence;
};
