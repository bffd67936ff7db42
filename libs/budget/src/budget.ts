import type { ChargeType, Costs } from '#libs/harness';
import { ok, refused, type Result } from '#libs/kernel';
import type { BudgetCharged, BudgetEvent, BudgetExhausted } from './events.ts';

/** A mutation budget: finite, never refunded, never rewound. All in the study's units. */
export interface Budget {
  readonly total: number;
  readonly remaining: number;
  readonly costs: Costs;
}

export interface ChargeRequest {
  readonly charge: ChargeType;
  readonly description: string;
  /** The id of the hypothesis or mutation that is paid for. */
  readonly paysFor: string;
}

export const openBudget = (total: number, costs: Costs): Budget => ({
  total,
  remaining: total,
  costs,
});

/** Share of the budget that is used, 0 to 1. */
export const utilization = ({ total, remaining }: Budget): number => (total - remaining) / total;

/** The event of a charge, or, when the cost exceeds what remains, the event that ends the run. */
export const charge = (
  budget: Budget,
  { charge, description, paysFor }: ChargeRequest,
): Result<BudgetCharged, BudgetExhausted> => {
  const cost = budget.costs[charge];
  if (cost > budget.remaining) {
    const used = Math.round(utilization(budget) * 100);
    return refused({
      type: 'BudgetExhausted',
      data: {
        charge,
        asked: cost,
        remaining: budget.remaining,
        message: `SYSTEM HALT: MUTATION BUDGET EXHAUSTED (${charge} asked for ${cost}, ${budget.remaining} of ${budget.total} left, ${used} % used)`,
      },
    });
  }
  return ok({
    type: 'BudgetCharged',
    data: { charge, cost, remaining: budget.remaining - cost, description, paysFor },
  });
};

export const evolveBudget = (budget: Budget, event: BudgetEvent): Budget =>
  event.type === 'BudgetCharged' ? { ...budget, remaining: event.data.remaining } : budget;
