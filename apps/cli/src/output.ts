import type { RecordedEvent, Refusal } from '#libs/kernel';
import { exitCodeOf, type ExitCode } from './exit-codes.ts';
import { styleOf, type Style } from './present/style.ts';

/** Where a verb writes, and how. */
export interface Output {
  readonly json: boolean;
  readonly style: Style;
  /** Columns. */
  readonly width: number;
  /** Whether lines can be redrawn: a terminal, and not JSON. */
  readonly live: boolean;
  readonly write: (text: string) => void;
  readonly line: (text?: string) => void;
}

/** In a pipe lines may be as long as they read well. */
const PIPE_WIDTH = 132;

export const openOutput = ({ json, colour }: { json: boolean; colour: boolean }): Output => {
  const { stdout } = process;
  const terminal = stdout.isTTY;
  const width = terminal ? stdout.columns : PIPE_WIDTH;
  const write = (text: string): void => void stdout.write(text);
  return {
    json,
    style: styleOf({ colour: colour && terminal && !json, width }),
    width,
    live: terminal && !json,
    write,
    line: (text = '') => {
      write(`${text}\n`);
    },
  };
};

/** One JSON value on one line. */
export const jsonLine = ({ line }: Output, value: unknown): void => {
  line(JSON.stringify(value));
};

/** An event as `--json` shows it: everything that is hashed, with its hash and place. */
export const eventJson = (event: RecordedEvent): Record<string, unknown> => {
  const { canonical: _, ...shown } = event;
  return shown;
};

/** Says a refusal where it belongs and gives the exit code: text to the error output, JSON to the output. */
export const refuse = (output: Output, refusal: Refusal): ExitCode => {
  const problems = 'problems' in refusal ? (refusal as { problems: unknown }).problems : undefined;
  if (output.json)
    jsonLine(output, { error: { code: refusal.code, message: refusal.message, problems } });
  else {
    process.stderr.write(`holdfast: ${refusal.message}\n`);
    for (const { path, message } of (problems ?? []) as { path: string; message: string }[])
      process.stderr.write(`  ${message.startsWith(path) ? message : `${path}: ${message}`}\n`);
  }
  return exitCodeOf(refusal);
};
