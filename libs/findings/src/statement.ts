import { counted } from '#libs/kernel';
import type { Claim, Look } from './events.ts';

const number = (value: number, digits = 4): string => value.toFixed(digits);

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** What an interval says that is not above zero, so that nobody has to work it out from its signs. */
const meaning = ({ lower, upper }: Claim['interval']): string => {
  if (lower > 0) return '';
  return upper < 0 ? ', which is worse than before' : ', which cannot be told from no change';
};

/** How often was looked before, so that nobody takes the hundredth look for the first. */
const looked = ({ ofStudy, ofData, runs, spent }: Look): string => {
  const others = ofData === ofStudy ? '' : `, look ${ofData} at these data over all studies`;
  return (
    ` Look ${ofStudy} of this study at its sealed rows${others}, after ${counted(runs, 'run')} and ` +
    `${counted(spent, 'unit')}; the intervals of all looks hold together.`
  );
};

/**
 * The sentence of a claim, built from its fields alone, so that a finding can say nothing that its type does not
 * hold. Same claim, same sentence.
 */
export const statementOf = (claim: Claim): string => {
  const { cohort, estimate, interval, relative, n, changes, planted, kind, look } = claim;
  const subject =
    kind === 'line'
      ? `The ${changes.length} kept mutations together (${changes.join('; ')})`
      : changes.join('; ');
  const warning =
    planted.length === 0 ? '' : ` Uses ${planted.join(', ')}, planted in the data on purpose.`;
  return (
    `${subject}: log-loss per person of ${cohort.outcome} over ${cohort.description} falls by ` +
    `${number(estimate)} (joint ${percent(interval.level)} interval ${number(interval.lower)} to ` +
    `${number(interval.upper)}; ${percent(relative)}; n = ${n})${meaning(interval)}.${warning}` +
    (look === null ? '' : looked(look))
  );
};
