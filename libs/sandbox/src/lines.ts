const LONGEST_LINE = 4096;
const NEWLINE = 10;

/** Control characters, line separators and the marks that reorder text: none may reach a terminal or a page. */
const UNPRINTABLE = /\p{Cc}|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;
const TERMINAL_SEQUENCE =
  // eslint-disable-next-line no-control-regex -- such a sequence begins with a control character
  /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|.)/gu;

/** One line of hostile bytes as text that is safe to show. */
export const sanitizeLine = (bytes: Uint8Array): string =>
  new TextDecoder()
    .decode(bytes)
    .replace(TERMINAL_SEQUENCE, '')
    .replaceAll('\t', ' ')
    .replace(UNPRINTABLE, '');

/** Cuts a stream of bytes into sanitized lines of at most 4 KiB; what is longer is dropped up to the next newline. */
export const lineCutter = (
  onLine: (line: string) => void,
): { push: (chunk: Uint8Array) => void; end: () => void } => {
  const line = new Uint8Array(LONGEST_LINE);
  let length = 0;
  let begun = false;
  const flush = () => {
    onLine(sanitizeLine(line.subarray(0, length)));
    length = 0;
    begun = false;
  };
  return {
    push: (chunk) => {
      let from = 0;
      while (from < chunk.length) {
        const newline = chunk.indexOf(NEWLINE, from);
        const to = newline === -1 ? chunk.length : newline;
        const kept = chunk.subarray(from, Math.min(to, from + LONGEST_LINE - length));
        line.set(kept, length);
        length += kept.length;
        begun = true;
        if (newline !== -1) flush();
        from = to + 1;
      }
    },
    end: () => {
      if (begun) flush();
    },
  };
};
