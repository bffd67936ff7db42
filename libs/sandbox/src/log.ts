import { lineCutter } from './lines.ts';

/** What a program prints, kept up to a bound. */
export interface ProgramLog {
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
  /** No more will come: a last line without a newline is handed on. */
  readonly end: () => void;
  readonly text: () => {
    readonly stdout: string;
    readonly stderr: string;
    readonly truncated: boolean;
  };
}

/**
 * Keeps at most `bytes` of both streams together, hands on the lines of stdout (sanitized, at most 4 KiB each), and
 * says by `onFlood` each time that something had to be dropped.
 */
export const programLog = ({
  bytes,
  onLine,
  onFlood,
}: {
  readonly bytes: number;
  readonly onLine: (line: string) => void;
  readonly onFlood: () => void;
}): ProgramLog => {
  const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let logged = 0;
  let truncated = false;
  const lines = lineCutter(onLine);
  const keep = (where: Uint8Array[], chunk: Uint8Array): Uint8Array => {
    const part = chunk.subarray(0, Math.max(0, bytes - logged));
    if (part.length > 0) where.push(part);
    logged += part.length;
    if (part.length < chunk.length) {
      truncated = true;
      onFlood();
    }
    return part;
  };
  const text = (chunks: readonly Uint8Array[]) => new TextDecoder().decode(Buffer.concat(chunks));
  return {
    stdout: (chunk) => lines.push(keep(kept.stdout, chunk)),
    stderr: (chunk) => void keep(kept.stderr, chunk),
    end: () => lines.end(),
    text: () => ({ stdout: text(kept.stdout), stderr: text(kept.stderr), truncated }),
  };
};
