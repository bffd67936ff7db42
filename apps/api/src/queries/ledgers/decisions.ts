import type { Decision } from '#libs/read-models';

const ALL: Readonly<Record<Decision, true>> = {
  pending: true,
  kept: true,
  discarded: true,
  reverted: true,
  undone: true,
  failed: true,
  'timed-out': true,
  halted: true,
  unfinished: true,
};

/** What can become of an attempt: the compiler asks for all of them. */
export const DECISIONS = Object.keys(ALL) as readonly Decision[];
