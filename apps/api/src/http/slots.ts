import { ProblemFound } from '../problems/problems.ts';

/** A number of places, for work that would otherwise take the whole machine when many ask for it. */
export interface Slots {
  /** Takes a place; gives the function that frees it, once. Throws the problem `busy` where there is none. */
  take(): () => void;
}

export const slotsOf = (places: number): Slots => {
  let free = places;
  return {
    take: () => {
      if (free === 0)
        throw new ProblemFound(
          'busy',
          `found ${places} exports and verifications under way, which is as many as are done at once; try again a little later`,
        );
      free -= 1;
      let held = true;
      return () => {
        if (held) free += 1;
        held = false;
      };
    },
  };
};

/** Does `work` in a place of its own. */
export const inSlot = async <T>(slots: Slots, work: () => Promise<T>): Promise<T> => {
  const leave = slots.take();
  try {
    return await work();
  } finally {
    leave();
  }
};
