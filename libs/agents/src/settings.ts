import type { SearchKnob } from '#libs/harness';
import type { FileEdit, ProgramFiles } from './port.ts';

export type Choice = SearchKnob['values'][number];
/** A knob's value: one choice, a list of choices, or null where the file has none. */
export type Setting = Choice | readonly Choice[] | null;
/** One setting a knob, in the order of the knobs. Lists stand in declared order, so that equal means the same. */
export type Settings = readonly Setting[];

/** What one knob's setting becomes in another. */
export interface Change {
  readonly knob: number;
  readonly kind: 'add' | 'remove' | 'set';
  readonly value: Choice;
}

type Json = Record<string, unknown>;

/** A file that is missing reads as empty; one that is no JSON object is a mistake in the study, and throws. */
const parse = (path: string, files: ProgramFiles): Json => {
  const text = files[path];
  if (text === undefined) return {};
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${path} holds no JSON object; the search agent sets the keys of one`);
  }
  return value as Json;
};

const isList = (setting: Setting): setting is readonly Choice[] =>
  typeof setting === 'object' && setting !== null;

/** The entries of a list; none where it is no list. */
export const listOf = (setting: Setting | undefined): readonly Choice[] =>
  setting !== undefined && isList(setting) ? setting : [];

const isChoice = (value: unknown): value is Choice =>
  ['string', 'number', 'boolean'].includes(typeof value);

/** Declared choices in declared order, after any that the file had and the study doesn't declare. */
export const inOrder = (knob: SearchKnob, choices: readonly Choice[]): readonly Choice[] => [
  ...choices.filter((choice) => !knob.values.includes(choice)),
  ...knob.values.filter((value) => choices.includes(value)),
];

export const readSettings = (knobs: readonly SearchKnob[], files: ProgramFiles): Settings =>
  knobs.map((knob) => {
    const value = parse(knob.file, files)[knob.key];
    if (knob.choose === 'one') return isChoice(value) ? value : null;
    return inOrder(knob, Array.isArray(value) ? value.filter(isChoice) : []);
  });

/** Each changed file with its new text: two spaces, one key or list entry a line, a newline at the end. */
export const writeSettings = (
  knobs: readonly SearchKnob[],
  files: ProgramFiles,
  changes: readonly Change[],
  settings: Settings,
): readonly FileEdit[] => {
  const changed = [...new Set(changes.map(({ knob }) => knob))].sort((a, b) => a - b);
  const contents = new Map<string, Json>();
  for (const index of changed) {
    const { file, key } = knobs[index]!;
    const content = contents.get(file) ?? parse(file, files);
    contents.set(file, { ...content, [key]: settings[index] });
  }
  return [...contents].map(([path, content]) => ({
    path,
    content: `${JSON.stringify(content, null, 2)}\n`,
  }));
};

export const apply = (
  knobs: readonly SearchKnob[],
  settings: Settings,
  changes: readonly Change[],
): Settings =>
  knobs.map((knob, index) =>
    changes
      .filter((change) => change.knob === index)
      .reduce((setting, { kind, value }) => {
        if (kind === 'set') return value;
        const list = listOf(setting);
        return kind === 'add'
          ? inOrder(knob, [...list, value])
          : list.filter((choice) => choice !== value);
      }, settings[index]!),
  );

/** What leads from one to the other: `apply(knobs, before, changesBetween(before, after))` is `after`. */
export const changesBetween = (before: Settings, after: Settings): readonly Change[] =>
  after.flatMap((now, knob): readonly Change[] => {
    const then = before[knob]!;
    if (isList(now) || isList(then)) {
      const had = listOf(then);
      const has = listOf(now);
      return [
        ...had
          .filter((value) => !has.includes(value))
          .map((value) => ({ knob, kind: 'remove' as const, value })),
        ...has
          .filter((value) => !had.includes(value))
          .map((value) => ({ knob, kind: 'add' as const, value })),
      ];
    }
    return now === then || now === null ? [] : [{ knob, kind: 'set', value: now }];
  });
