import type { Assault, Attack, Family } from './attack.ts';
import { SCORE } from './score.ts';

/** Every attack, by family. */
export const ASSAULTS: readonly Assault[] = [SCORE];

export interface Entry {
  readonly family: Family;
  readonly attack: Attack;
}

export const BATTERY: readonly Entry[] = ASSAULTS.flatMap(({ family, attacks }) =>
  attacks.map((attack) => ({ family, attack })),
);
