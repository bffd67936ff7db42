import type { TrainingFailure } from '#libs/run';
import type { SandboxOutcome } from '#libs/sandbox';

export type Classified =
  | { readonly kind: 'ran' }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'failed'; readonly failure: TrainingFailure; readonly detail: string };

/** What a program's end means for the training. What it wrote is looked at only when it ended well. */
export const classify = (outcome: SandboxOutcome): Classified => {
  switch (outcome.ended) {
    case 'timed-out':
      return { kind: 'timed-out' };
    case 'output-too-large':
      return { kind: 'failed', failure: 'too-much-output', detail: 'wrote more than allowed' };
    case 'log-too-large':
      return { kind: 'failed', failure: 'too-much-output', detail: 'printed more than allowed' };
    case 'memory-exceeded':
      return OUT_OF_MEMORY;
    case 'signalled':
      if (ranOutOfMemory(outcome.stderr)) return OUT_OF_MEMORY;
      return {
        kind: 'failed',
        failure: 'crashed',
        detail: `ended by signal ${outcome.signal ?? 'unknown'}`,
      };
    case 'aborted':
      throw new Error('an aborted training has no result');
    case 'exited':
      if (outcome.exitCode === 0) return { kind: 'ran' };
      if (ranOutOfMemory(outcome.stderr)) return OUT_OF_MEMORY;
      return {
        kind: 'failed',
        failure: 'crashed',
        detail: `exit code ${outcome.exitCode ?? 'unknown'}: ${lastWords(outcome.stderr)}`,
      };
  }
};

const OUT_OF_MEMORY: Classified = {
  kind: 'failed',
  failure: 'memory-exceeded',
  detail: 'used more memory than allowed',
};

/**
 * A program that the kernel refuses memory ends by itself and says so. One that lies about it gains nothing: it
 * has failed either way.
 */
const ranOutOfMemory = (stderr: string): boolean =>
  /heap out of memory|Failed to allocate memory|Array buffer allocation failed|^MemoryError\b|bad_alloc/m.test(
    stderr,
  );

const MAXIMUM_WORDS = 300;

/** The line of an error output that names the error, else the last that says something; one line of plain text. */
const lastWords = (stderr: string): string => {
  const lines = stderr.split('\n').map(printable);
  const error = lines.find((line) => /^\w*(?:Error|Exception)\b/.test(line));
  const words = error ?? lines.findLast((line) => line !== '') ?? 'no message';
  // A cut through a surrogate pair would leave text that the log refuses, and the run without a result.
  return words.slice(0, MAXIMUM_WORDS).toWellFormed();
};

const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '').trim();

/**
 * What an agent may know of a crash: the error's class and the place in the program's own files, nothing of the
 * message.
 */
export const crashSite = (
  stderr: string,
): {
  readonly errorClass: string | null;
  readonly errorFile: string | null;
  readonly errorLine: number | null;
} => {
  const errorClass = /^(?:Uncaught )?((?:[A-Z][A-Za-z]{0,40})?(?:Error|Exception))\b/m.exec(
    stderr,
  )?.[1];
  const place = /\/program\/([\w./-]{1,200}):(\d{1,6})/.exec(stderr);
  return {
    errorClass: errorClass ?? null,
    errorFile: place?.[1] ?? null,
    errorLine: place?.[2] === undefined ? null : Number(place[2]),
  };
};
