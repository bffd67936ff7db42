import { isKept } from '#libs/divergence';
import { rulingOf } from './deciding/judging.ts';
import type { TrainingLaunched } from './events.ts';
import { LOOP_GRAPH } from './loop-graph.ts';
import type { RunState } from './state.ts';

/** The one effect that a run owes, as data. The runner performs it and sends the command that records it. */
export type Step =
  | { readonly kind: 'launch-baseline' }
  | { readonly kind: 'train'; readonly training: TrainingLaunched['data'] }
  | { readonly kind: 'measure'; readonly training: TrainingLaunched['data'] }
  | { readonly kind: 'ask-hypothesis' }
  | { readonly kind: 'ask-mutation' }
  | { readonly kind: 'cut-over' }
  /** `fairness`: the candidate would be kept, so its fairness is measured first. */
  | { readonly kind: 'judge'; readonly fairness: boolean }
  | { readonly kind: 'sign-head' }
  | { readonly kind: 'prove-findings' }
  | { readonly kind: 'rest' };

/** Walks the loop graph: what the run owes where it stands. `rest` when it owes nothing. */
export const nextStep = (state: RunState): Step => {
  const kind = LOOP_GRAPH.nodes[state.node].effect;
  switch (kind) {
    case 'train':
    case 'measure':
      if (state.training === null) throw new Error(`no training at node ${state.node}`);
      return { kind, training: state.training };
    case 'judge': {
      const ruling = rulingOf(state);
      return { kind, fairness: ruling !== null && isKept(ruling) };
    }
    default:
      return { kind };
  }
};
