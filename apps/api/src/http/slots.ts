import { ProblemFound } from '../problems/problems.ts';

/**
 * A number of places, for work that would otherwise take the whole machine when many ask for it. No subject has all of
 * them, so that nobody keeps everybody else waiting.
 */
export interface Slots {
  /** Takes a place; gives the function that frees it, once. Throws the problem `busy` where there is none. */
  take(subject: string): () => void;
}

export const slotsOf = (places: number, placesEach: number): Slots => {
  const held = new Map<string, number>();
  let free = places;
  return {
    take: (subject) => {
      const own = held.get(subject) ?? 0;
      if (free === 0 || own >= placesEach)
        throw new ProblemFound(
          'busy',
          `found ${own} exports, verifications and reads of entries of this caller under way and ${free} places free, expected fewer than ${placesEach} and one free; try again a little later`,
        );
      free -= 1;
      held.set(subject, own + 1);
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        free += 1;
        const left = (held.get(subject) ?? 1) - 1;
        if (left === 0) held.delete(subject);
        else held.set(subject, left);
      };
    },
  };
};

/** Does `work` in a place of its own. */
export const inSlot = async <T>(
  slots: Slots,
  subject: string,
  work: () => Promise<T>,
): Promise<T> => {
  const leave = slots.take(subject);
  try {
    return await work();
  } finally {
    leave();
  }
};
