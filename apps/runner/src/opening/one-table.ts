import { sha256 } from '#libs/event-log';
import type { GateCheck } from '#libs/harness';
import { deriveId, ok, type Refusal, type Result } from '#libs/kernel';
import { HARNESS } from '../actors.ts';
import type { Home } from '../home.ts';
import type { OpenedStudy } from './open-study.ts';

/** Other runs on the same data may be faster now and then; more often is no race. */
const PATIENCE = 20;

/**
 * The pre-loop gate's rule on what earlier runs of any study released of the same rows. Two tables of them by different
 * dimensions, or by another minimum, could be subtracted from each other, and no audit of one of them would see it. The
 * table is said in the stream of its data before it leaves; ask only where every other rule holds.
 */
export const oneTableCheck = async (
  { data }: Pick<Home, 'data'>,
  runId: string,
  { policy, vault, dataDigest, splitCommitment: commitment }: OpenedStudy,
): Promise<Result<readonly GateCheck[], Refusal>> => {
  const tables = policy.data.disclosure?.tables ?? 'any';
  const table = sha256(vault.release().table);
  const fixed = { dataDigest, commitment, studyId: policy.study.id, runId, table };
  for (let attempt = 1; ; attempt += 1) {
    const { head } = await data.load(dataDigest);
    // A run that ended before it opened comes back, perhaps with corrected data, perhaps with the first ones once more.
    const id = deriveId('fix-table', runId, dataDigest, table, head?.id ?? 'first');
    const sent = await data.send(
      dataDigest,
      { type: 'FixTable', id, data: { fixed, tables } },
      HARNESS,
    );
    if (sent.ok) return ok(tables === 'one' ? [rule(true, 'the only table of these rows')] : []);
    if (sent.error.code === 'other-table') return ok([rule(false, sent.error.message)]);
    if (sent.error.code !== 'lost-race' || attempt === PATIENCE) return sent;
  }
};

const rule = (passed: boolean, found: string): GateCheck => ({
  rule: 'one-table',
  passed,
  found,
  expected:
    'one base table of the same rows, since a second could be subtracted from the first; take the dimensions and rules of the first, or set data.disclosure.tables to any',
});
