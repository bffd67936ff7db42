import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';

/** Adds a verb to the program; `done` takes the verb's exit code. */
export type Verb = (program: Command, done: (work: Promise<ExitCode>) => Promise<void>) => void;

/** Options that every verb takes. */
export const common = (command: Command): Command =>
  command
    .option(
      '--home <folder>',
      'where log, objects, views and keys lie (default: $HOLDFAST_HOME or .holdfast)',
    )
    .option('--json', 'machine-readable output, on failure too');

/** A whole number that a seed or a limit may be. */
export const integer = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('expected a whole number, 0 or more');
  return value;
};

/** A moment as RFC 3339, a day counting from its start in UTC. */
export const moment = (text: string): string => {
  const time = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('expected a time like 2026-11-23T08:00:00Z, or a day');
  return time.toISOString();
};

export const choice = (flags: string, description: string, values: readonly string[]): Option =>
  new Option(flags, description).choices(values);
