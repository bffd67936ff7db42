import type { Assault, Attack, Family } from './attack.ts';
import { GOVERNANCE } from './governance.ts';
import { INDIVIDUALS } from './individuals.ts';
import { ORACLE } from './oracle.ts';
import { REPOSITORY } from './repository.ts';
import { RESOURCES } from './resources.ts';
import { SCORE } from './score.ts';
import { SEALED } from './sealed.ts';

/** Every attack, by family. */
export const ASSAULTS: readonly Assault[] = [
  SCORE,
  SEALED,
  REPOSITORY,
  RESOURCES,
  INDIVIDUALS,
  ORACLE,
  GOVERNANCE,
];

export interface Entry {
  readonly family: Family;
  readonly attack: Attack;
}

export const BATTERY: readonly Entry[] = ASSAULTS.flatMap(({ family, attacks }) =>
  attacks.map((attack) => ({ family, attack })),
);
