import { caseOf, type Case, type Family, type Pool } from './cases.ts';
import { honestOf, KINDS } from './honest.ts';
import { failed, firstVerifier, type Said, type SecondVerifier } from './verifiers.ts';

/** What is wrong with a verifier's answer to a case; null where it names what it should. */
const problemOf = ({ rows, alone, mayBeNone }: Case, said: Said): string | null => {
  if (said.verdict === 'REFUSED') return mayBeNone ? null : 'is said to be no bundle';
  if (said.verdict === 'PASS') return 'PASSES';
  const names = failed(said);
  if (!names.some((row) => rows.includes(row)))
    return `fails ${names.join(', ')}, expected one of ${rows.join(', ')}`;
  const others = names.filter((row) => !rows.includes(row));
  return alone && others.length > 0 ? `fails ${others.join(', ')} too` : null;
};

/** Rows that both verifiers answer, and answer differently. */
export const disagreements = (first: Said, second: Said): readonly string[] => {
  if (first.verdict !== second.verdict) return [`${first.verdict} and ${second.verdict}`];
  const rows = new Map(first.rows.map(({ row, passed }) => [row, passed]));
  return second.rows
    .filter(({ row, passed }) => rows.has(row) && rows.get(row) !== passed)
    .map(({ row, passed }) => `${row} ${passed ? 'fails and holds' : 'holds and fails'}`);
};

const bothFail = (first: Said, second: Said, row: string): boolean =>
  failed(first).includes(row) && failed(second).includes(row);

export interface Outcome {
  readonly family: Family;
  readonly problems: readonly string[];
}

const judge = async (one: Case, second: SecondVerifier): Promise<Outcome> => {
  const asked = second.verify(one.bytes, one.trust);
  const first = await firstVerifier(one.bytes, one.trust);
  const other = await asked;
  const problems = [
    ['the first verifier', problemOf(one, first)],
    ['the second verifier', problemOf(one, other)],
    // A file out of form has no one reading: there the verdict has to be the same, and the row that says so.
    ...(bothFail(first, other, 'bundle-form')
      ? []
      : disagreements(first, other)
          // What names objects in another form than an event has asks for nothing that the other verifier knows of.
          .filter((row) => !(row.startsWith('bundle-form ') && bothFail(first, other, 'objects')))
          .map((row) => ['they disagree', row])),
  ].filter(([, problem]) => problem !== null);
  const what = `case ${one.number}, ${one.family}, ${one.what}`;
  return {
    family: one.family,
    problems: problems.map(([who, problem]) => `${what}: ${who}: ${problem}`),
  };
};

/** Cases that are under way at the same time: both verifiers have something to do then. */
const AT_ONCE = 8;

const inTurn = async <T>(
  count: number,
  work: (at: number) => Promise<T>,
): Promise<readonly T[]> => {
  const results: T[] = [];
  for (let from = 0; from < count; from += AT_ONCE)
    results.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => work(from + at)),
      )),
    );
  return results;
};

/** Cases of these numbers, judged by both verifiers. */
export const tamperingBattery = (
  pool: Pool,
  second: SecondVerifier,
  from: number,
  count: number,
): Promise<readonly Outcome[]> =>
  inTurn(count, async (at) => judge(await caseOf(from + at, pool), second));

/** Honest bundles, of seeds from `from` on, that one of the verifiers blocks, or of which they say different things. */
export const falseBlocks = async (
  second: SecondVerifier,
  from: number,
  count: number,
  most: number,
): Promise<readonly string[]> => {
  const found = await inTurn(count, async (at) => {
    const { what, bytes, trust } = await honestOf(KINDS[at % KINDS.length]!, from + at, { most });
    const asked = second.verify(bytes, trust);
    const first = await firstVerifier(bytes, trust);
    const other = await asked;
    const wrong = [...failed(first), ...failed(other), ...disagreements(first, other)];
    return first.verdict === 'PASS' && other.verdict === 'PASS'
      ? []
      : [`${what}: ${wrong.join(', ')}`];
  });
  return found.flat();
};
