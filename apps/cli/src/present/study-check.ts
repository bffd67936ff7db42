import { basename } from 'node:path';
import { protectedGroups, type GateCheck } from '#libs/harness';
import { counted } from '#libs/kernel';
import { PII_CLASSES } from '#libs/pii';
import type { SourceIdentity } from '#libs/source-tree';
import { describeProblem, describeStudy, type PowerMeaning, type StudyOnDisk } from '#libs/studies';
import type { UndeclaredColumn } from '#libs/vault';
import { heading, type Style } from './style.ts';
import { clean, units, wrap } from './text.ts';

/** What `check` says of a study that can be read: its data, what its budget buys, what its charts do, what it keeps, who is named. */
export const studyLines = (
  style: Style,
  { policy, file, warnings }: StudyOnDisk,
  checks: readonly GateCheck[],
  undeclared: readonly UndeclaredColumn[],
  power: PowerMeaning | null,
  source: SourceIdentity | null,
): readonly string[] => {
  const { paint } = style;
  const { cells, mutable, purchases, charts } = describeStudy(policy);
  const failed = checks.filter(({ passed }) => !passed).length;
  const dimensions = policy.data.dimensions.map(({ name, labels }) => `${name} (${labels.length})`);
  const guarded = protectedGroups(policy.data.protected, policy.gates.postLoop.intersections).map(
    ({ attribute, groups }) => `${attribute} (${groups.length})`,
  );
  return [
    ...hanging(
      style,
      '',
      clean(`${policy.study.title} (${policy.study.id}, ${basename(file)})`),
    ).map((line) => paint.bold(line)),
    ...hanging(style, '  ', clean(policy.study.question)),
    '',
    heading(style, 'data'),
    ...hanging(
      style,
      '  ',
      `${dimensions.join(' × ')} = ${cells} cells; protected: ${guarded.join(', ') || 'none'}`,
    ),
    ...hanging(
      style,
      '  ',
      'Split here by a throw-away key; the counts of a run differ a little.',
    ).map((line) => paint.dim(line)),
    ...checks.flatMap((check) => checkLines(style, check)),
    ...undeclared.flatMap((column) => undeclaredLines(style, column)),
    '',
    heading(style, 'mutable'),
    ...mutable.flatMap(({ entry, domain, language }) =>
      hanging(style, `  ${domain.padEnd(15)}`, clean(`${entry} (${language})`)),
    ),
    '',
    heading(style, `budget of ${units(policy.budget.total)} buys at most`),
    ...purchases.map(
      ({ domain, cost, iterations }) =>
        `  ${String(iterations).padStart(4)} iterations of ${domain} at ${units(cost)} (hypothesis included)`,
    ),
    '',
    heading(style, 'divergence'),
    ...charts.flatMap(({ kind, words }) =>
      words.flatMap((text, index) =>
        hanging(style, `  ${(index === 0 ? kind : '').padEnd(6)} `, text),
      ),
    ),
    ...(power === null
      ? []
      : ['', heading(style, 'keep'), ...power.words.flatMap((text) => hanging(style, '  ', text))]),
    ...(source === null ? [] : ['', heading(style, 'source'), ...sourceLines(style, source)]),
    ...[...warnings.map(describeProblem), ...(power?.warnings ?? [])].flatMap((warning) =>
      hanging(style, 'warning ', warning).map((line) => paint.yellow(line)),
    ),
    '',
    failed === 0
      ? paint.green('sound: open a run with npx holdfast run')
      : paint.red(`${counted(failed, 'rule')} of the pre-loop gate would halt a run`),
  ];
};

/** What a run keeps of the commit can't be erased: whoever commits should know it before. */
const sourceLines = (
  style: Style,
  { commit, author, committer }: SourceIdentity,
): readonly string[] => {
  const others = committer === author ? '' : `, committed by ${committer}`;
  return [
    ...hanging(style, '  ', clean(`commit ${commit.slice(0, 12)} by ${author}${others}`)),
    ...hanging(
      style,
      '  ',
      "These names and the commit's message go into every bundle and stay: commit under a name that is no person's.",
    ).map((line) => style.paint.dim(line)),
  ];
};

/** A column that nothing reads is no breach; whoever adds a dimension tomorrow should know what it is. */
const undeclaredLines = (
  style: Style,
  { column, class: of, by }: UndeclaredColumn,
): readonly string[] => {
  const what = of === 'unique-key' ? 'a key of its rows' : PII_CLASSES[of];
  return hanging(
    style,
    '  note ',
    clean(`column ${column} holds ${what} by its ${by}: list it under data.identifiers`),
  ).map((line) => style.paint.yellow(line));
};

const checkLines = (
  style: Style,
  { rule, passed, found, expected }: GateCheck,
): readonly string[] => {
  const { paint } = style;
  const [first = '', ...more] = hanging(
    style,
    '    ',
    clean(`${rule}: ${found}${passed ? '' : ` (expected ${expected})`}`),
  );
  return [`  ${passed ? paint.green('✓') : paint.red('✗')} ${first.trimStart()}`, ...more];
};

/** `text` after `lead`, its further lines under its first. */
const hanging = ({ width }: Style, lead: string, text: string): readonly string[] =>
  wrap(text, width - lead.length).map(
    (line, index) => (index === 0 ? lead : ' '.repeat(lead.length)) + line,
  );
