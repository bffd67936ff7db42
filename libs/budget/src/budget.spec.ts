import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charge, evolveBudget, openBudget, utilization, type Budget } from './index.ts';

const costs = { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 };
const request = { description: 'adds experience', paysFor: 'm1' } as const;

describe('a charge', () => {
  it('takes its cost from what remains', () => {
    const charged = charge(openBudget(100, costs), { charge: 'feature', ...request });
    expect(charged).toEqual({
      ok: true,
      value: {
        type: 'BudgetCharged',
        data: { charge: 'feature', cost: 20, remaining: 80, ...request },
      },
    });
  });

  it('may use the very last unit', () => {
    const last: Budget = { total: 100, remaining: 25, costs };
    expect(charge(last, { charge: 'architecture', ...request })).toMatchObject({
      ok: true,
      value: { data: { remaining: 0 } },
    });
  });

  it('that exceeds what remains says what was asked and left', () => {
    const poor: Budget = { total: 100, remaining: 24, costs };
    expect(charge(poor, { charge: 'architecture', ...request })).toEqual({
      ok: false,
      error: {
        type: 'BudgetExhausted',
        data: {
          charge: 'architecture',
          asked: 25,
          remaining: 24,
          message:
            'SYSTEM HALT: MUTATION BUDGET EXHAUSTED (architecture asked for 25, 24 of 100 left, 76 % used)',
        },
      },
    });
  });

  it('never makes the budget negative, and charges always add up to what is gone', () => {
    const charges = fc.array(fc.constantFrom('hypothesis', 'feature', 'architecture', 'metric'));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), charges, (total, asked) => {
        let budget = openBudget(total, costs);
        let spent = 0;
        for (const type of asked) {
          const outcome = charge(budget, { charge: type, ...request });
          const event = outcome.ok ? outcome.value : outcome.error;
          if (outcome.ok) spent += outcome.value.data.cost;
          budget = evolveBudget(budget, event);
          expect(budget.remaining).toBeGreaterThanOrEqual(0);
          expect(budget.remaining + spent).toBe(total);
        }
      }),
    );
  });

  it('shows utilization as a share', () => {
    expect(utilization({ total: 100, remaining: 24, costs })).toBeCloseTo(0.76);
  });
});
