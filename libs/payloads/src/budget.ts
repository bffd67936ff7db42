import type { BudgetCharged, BudgetExhausted } from '#libs/budget';
import type { ChargeType } from '#libs/harness';
import { Count, Id, OneOf, Text, Words } from './checks.ts';
import { CHARGES, type DataOf } from './shared.ts';

export class BudgetChargedPayload implements DataOf<BudgetCharged> {
  @OneOf(CHARGES) charge!: ChargeType;
  @Count() cost!: number;
  @Count() remaining!: number;
  @Text(4000) description!: string;
  @Id() paysFor!: string;
}

export class BudgetExhaustedPayload implements DataOf<BudgetExhausted> {
  @OneOf(CHARGES) charge!: ChargeType;
  @Count() asked!: number;
  @Count() remaining!: number;
  @Words() message!: string;
}
