import { Writable } from 'node:stream';
import { createLogUpdate } from 'log-update';

/** A terminal's last line, redrawn in place, with lines that stay printed above it. */
export interface LiveLine {
  readonly print: (lines: readonly string[]) => void;
  readonly draw: (line: string) => void;
  readonly clear: () => void;
}

export const plainLines = (write: (text: string) => void): LiveLine => ({
  print: (lines) => {
    for (const line of lines) write(`${line}\n`);
  },
  draw: () => undefined,
  clear: () => undefined,
});

export const liveLine = (write: (text: string) => void, columns: number): LiveLine => {
  const stream = Object.assign(
    new Writable({
      decodeStrings: false,
      write: (chunk: string, _encoding, done) => {
        write(chunk);
        done();
      },
    }),
    // Rows without end: what is printed for good must not be cut to the screen's height.
    { columns, rows: Number.MAX_SAFE_INTEGER, isTTY: true },
  );
  const update = createLogUpdate(stream);
  const clear = (): void => {
    update.clear();
    update.done();
  };
  return {
    print: (lines) => {
      if (lines.length > 0) update.persist(`${lines.join('\n')}\n`);
    },
    draw: (line) => update(line),
    clear,
  };
};
