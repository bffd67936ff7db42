import type { LayerTrial } from '#libs/sandbox';
import type { Style } from './style.ts';
import { padEnd, wrap } from './text.ts';

/** One line of what this machine has. */
export interface DoctorRow {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  readonly expected: string;
  /** Without it nothing runs; else it is for information. */
  readonly needed: boolean;
}

const INDENT = 4;

/** Text in a column of its own, after a sign and a name. */
const hanging = (
  { width }: Style,
  sign: string,
  {
    indent,
    name,
    names,
  }: { readonly indent: number; readonly name: string; readonly names: number },
  text: string,
): readonly string[] => {
  const left = indent + 2 + names + 2;
  return wrap(text, width - left).map((line, at) =>
    at === 0
      ? `${' '.repeat(indent)}${sign} ${padEnd(name, names)}  ${line}`
      : `${' '.repeat(left)}${line}`,
  );
};

/** Rows of the machine: a name, in so many columns, and what was found. */
export const doctorLines = (
  style: Style,
  rows: readonly DoctorRow[],
  names: number,
): readonly string[] => {
  const { paint } = style;
  return rows.flatMap(({ name, ok, found, expected, needed }) => [
    ...hanging(
      style,
      ok ? paint.green('✓') : needed ? paint.red('✗') : paint.dim('·'),
      { indent: 0, name, names },
      found,
    ),
    ...(ok || !needed
      ? []
      : hanging(style, ' ', { indent: 0, name: '', names }, `expected ${expected}`).map((line) =>
          paint.dim(line),
        )),
  ]);
};

const WORDS = {
  holds: '',
  broken: 'DOES NOT HOLD: ',
  untried: 'NOT SHOWN: ',
  absent: 'not there: ',
} as const satisfies Record<LayerTrial['state'], string>;

/** The layers of the sandbox, with what was tried on each and what became of it. */
export const layerLines = (style: Style, layers: readonly LayerTrial[]): readonly string[] => {
  const { paint } = style;
  const names = Math.max(...layers.map(({ layer }) => layer.length));
  const signs = {
    holds: paint.green('✓'),
    broken: paint.red('✗'),
    untried: paint.yellow('?'),
    absent: paint.dim('–'),
  } as const;
  return layers.flatMap(({ layer, state, found }) => {
    const place = { indent: INDENT, name: layer, names };
    const lines = hanging(style, signs[state], place, `${WORDS[state]}${found}`);
    return state === 'absent' ? lines.map((line) => paint.dim(line)) : lines;
  });
};
