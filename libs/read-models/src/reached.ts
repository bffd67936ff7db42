import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 10;
const LONGEST_MS = 50;

/**
 * Waits for the views to reach positions of the log. However many wait, one of them at a time asks the database, every
 * 10 to 50 ms.
 */
export const waiting = (
  position: () => Promise<number | null>,
): ((wanted: number, timeoutMs: number) => Promise<boolean>) => {
  /** The question under way or just about to be asked, which all who wait share. */
  let asked: Promise<number | null> | null = null;
  const askAfter = (milliseconds: number): Promise<number | null> => {
    asked ??= sleep(milliseconds)
      .then(position)
      .finally(() => {
        asked = null;
      });
    // Those who wait may all have given up by then.
    asked.catch(() => undefined);
    return asked;
  };

  return async (wanted, timeoutMs) => {
    // No time to wait, but the question is asked all the same.
    if (timeoutMs <= 0) return ((await position()) ?? Number.NEGATIVE_INFINITY) >= wanted;
    const given = new AbortController();
    const late = sleep(timeoutMs, 'late' as const, { signal: given.signal });
    late.catch(() => undefined);
    try {
      let answer = position();
      answer.catch(() => undefined);
      for (let pause = FIRST_MS; ; pause = Math.min(pause * 1.5, LONGEST_MS)) {
        const found = await Promise.race([answer, late]);
        if (found === 'late') return false;
        if (found !== null && found >= wanted) return true;
        answer = askAfter(pause);
      }
    } finally {
      given.abort();
    }
  };
};
