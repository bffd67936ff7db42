import type { RunOpened } from './events.ts';

/** The state that a run starts from: its pinned source, or where it was forked from. */
export const originOf = ({
  pins,
  forkedFrom,
}: Pick<RunOpened['data'], 'pins' | 'forkedFrom'>): {
  readonly commit: string;
  readonly tree: string;
} => forkedFrom ?? { commit: pins.pinCommit, tree: pins.tree };
