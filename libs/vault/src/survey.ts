import type { DataPolicy } from '#libs/harness';
import { ok, type Result } from '#libs/kernel';
import { classOfColumn, classOfText, openRecognisers, type PiiClass } from '#libs/pii';
import { throwWithoutRows, withDatabase } from './database.ts';
import { declaredColumns, quoted, reader, SCALAR } from './load.ts';
import type { VaultRefusal } from './refusals.ts';
import { screenColumns } from './screen.ts';
import { copyPrivately, openSource } from './source.ts';

/** Rows that a survey reads. */
const ROWS_SURVEYED = 20_000;
/** Columns that it looks at; a table with more is surveyed up to here. */
const MOST_COLUMNS = 500;

/** A column that nothing of the policy names, and that looks like what identifies people. */
export interface UndeclaredColumn {
  /** Its name; its place where the name itself identifies somebody, as in a file without a header. */
  readonly column: string;
  readonly class: PiiClass | 'unique-key';
  /** Whether its name says so, or values of the first 20,000 rows. */
  readonly by: 'name' | 'values';
}

/**
 * Looks at the columns that a policy does not name, which the vault itself never reads, so that whoever sets up a
 * study can list them as identifiers. For him alone: nothing of it belongs into a log.
 */
export const surveyUndeclared = async (
  studyFolder: string,
  data: DataPolicy,
): Promise<Result<readonly UndeclaredColumn[], VaultRefusal>> => {
  // A snapshot has the declared columns alone.
  if (data.format === 'postgres') return ok([]);
  const source = await openSource(studyFolder, data.path);
  if (!source.ok) return source;
  await using file = source.value;
  await using copy = await copyPrivately(file);
  const recognisers = await openRecognisers();
  const named = new Set(declaredColumns(data));
  return await withDatabase(copy.path, async (connection) => {
    const from = reader(copy.path, data.format);
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
    const columns = described
      .getRows()
      .slice(0, MOST_COLUMNS)
      .map(([name, type], place) => ({ name: String(name), type: String(type), place: place + 1 }))
      .filter(({ name }) => !named.has(name));
    const byName = columns.flatMap(({ name }): readonly UndeclaredColumn[] => {
      const found = classOfColumn(name);
      return found === null ? [] : [{ column: name, class: found, by: 'name' }];
    });
    const others = columns.filter(
      ({ name, type }) => SCALAR.test(type) && !byName.some(({ column }) => column === name),
    );
    if (others.length === 0) return ok(byName);
    const values = others.map(
      ({ name }, i) => `NULLIF(CAST(${quoted(name)} AS VARCHAR), '') AS c${i}`,
    );
    await connection.run(
      `CREATE TABLE source AS SELECT ${values.join(', ')} FROM ${from} LIMIT ${ROWS_SURVEYED}`,
    );
    const screens = await screenColumns(
      connection,
      recognisers,
      others.map(({ name, place }, i) => ({
        column: classOfText(recognisers, name) === null ? name : `in place ${place}`,
        use: 'dimension',
        sql: `c${i}`,
      })),
    );
    const byValues = screens.flatMap(
      ({ column, personal, freeText, uniqueKey }): readonly UndeclaredColumn[] => {
        const found =
          personal[0]?.class ?? (freeText ? 'free-text' : uniqueKey ? 'unique-key' : null);
        return found === null ? [] : [{ column, class: found, by: 'values' }];
      },
    );
    return ok([...byName, ...byValues]);
  }).catch(throwWithoutRows);
};
