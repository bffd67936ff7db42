import type { AttemptView } from '#libs/agents';
import { knownErrorClass } from '#libs/mandate';
import { TRAINING_FAILURES } from '#libs/run';
import type { Ledger } from '../ledger.ts';

type ToldError = NonNullable<AttemptView['error']>;

const FAILURES: readonly string[] = TRAINING_FAILURES;

/**
 * An error as the agent may be told it. A program writes its own error output, so whatever is told of it is one of a
 * closed set: a class that the language knows or how the training failed, a file of the very tree that was trained, a
 * line that the file has. All else would be a way from what the program has seen to the agent.
 */
export const toldError = async (
  { sourceTree }: Pick<Ledger, 'sourceTree'>,
  tree: string,
  { errorClass, file, line }: ToldError,
): Promise<ToldError> => {
  const told =
    errorClass === null || FAILURES.includes(errorClass) ? errorClass : knownErrorClass(errorClass);
  const nowhere = { errorClass: told, file: null, line: null };
  if (file === null) return nowhere;
  const files = await sourceTree.readFiles(tree);
  if (!files.ok) throw new Error(files.error.message);
  const found = files.value.find(({ path }) => path === file);
  if (found === undefined) return nowhere;
  const lines = found.content.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 1);
  return {
    errorClass: told,
    file,
    line: line !== null && line >= 1 && line <= lines ? line : null,
  };
};
