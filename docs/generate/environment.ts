import { VARIABLES } from '#libs/config';
import { code, page, table } from './markdown.ts';

const PARTS = ['every command', 'service', 'API', 'worker', 'notary'] as const;

/** The reference of the environment: `docs/reference/environment.md`. */
export const environmentPage = (): string =>
  page('Environment', 'libs/config/src/variables.ts', [
    'What a service is configured by, read once when it starts and checked as a whole: every problem is named at once, values of secrets never. Variables marked ✓ can also be given as a file, named by the same variable with `_FILE` at its end.',
    ...PARTS.flatMap((part) => [
      `## ${part === 'API' ? part : part.charAt(0).toUpperCase() + part.slice(1)}`,
      table(
        ['variable', 'meaning', 'without it', 'file'],
        VARIABLES.filter((variable) => variable.of === part).map(
          ({ name, meaning, otherwise, fromFile }) => [
            code(name),
            meaning,
            otherwise,
            fromFile === true ? '✓' : '',
          ],
        ),
      ),
    ]),
  ]);
