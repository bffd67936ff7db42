import type { SearchKnob } from '#libs/harness';
import type { StudyBrief } from './port.ts';
import { listOf, type Change, type Choice, type Settings } from './settings.ts';

const words = (name: Choice): string => String(name).replaceAll(/[_-]+/g, ' ');

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/** One change, short: what a diff of the file would show. */
const summarise = (knobs: readonly SearchKnob[], before: Settings, change: Change): string => {
  const { key } = knobs[change.knob]!;
  if (change.kind === 'add') return `add ${change.value} to ${key}`;
  if (change.kind === 'remove') return `remove ${change.value} from ${key}`;
  const from = before[change.knob];
  return `${key} ${from === null ? '' : `${String(from)} `}→ ${change.value}`;
};

export const summaryOf = (
  knobs: readonly SearchKnob[],
  before: Settings,
  changes: readonly Change[],
): string => changes.map((change) => summarise(knobs, before, change)).join('; ');

/** A claim about cohorts that the mutation puts to the test. It begins with what sets it apart from other claims. */
export const statementOf = (
  knobs: readonly SearchKnob[],
  before: Settings,
  changes: readonly Change[],
  brief: StudyBrief,
): string => {
  const rates = `rates of ${words(brief.outcome)}`;
  const isDimension = (change: Change): boolean =>
    brief.dimensions.some(({ name }) => name === change.value);
  const entries = (kind: Change['kind']): readonly Change[] =>
    changes.filter((change) => change.kind === kind && isDimension(change));
  const added = entries('add');
  const removed = entries('remove');
  const others = changes.filter((change) => !added.includes(change) && !removed.includes(change));

  const claims: string[] = [];
  if (added.length > 0) {
    const used = listOf(before[added[0]!.knob]).map(words);
    const beyond = used.length > 0 ? ` beyond ${list(used)}` : '';
    const names = list(added.map(({ value }) => words(value)));
    claims.push(
      added.length === 1
        ? `${names} separates the cohorts' ${rates}${beyond}`
        : `${names} together separate the cohorts' ${rates}${beyond}`,
    );
  }
  if (removed.length > 0) {
    const names = list(removed.map(({ value }) => words(value)));
    claims.push(`without ${names} the cohorts' ${rates} are described as well`);
  }
  if (others.length > 0) {
    const settings = others.map((change) => {
      const key = words(knobs[change.knob]!.key);
      if (change.kind === 'add') return `${words(change.value)} among ${key}`;
      if (change.kind === 'remove') return `${key} without ${words(change.value)}`;
      return `${key} ${words(change.value)}`;
    });
    claims.push(`${list(settings)} would describe the cohorts' ${rates} better`);
  }
  return sentence(claims.join(', and '));
};
