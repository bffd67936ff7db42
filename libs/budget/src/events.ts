import type { Fact } from '#libs/kernel';
import type { ChargeType } from '#libs/harness';

/** A charge, in the same append as what it pays for; never refunded. */
export type BudgetCharged = Fact<
  'BudgetCharged',
  {
    readonly charge: ChargeType;
    readonly cost: number;
    /** What is left after it. */
    readonly remaining: number;
    readonly description: string;
    /** The hypothesis or mutation that it pays for. */
    readonly paysFor: string;
  }
>;

/** A charge asked for more than was left: nothing was charged, and the loop ends. */
export type BudgetExhausted = Fact<
  'BudgetExhausted',
  {
    readonly charge: ChargeType;
    readonly asked: number;
    readonly remaining: number;
    readonly message: string;
  }
>;

export type BudgetEvent = BudgetCharged | BudgetExhausted;
