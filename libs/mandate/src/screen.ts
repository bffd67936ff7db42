import type { Breach, HarnessPolicy } from '#libs/harness';
import { MANDATE, MAXIMUM_TEXT } from './mandate.ts';
import { searchedForms, SPACED_OUT } from './normalise.ts';
import { SIGNS_OF_VERSION_1 } from './signs-of-version-1.ts';
import { SIGNS, type Sign } from './signs.ts';

const expectedOf = (rule: Sign['rule']): string =>
  rule === 'instructions'
    ? 'no instructions, markup or addresses: an agent says what it expects of cohorts'
    : `no ${MANDATE.find(({ row }) => row === rule)?.text ?? rule}: an agent speaks of cohorts`;

/** What is wrong with the form of a text, whatever it says. */
const formBreaches = (text: string): readonly Breach[] => {
  const breaches: Breach[] = [];
  const breach = (found: string, expected: string) =>
    breaches.push({ rule: 'free-text', found, expected, file: null, line: null });
  if (text.trim() === '') breach('an empty text', 'a sentence about a cohort');
  if (text.length > MAXIMUM_TEXT)
    breach(`${text.length} characters`, `at most ${MAXIMUM_TEXT} characters`);
  if (/\p{Cc}|\p{Cf}|\p{Cs}/u.test(text))
    breach('control or invisible characters', 'one line of plain text');
  return breaches;
};

const said = (rule: Sign['rule'], found: string): Breach => ({
  rule,
  found: `"${found.trim()}"`,
  expected: expectedOf(rule),
  file: null,
  line: null,
});

/** Each rule that one of the signs shows, once, with the first that gave it away. */
const shownBy = (
  signs: readonly (readonly [Sign['rule'], () => string | undefined])[],
): readonly Breach[] => {
  const found = new Map<string, Breach>();
  for (const [rule, match] of signs) {
    if (found.has(rule)) continue;
    const words = match();
    if (words !== undefined) found.set(rule, said(rule, words));
  }
  return [...found.values()];
};

/**
 * What a text shows of the blocked rows, or of instructions, whatever its form and length: for names and labels too.
 * A screen, not a proof: the types of a claim and of an agent's commands are the wall.
 *
 * @returns every rule that it shows, with what gave it away in its searched form; empty when it shows none
 */
export const screenWords = (text: string): readonly Breach[] => {
  // A longer text is blocked already where it counts; searching all of it could take for ever.
  const cut = text.slice(0, MAXIMUM_TEXT);
  const forms = searchedForms(cut);
  return shownBy(
    SIGNS.map(({ rule, sign, asWritten }) => [
      rule,
      () =>
        (asWritten === true ? [cut.toWellFormed().normalize('NFKC')] : forms)
          .map((form) => sign.exec(form)?.[0])
          .find((match) => match !== undefined),
    ]),
  );
};

/** What spelling words letter by letter would hide from every sign. */
const spacedOut = (text: string): readonly Breach[] => {
  const match = SPACED_OUT.exec(text.slice(0, MAXIMUM_TEXT).toWellFormed().normalize('NFKC'));
  return match === null
    ? []
    : [
        {
          rule: 'free-text',
          found: `letters one by one: "${match[0]}"`,
          expected: 'words',
          file: null,
          line: null,
        },
      ];
};

const firstScreen = (text: string): readonly Breach[] => {
  const searched = text.slice(0, MAXIMUM_TEXT).toWellFormed().normalize('NFKC');
  return shownBy(SIGNS_OF_VERSION_1.map(([rule, sign]) => [rule, () => sign.exec(searched)?.[0]]));
};

/**
 * Screens a free text of the agent's (a hypothesis, a summary) against the mandate.
 *
 * @param version of the run's policy: a run of version 1 keeps the screen of then for ever
 * @returns every blocked row that it shows, with what gave it away; empty when none does
 */
export const screenText = (
  text: string,
  version: HarnessPolicy['version'] = 2,
): readonly Breach[] =>
  version === 1
    ? [...formBreaches(text), ...firstScreen(text)]
    : [...formBreaches(text), ...spacedOut(text), ...screenWords(text)];
