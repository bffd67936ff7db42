import { Chalk, type ChalkInstance } from 'chalk';
import type { Decision, RunStatus } from '#libs/read-models';

/** How text is shown: with or without colour, and how wide. */
export interface Style {
  readonly paint: ChalkInstance;
  /** Columns that a line may take. */
  readonly width: number;
}

/** `colour` is the caller's to decide (a terminal, NO_COLOR): nothing here looks at the environment. */
export const styleOf = ({
  colour,
  width,
}: {
  readonly colour: boolean;
  readonly width: number;
}): Style => ({
  paint: new Chalk({ level: colour ? 1 : 0 }),
  width: Math.min(160, Math.max(80, width)),
});

type Paint = (text: string) => string;

/** What became of an iteration: a sign, a word and a colour, so that nothing is told by colour alone. */
export interface Outcome {
  readonly text: string;
  readonly paint: Paint;
}

export const outcomeOf = (paint: ChalkInstance, decision: Decision): Outcome => {
  switch (decision) {
    case 'kept':
      return { text: '✓ kept', paint: paint.green };
    case 'discarded':
      return { text: '· discarded', paint: paint.dim };
    case 'reverted':
      return { text: '↺ diverged', paint: paint.magenta };
    case 'undone':
      return { text: '↺ undone', paint: paint.magenta };
    case 'failed':
      return { text: '✗ failed', paint: paint.yellow };
    case 'timed-out':
      return { text: '✗ timed out', paint: paint.yellow };
    case 'halted':
      return { text: '■ halted', paint: paint.red };
    case 'unfinished':
      return { text: '– unfinished', paint: paint.dim };
    case 'pending':
      return { text: '… on trial', paint: paint.cyan };
  }
};

export const statusPaint = (paint: ChalkInstance, status: RunStatus): Paint =>
  ({
    requested: paint.dim,
    refused: paint.red,
    open: paint.cyan,
    halted: paint.red,
    ended: paint.yellow,
    closed: paint.green,
  })[status];

export const verdictBadge = (paint: ChalkInstance, verdict: 'PASS' | 'BLOCK'): string =>
  verdict === 'PASS' ? paint.bold.green('PASS ') : paint.bold.red('BLOCK');

/** A heading of a part of the page. */
export const heading = ({ paint }: Style, text: string): string => paint.bold(text);

/** The budget spent so far, as a bar. */
export const paintBar = (
  paint: ChalkInstance,
  { filled, empty }: { readonly filled: string; readonly empty: string },
  share: number,
): string => {
  const tone = share >= 0.9 ? paint.red : share >= 0.7 ? paint.yellow : paint.green;
  return tone(filled) + paint.dim(empty);
};
