import { refused, type Refusal } from '#libs/kernel';

/**
 * Why the vault doesn't open.
 *
 * - `data-policy`: the study asks for what may not leave the vault, or contradicts itself
 * - `unsafe-path`, `missing-data`: no regular file within the study's folder
 * - `digest-differs`: not the file that was pinned
 * - `release-differs`: not the rows that the run's base table was made of
 * - `snapshot-missing`: the snapshot of a table that was pinned is gone
 * - `no-data-connection`, `insecure-connection`: no way to the study's table, or one that others can listen to
 * - `too-much-data`: more than a snapshot may hold
 * - `unreadable-data`: not the format that the policy names
 * - `missing-columns`, `uncovered-values`, `bad-row-ids`, `no-rows`: the rows don't fit the policy
 */
export type VaultRefusal = Refusal<
  | 'data-policy'
  | 'unsafe-path'
  | 'missing-data'
  | 'digest-differs'
  | 'release-differs'
  | 'snapshot-missing'
  | 'no-data-connection'
  | 'insecure-connection'
  | 'too-much-data'
  | 'unreadable-data'
  | 'missing-columns'
  | 'uncovered-values'
  | 'bad-row-ids'
  | 'no-rows'
>;

export const refuse = (code: VaultRefusal['code'], message: string) => refused({ code, message });
