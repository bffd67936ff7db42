import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { HASH_BYTES } from '#libs/merkle';
import { fromBase64, toBase64 } from './base64.ts';

/** A proof that a leaf stands in a checkpointed log, which verifies offline (C2SP tlog-proof). */
export interface TlogProof {
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note, as it was signed. */
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
/** The longest audit path of a tree that fits a double. */
const LONGEST_PROOF = 53;

export const formatTlogProof = ({ index, proof, checkpoint }: TlogProof): string =>
  [HEADER, `index ${index}`, ...proof.map(toBase64), '', checkpoint].join('\n');

export const parseTlogProof = (text: string): Result<TlogProof, Refusal<'malformed'>> => {
  const malformed = (found: string, expected: string) =>
    refused({ code: 'malformed' as const, message: `found ${found}, expected ${expected}` });
  const split = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(0, split)).split('\n');
  if (split < 0 || lines[0] !== HEADER)
    return malformed('another beginning', `${HEADER} and a checkpoint after an empty line`);
  const [, second = '', ...rest] = lines;
  const hasExtra = second.startsWith('extra ');
  const [indexLine = '', ...hashes] = hasExtra ? rest : [second, ...rest];
  const [, digits = ''] = /^index (0|[1-9][0-9]{0,15})$/.exec(indexLine) ?? [];
  if (digits === '' || !Number.isSafeInteger(Number(digits)))
    return malformed(JSON.stringify(indexLine.slice(0, 80)), '"index" and a whole number');
  if (hashes.length > LONGEST_PROOF)
    return malformed(`${hashes.length} hashes`, `${LONGEST_PROOF} at most`);
  const proof = hashes.map(fromBase64);
  const whole = proof.filter((hash) => hash?.length === HASH_BYTES) as Uint8Array[];
  if (whole.length !== proof.length)
    return malformed('a line that is no hash', 'SHA-256 hashes in base64');
  return ok({ index: Number(digits), proof: whole, checkpoint: text.slice(split + 2) });
};
