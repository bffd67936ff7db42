import { domainOfFiles } from '#libs/harness';
import type { Domain, HarnessPolicy } from '#libs/harness';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';

interface Debt {
  readonly charge: 'hypothesis' | Domain | null;
  readonly paysFor: string;
  /** Where its charge has to stand: in the same append, so at a fixed distance. */
  readonly due: number;
}

/** Whatever had to be paid was paid once, at the policy's price, and the rest is what the arithmetic leaves. */
export const charges: RunCheck = {
  of: 'run',
  row: 'charges',
  expected:
    "each hypothesis, mutation and secondary metric is charged once, in its own append, at the policy's cost for what was measured; what remains recomputes from the total; a breach is not charged",
  start: ({ opened }) => {
    const faults = collectFaults();
    let debt: Debt | null = null;
    let charged: string | null = null;
    let spent = 0;
    let exhausted = false;
    let hypotheses = 0;
    let paidHypothesis: string | null = null;
    let mutations = 0;

    const budget = (): HarnessPolicy['budget'] => opened().policy.budget;
    const remaining = (): number => budget().total - spent;

    /** An edit needs a hypothesis of its own, so that none comes without its price. */
    const useHypothesis = (hypothesisId: string, what: string): void => {
      if (paidHypothesis !== hypothesisId)
        faults.add(`${what} rests on ${hypothesisId}, which was not paid or was used before`);
      paidHypothesis = null;
    };

    return {
      every: ({ index }) => {
        if (debt !== null && index > debt.due) {
          faults.add(`${debt.paysFor} (${String(debt.charge)}) was not charged`);
          debt = null;
        }
      },
      run: {
        HypothesisProposed: ({ hypothesisId, number }, { index }) => {
          hypotheses += 1;
          faults.differ(`the number of hypothesis ${hypothesisId}`, number, hypotheses);
          debt = { charge: 'hypothesis', paysFor: hypothesisId, due: index + 1 };
        },
        MutationProposed: (data, { index }) => {
          const { mutationId, hypothesisId, number, measuredDomain, files } = data;
          useHypothesis(hypothesisId, mutationId);
          mutations += 1;
          faults.differ(`the number of mutation ${mutationId}`, number, mutations);
          const domain = domainOfFiles(opened().policy, files);
          faults.differ(`the measured domain of ${mutationId}`, measuredDomain, domain);
          debt = { charge: domain, paysFor: mutationId, due: index + 2 };
        },
        SecondaryMetricProposed: ({ metricId, hypothesisId }, { index }) => {
          useHypothesis(hypothesisId, metricId);
          debt = { charge: 'metric', paysFor: metricId, due: index + 1 };
        },
        BudgetCharged: (data, { index }) => {
          const what = `the charge for ${data.paysFor}`;
          if (debt?.paysFor !== data.paysFor || debt.due !== index) {
            faults.add(`${what} (event ${String(index)}) pays for nothing in its append`);
          } else {
            faults.differ(`${what}: type`, data.charge, debt.charge);
          }
          const cost = budget().costs[data.charge];
          faults.differ(`${what}: cost`, data.cost, cost);
          if (!(cost <= remaining())) faults.add(`${what} exceeds what was left`);
          if (exhausted) faults.add(`${what} comes after the budget's end`);
          spent += cost;
          faults.differ(`${what}: remaining`, data.remaining, remaining());
          charged = data.paysFor;
          if (data.charge === 'hypothesis') paidHypothesis = data.paysFor;
          debt = null;
        },
        BudgetExhausted: (data, { index }) => {
          if (debt?.due !== index || debt.charge !== data.charge)
            faults.add(`the budget's end (event ${String(index)}) answers no demand`);
          faults.differ(
            "what was asked at the budget's end",
            data.asked,
            budget().costs[data.charge],
          );
          faults.differ("what was left at the budget's end", data.remaining, remaining());
          if (!(data.asked > remaining()))
            faults.add("the budget's end: what was asked could be paid");
          exhausted = true;
          debt = null;
        },
        RestorePointTaken: ({ mutationId, budgetRemaining }) => {
          faults.differ(
            `the budget at the restore point of ${mutationId}`,
            budgetRemaining,
            remaining(),
          );
        },
        RunHalted: ({ by, mutationId }) => {
          const breach = by === 'mid-loop' || by === 'mandate';
          if (breach && mutationId !== null && charged === mutationId)
            faults.add(`${mutationId} was charged for a breach`);
          debt = null;
        },
        LoopEnded: (data) => {
          faults.differ('what the loop says it spent', data.spent, spent);
          faults.differ('what the loop says it had', data.total, budget().total);
          if (exhausted !== (data.reason === 'exhausted'))
            faults.add(
              `the loop ended as ${data.reason}, the budget was ${exhausted ? '' : 'not '}exhausted`,
            );
        },
      },
      conclude: () => {
        if (debt !== null) faults.add(`${debt.paysFor} was not charged`);
        return faults.outcome(`${String(spent)} of ${String(budget().total)} spent`);
      },
    };
  },
};
