import { join } from 'node:path';
import ts from 'typescript';
import { EXIT } from '../../apps/cli/src/exit-codes.ts';
import { code, page, table } from './markdown.ts';
import { declarationsOf, docOf } from './typescript-source.ts';

/** The TSDoc of each exit code, by its name. */
const docs = (root: string): ReadonlyMap<string, string> => {
  const { constants } = declarationsOf([join(root, 'apps/cli/src/exit-codes.ts')]);
  const initializer = constants.get('EXIT')?.initializer;
  if (initializer === undefined || !ts.isAsExpression(initializer))
    throw new Error('found no EXIT');
  if (!ts.isObjectLiteralExpression(initializer.expression)) throw new Error('EXIT is no object');
  return new Map(
    initializer.expression.properties.map((property) => [
      property.name?.getText() ?? '',
      docOf(property),
    ]),
  );
};

/** The reference of the exit codes: `docs/reference/exit-codes.md`. */
export const exitCodesPage = (root: string): string => {
  const said = docs(root);
  return page('Exit codes', 'apps/cli/src/exit-codes.ts', [
    table(
      ['code', 'name', 'when'],
      Object.entries(EXIT).map(([name, value]) => [
        String(value),
        code(name),
        said.get(name) ?? '',
      ]),
    ),
    'A second Ctrl-C during `holdfast run` ends the process at once with 130; the run can be resumed.',
  ]);
};
