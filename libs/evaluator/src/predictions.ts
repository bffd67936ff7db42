import { ok, refused, type Refusal, type Result } from '#libs/kernel';

export type PredictionsRefusal = Refusal<'no-predictions' | 'invalid-predictions'>;

/** The greatest size that a line of predictions can need, generously. */
const BYTES_A_LINE = 64;
const PROBLEMS_NAMED = 5;

const CELL = /^(?:0|[1-9]\d{0,8})$/;
const PROBABILITY = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads a program's predictions, strictly: CSV with the header `cell,p`, then every cell id from 0 to
 * `cellCount - 1` exactly once, in any order, each with a probability from 0 to 1. Nothing is guessed or
 * filled in: NaN, a missing cell, a second line for a cell or a third field is a refusal, which names the first
 * problems and counts them all.
 *
 * @example parsePredictions(new TextEncoder().encode('cell,p\n0,0.25\n1,0.5\n'), 2) // ok: [0.25, 0.5]
 * @returns probabilities by cell id, as written; {@link clip} is the scores' business
 */
export const parsePredictions = (
  bytes: Uint8Array,
  cellCount: number,
): Result<Float64Array, PredictionsRefusal> => {
  if (bytes.length === 0) {
    return refused({
      code: 'no-predictions',
      message: `found no predictions; expected the header "cell,p" and ${cellCount} lines: have the program write one for every cell`,
    });
  }
  const invalid = (found: string) =>
    refused({
      code: 'invalid-predictions' as const,
      message: `found ${found}; expected the header "cell,p" and for each cell from 0 to ${cellCount - 1} one line with a probability from 0 to 1`,
    });
  const limit = BYTES_A_LINE * (cellCount + 1);
  if (bytes.length > limit) return invalid(`${bytes.length} bytes, more than ${limit}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return invalid('bytes that are not UTF-8');
  }

  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines[0] !== 'cell,p') return invalid(`the header ${quote(lines[0] ?? '')}`);

  const predictions = new Float64Array(cellCount).fill(Number.NaN);
  const problems: string[] = [];
  let count = 0;
  const problem = (found: string) => {
    count += 1;
    if (problems.length < PROBLEMS_NAMED) problems.push(found);
  };
  lines.forEach((line, index) => {
    if (index === 0) return;
    const fields = line.split(',');
    const [cellText = '', probabilityText = ''] = fields;
    const cell = CELL.test(cellText) ? Number(cellText) : -1;
    const p = PROBABILITY.test(probabilityText) ? Number(probabilityText) : Number.NaN;
    const at = `line ${index + 1}`;
    if (fields.length !== 2) problem(`${at} with ${fields.length} fields`);
    else if (cell < 0 || cell >= cellCount) problem(`${at} for no cell: ${quote(cellText)}`);
    else if (!(p >= 0 && p <= 1)) problem(`${at} with no probability: ${quote(probabilityText)}`);
    else if (!Number.isNaN(predictions[cell]!)) problem(`${at}, a second one for cell ${cell}`);
    else predictions[cell] = p;
  });
  // A refused line leaves its cell empty: only where all lines are good is an empty cell a problem of its own.
  if (count === 0) {
    predictions.forEach((p, cell) => {
      if (Number.isNaN(p)) problem(`no line for cell ${cell}`);
    });
  }
  if (count === 0) return ok(predictions);
  const more = count > problems.length ? `; and ${count - problems.length} more` : '';
  return invalid(`${count} ${count === 1 ? 'problem' : 'problems'}: ${problems.join('; ')}${more}`);
};

const quote = (text: string): string =>
  JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/**
 * Scores see predictions within these bounds. Without them one person in a cell predicted as 0 would make the
 * log-loss infinite, and a prediction next to 0 would let a score tell that person's outcome; within them nobody
 * moves a sum of losses by more than ln(0.995 / 0.005) = 5.3.
 */
export const CLIP = { lower: 0.005, upper: 0.995 } as const;

/** @throws RangeError for what is no probability: the predictions were not parsed, or don't cover the cells */
export const clip = (p: number | undefined): number => {
  if (p === undefined || !(p >= 0 && p <= 1)) throw new RangeError(`${p} is no probability`);
  return Math.min(CLIP.upper, Math.max(CLIP.lower, p));
};
