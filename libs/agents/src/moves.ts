import type { SearchKnob } from '#libs/harness';
import { apply, changesBetween, listOf, type Change, type Settings } from './settings.ts';

/** A state to try, with the way to it from the incumbent. */
export interface Move {
  readonly settings: Settings;
  readonly changes: readonly Change[];
}

/**
 * How a state differs from the one it is tried on: one list entry more, two more, one less; a number moved by a
 * step; another option; anything that combines these.
 */
export const STRATEGIES = ['add', 'pair', 'remove', 'tune', 'switch', 'recombine'] as const;
export type Strategy = (typeof STRATEGIES)[number];

const isNumeric = (knob: SearchKnob): boolean =>
  knob.values.every((value) => typeof value === 'number');

export const strategyOf = (knobs: readonly SearchKnob[], changes: readonly Change[]): Strategy => {
  const [first, second] = changes;
  if (first !== undefined && second === undefined) {
    if (first.kind !== 'set') return first.kind;
    return isNumeric(knobs[first.knob]!) ? 'tune' : 'switch';
  }
  const isPair =
    changes.length === 2 &&
    changes.every(({ kind, knob }) => kind === 'add' && knob === first?.knob);
  return isPair ? 'pair' : 'recombine';
};

/** Two states are the same tree when their settings are. */
export const treeKey = (settings: Settings): string => JSON.stringify(settings);

/** The nearest values on either side of a number; every other value of anything else. */
const neighbours = (knob: SearchKnob, current: Settings[number]): SearchKnob['values'] => {
  if (!isNumeric(knob) || typeof current !== 'number') {
    return knob.values.filter((value) => value !== current);
  }
  const values = knob.values.map(Number);
  const below = values.filter((value) => value < current);
  const above = values.filter((value) => value > current);
  return [
    ...(below.length > 0 ? [Math.max(...below)] : []),
    ...(above.length > 0 ? [Math.min(...above)] : []),
  ];
};

/** Changes of a single setting. */
const singleChanges = (knobs: readonly SearchKnob[], settings: Settings): readonly Change[] =>
  knobs.flatMap((knob, index): readonly Change[] => {
    const current = settings[index]!;
    if (knob.choose === 'one') {
      return neighbours(knob, current).map((value) => ({ knob: index, kind: 'set', value }));
    }
    const used = listOf(current);
    return knob.values.map((value) => ({
      knob: index,
      kind: used.includes(value) ? 'remove' : 'add',
      value,
    }));
  });

/** A list is never emptied: a model of nothing tells nothing. */
const isEmptied = (before: Settings, after: Settings): boolean =>
  after.some(
    (setting, knob) => Array.isArray(setting) && setting.length === 0 && before[knob] !== setting,
  );

const pairs = (changes: readonly Change[]): readonly (readonly Change[])[] =>
  changes.flatMap((first, i) =>
    changes
      .slice(i + 1)
      .filter(({ knob, kind }) => kind === 'add' && first.kind === 'add' && knob === first.knob)
      .map((second) => [first, second]),
  );

/** What a revert took back, in new company: all of it, and each part with one other change. */
const recombinations = (
  lost: readonly Change[],
  changes: readonly Change[],
): readonly (readonly Change[])[] => [
  lost,
  ...lost.flatMap((part) =>
    changes
      .filter((change) => change.knob !== part.knob || change.kind === 'add')
      .map((change) => [part, change]),
  ),
];

/**
 * The untried states near `settings`: those that one strategy reaches or, when all of them were tried, the nearest
 * that are left. Empty when no declared state is left.
 */
export const untriedMoves = (
  knobs: readonly SearchKnob[],
  settings: Settings,
  tried: ReadonlySet<string>,
  lost: readonly Change[],
): readonly Move[] => {
  const seen = new Set([treeKey(settings)]);
  const moveTo = (target: Settings): readonly Move[] => {
    const key = treeKey(target);
    if (seen.has(key) || isEmptied(settings, target)) return [];
    seen.add(key);
    return [{ settings: target, changes: changesBetween(settings, target) }];
  };
  const isUntried = (move: Move): boolean => !tried.has(treeKey(move.settings));

  const singles = singleChanges(knobs, settings);
  const near = [
    ...singles.map((change) => [change]),
    ...pairs(singles),
    ...recombinations(lost, singles),
  ].flatMap((changes) => moveTo(apply(knobs, settings, changes)));

  let reached: readonly Move[] = near;
  let untried = near.filter(isUntried);
  while (untried.length === 0 && reached.length > 0) {
    reached = reached.flatMap((move) =>
      singleChanges(knobs, move.settings).flatMap((change) =>
        moveTo(apply(knobs, move.settings, [change])),
      ),
    );
    untried = reached.filter(isUntried);
  }
  return untried;
};
