import type { RunEvent } from '#libs/run';
import type { ProposalAnswer } from './dto.ts';

type Outcome = Omit<ProposalAnswer, 'runId'>;

/** What became of a proposal, from the events that it became: nothing that the agent's view would not say. */
export const outcomeOf = (events: readonly RunEvent[]): Outcome => {
  const charged = events.findLast((event) => event.type === 'BudgetCharged');
  const remaining = charged?.data.remaining ?? null;
  for (const event of events)
    switch (event.type) {
      case 'RunHalted':
        return { outcome: 'halted', because: event.data.message, remaining };
      case 'BudgetExhausted':
        return { outcome: 'exhausted', because: event.data.message, remaining };
      case 'ProposalRefused':
        return { outcome: 'refused', because: event.data.reason, remaining };
      default:
    }
  const ended = events.find((event) => event.type === 'LoopEnded');
  return ended === undefined
    ? { outcome: 'proposed', because: null, remaining }
    : { outcome: 'ended', because: ended.data.message, remaining };
};
