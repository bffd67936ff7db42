import type { RunReverted } from './events.ts';

/** How many kept mutations a revert takes back: a candidate is undone too, but was never kept. */
export const keptUndone = ({
  mutationId,
  undone,
}: Pick<RunReverted['data'], 'mutationId' | 'undone'>): number =>
  undone.length - (mutationId === null ? 0 : 1);
