import {
  FAMILIES,
  type Attack,
  type Family,
  type ProgramAttack,
} from '../../test/attacks/attack.ts';
import { ASSAULTS, BATTERY } from '../../test/attacks/battery.ts';
import { HONEST, REFUSED_PER_HUNDRED } from '../../test/attacks/honest.ts';
import { code, page, table } from './markdown.ts';

const AT_GATE = {
  halts: 'halts the run',
  refuses: 'refused by the edge',
  passes: 'passes',
  'may halt': 'passes, or trips a static check',
} as const satisfies Record<ProgramAttack['atGate'], string>;

const ENDS = {
  'as-honest': "trains; predictions and score are the honest program's, to the byte",
  'as-predicted': 'trains; the score is what its predictions deserve, counted anew',
  'timed-out': 'ended by the wall clock',
  'does-not-materialise': 'its tree is not written to any disk',
  crashed: 'crashes; no observation',
  'no-predictions': 'no predictions; no observation',
  'invalid-predictions': 'its predictions are refused; no observation',
  'too-much-output': 'ended for its output',
  'memory-exceeded': 'ended for its memory',
  'worker-lost': 'no result',
  discarded: 'no result',
} as const satisfies Record<ProgramAttack['ends'][number], string>;

const BARE = {
  takes: 'takes what it is after',
  connects: 'reaches a listener',
  outlives: 'lives on',
  writes: 'changes a host file',
} as const;

const row = (attack: Attack): readonly string[] => {
  const start = [code(attack.id), attack.tries, attack.stoppedBy];
  switch (attack.kind) {
    case 'program':
      return [
        ...start,
        AT_GATE[attack.atGate],
        attack.ends.length === 0
          ? 'the same: there is no tree to train'
          : attack.ends.map((end) => ENDS[end]).join('; or '),
        typeof attack.bare === 'string' ? BARE[attack.bare] : `not shown: ${attack.bare.none}`,
      ];
    case 'tree':
      return [
        ...start,
        'halts the run, or the tree is refused',
        attack.ends.map((end) => ENDS[end]).join('; or '),
        'not shown: no edit can make such a tree',
      ];
    case 'scenario':
      return [
        ...start,
        attack.evidence,
        attack.withoutStaticChecks ? 'the same' : 'not without them',
        'in the same test',
      ];
  }
};

const HEADER = [
  'attack',
  'tries',
  'stopped by',
  'with the gate',
  'without it',
  'with nothing at all',
];

/** Whether nothing comes of an attack even where the static checks are left out: every program and tree is run so. */
const holdsWithoutStaticChecks = (attack: Attack): boolean => {
  switch (attack.kind) {
    case 'scenario':
      return attack.withoutStaticChecks;
    case 'program':
      return attack.stoppedBy !== 'mid-loop gate' || !attack.ends.includes('as-predicted');
    case 'tree':
      return true;
  }
};

/** The reference of the attack battery: `docs/reference/attack-battery.md`. */
export const attackBatteryPage = (): string => {
  const attacks = BATTERY.map(({ attack }) => attack);
  const without = attacks.filter(holdsWithoutStaticChecks).length;
  const bare = attacks.filter(
    (attack) => attack.kind === 'program' && typeof attack.bare === 'string',
  ).length;
  const honest = Object.values(HONEST).flat().length;
  return page('The attack battery', 'test/attacks/', [
    `${attacks.length} attacks, each with what it tries and which layer must stop it; \`npx vitest run test/attacks\` makes them all and prints what happened. Nothing comes of ${without} of them with the static checks switched off either.`,
    `A patch on the honest program is proposed through the real edge to the real decider (with the gate). Then the same tree is trained by the real worker in the real sandbox and scored by the real evaluator, whatever the gate said (without it): no canary may be in anything that comes out, no listener may be called, no process may live on, no host file may change, and the score must be what the predictions deserve. ${bare} patches are run once more with nothing to hold them, on harmless stand-ins: there they succeed, so that what holds them is not their own weakness.`,
    `${honest} honest mutations of the examples' programs and of the attacks' own pass the gate; at most ${REFUSED_PER_HUNDRED} in 100 may be refused, and a sample of them is trained.`,
    'A run says what is not stopped yet; nothing here is more than what was tried. What is not defended stands in the [threat model](../threat-model.md).',
    ...ASSAULTS.flatMap(({ family, attacks: own }) => [
      `## ${FAMILIES[family satisfies Family]}`,
      table(HEADER, own.map(row)),
    ]),
  ]);
};
