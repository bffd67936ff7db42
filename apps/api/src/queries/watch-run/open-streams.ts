import { ProblemFound } from '../../problems/problems.ts';

/** Streams that are open: all of them, and each subject's. */
export interface OpenStreams {
  /** Counts one more; gives the function that counts it off, once. Throws where there are too many. */
  enter(subject: string): () => void;
}

export const openStreams = (most: number, mostEach: number): OpenStreams => {
  let all = 0;
  const each = new Map<string, number>();
  return {
    enter: (subject) => {
      const own = each.get(subject) ?? 0;
      if (all >= most || own >= mostEach)
        throw new ProblemFound(
          'too-many-streams',
          `found ${own} streams of this token's holder open, expected fewer than ${mostEach}; close one`,
        );
      all += 1;
      each.set(subject, own + 1);
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        all -= 1;
        const left = (each.get(subject) ?? 1) - 1;
        if (left === 0) each.delete(subject);
        else each.set(subject, left);
      };
    },
  };
};
