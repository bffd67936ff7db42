import type { DataPolicy, DimensionPolicy } from '#libs/harness';
import type { PiiClass } from './classes.ts';
import { classOfText } from './columns.ts';
import type { Recognisers } from './recognisers.ts';

/** A text of the policy that leaves the vault and says of whom. The text itself is not in it. */
export interface PersonalText {
  readonly section: 'dimensions' | 'protected' | 'outcome';
  /** Name of the dimension, the attribute or the outcome. */
  readonly name: string;
  /** What the text is there, e.g. `label 3`. */
  readonly what: string;
  readonly class: PiiClass;
}

const textsOf = (
  dimension: DimensionPolicy,
): readonly (readonly [what: string, text: string])[] => [
  ['name', dimension.name],
  ...dimension.labels.map((label, i) => [`label ${i + 1}`, label] as const),
  ...(dimension.kind === 'groups'
    ? dimension.values.flatMap((group, i) =>
        group.map((value, j) => [`value ${j + 1} of group ${i + 1}`, value] as const),
      )
    : []),
];

/** Labels that stand for several of a dimension's where the data are too thin for them. */
const coarserLabels = (
  { coarsen }: DataPolicy,
  { name }: DimensionPolicy,
): readonly (readonly [what: string, text: string])[] =>
  coarsen
    .filter(({ dimension }) => dimension === name)
    .map(({ into }) => ['coarser label', into] as const);

/**
 * The names, labels and values of a data policy that hold what identifies people. They stand in the log, in tables
 * and in findings, so they are read before anything is written. Columns that the policy allows are left out.
 */
export const personalTexts = (
  recognisers: Recognisers,
  data: DataPolicy,
): readonly PersonalText[] => {
  const allowed = new Set(data.pii?.allow.map(({ column }) => column));
  const { outcome } = data;
  const texts = [
    ...(['dimensions', 'protected'] as const).flatMap((section) =>
      data[section]
        .filter(({ column }) => !allowed.has(column))
        .flatMap((dimension) =>
          [...textsOf(dimension), ...coarserLabels(data, dimension)].map(([what, text]) => ({
            ...{ section, name: dimension.name, what, text },
          })),
        ),
    ),
    ...(allowed.has(outcome.column)
      ? []
      : [
          ['name', outcome.name] as const,
          ...Object.values(outcome.labels).map((text) => ['label', text] as const),
          ...('equals' in outcome.positive ? [['value', outcome.positive.equals] as const] : []),
        ].map(([what, text]) => ({ section: 'outcome' as const, name: outcome.name, what, text }))),
  ];
  return texts.flatMap(({ text, ...where }) => {
    const found = classOfText(recognisers, text);
    return found === null ? [] : [{ ...where, class: found }];
  });
};
