import type { ReplayClass, ReplayRow } from '#libs/findings';
import { eventsOf } from '../../evidence.ts';
import type { Chain } from '../chain.ts';
import { count, counted, decimal, moment, percent, short } from '../numbers.ts';
import {
  code,
  gap,
  note,
  say,
  statement,
  table,
  words,
  type DraftBlock,
  type Text,
} from '../report.ts';
import { NO_REPLAY, NO_VERDICT } from './gaps.ts';

const recordedAs = ({ proposed }: Chain): DraftBlock =>
  statement(say`The finding as it was recorded: ${words(proposed.data.statement)}`, proposed);

/** Whether the chain held, in one sentence: a reader who reads no further has read this. */
const inShort = ({ verdict: verified, discarded }: Chain): DraftBlock => {
  if (verified === null) return NO_VERDICT;
  const { verdict: said, rows } = verified.data;
  const failed = rows.filter(({ passed }) => !passed);
  const when = moment(verified.metadata.time);
  if (said === 'BLOCK')
    return statement(
      say`Verdict: BLOCK. ${count(failed.length)} of ${counted(rows.length, 'condition')} failed when the chain was verified on ${when}: ${failed.map(({ row }) => row).join(', ')}. The finding must not be relied on.`,
      verified,
      discarded,
    );
  return discarded === null
    ? statement(
        say`Verdict: PASS. All ${counted(rows.length, 'condition')} of the chain held when it was verified on ${when}. PASS says how the finding was reached, not that it is true.`,
        verified,
      )
    : statement(
        say`Discarded. The chain held when it was last verified on ${when}, but it was blocked before; a finding that was blocked once stays discarded, even where the fault was mended. It must not be relied on.`,
        verified,
        discarded,
      );
};

/** The first sentences of every report: what it is and what it is not. */
export const lead = (chain: Chain, layout: string): readonly DraftBlock[] => [
  recordedAs(chain),
  inShort(chain),
  note(
    say`This document says what the event log of Holdfast holds about one finding, and nothing else. Each statement ends with links to the events that it rests on; the appendix lists them with their hashes. Whoever has the log can find each event by its name and compute its hash again.`,
  ),
  note(
    say`What is proved is provenance: how the finding was reached. It is not proved that the finding is true, useful or safe. ${layout} It makes no claim that anything complies with a law, a standard or a framework.`,
  ),
  note(
    say`Where the log holds nothing, this document says so as a numbered gap. Nothing is filled in. Words in quotation marks are quoted from the events, where a person, an agent or a program wrote them; the rest is made from the events by fixed rules.`,
  ),
];

/** What is claimed, by how much, how surely, and of how many. */
export const effect = (chain: Chain): readonly DraftBlock[] => {
  const { proposed } = chain;
  const { claim } = proposed.data;
  const { estimate, standardError, interval, relative, n, cohort, kind, look } = claim;
  const compared =
    kind === 'line'
      ? 'the program that the run started from'
      : 'the program that stood before this one change';
  const meaning =
    interval.lower > 0
      ? 'The whole interval lies above 0: within what the interval says, the predictions are better.'
      : interval.upper < 0
        ? 'The whole interval lies below 0: the predictions are worse than before.'
        : 'The interval includes 0: the change cannot be told from no change.';
  const direction = estimate < 0 ? 'rises' : 'falls';
  return [
    recordedAs(chain),
    statement(
      say`For ${counted(n, 'person', 'people')} whose rows nothing in the loop had seen (the sealed rows), the log-loss per person of predicting ${words(cohort.outcome)} ${direction} by ${decimal(Math.abs(estimate))} compared with ${compared}; that is ${percent(Math.abs(relative))} of it. The standard error is ${decimal(standardError)}.`,
      proposed,
    ),
    statement(
      say`The ${percent(interval.level, 0)} interval runs from ${decimal(interval.lower)} to ${decimal(interval.upper)}. ${meaning}`,
      proposed,
    ),
    look === null
      ? statement(
          say`The interval holds together with those of the other claims of this run only: it was made under an older rule that did not count the looks of other runs.`,
          proposed,
        )
      : statement(
          say`The interval is a joint one. It was widened so that all intervals that this study ever claims, over all its looks at the sealed rows, are expected to hold together in at least ${percent(interval.level, 0)} of such studies. This was look ${count(look.ofStudy)} of the study and look ${count(look.ofData)} at these data over all studies, after ${counted(look.runs, 'run')} and ${counted(look.spent, 'unit')} of mutation budget; ${counted(look.claims, 'claim')} ${look.claims === 1 ? 'has' : 'share'} it, and the interval reaches ${decimal(look.multiplier, 2)} standard errors to either side.`,
          proposed,
        ),
    ...(look === null
      ? [
          gap(
            'Correction for repeated looks',
            'The log holds no count of looks for this claim: its interval is not corrected for the looks of other runs and studies at the same rows.',
          ),
        ]
      : []),
    note(
      say`Log-loss measures how far predicted probabilities are from what happened (natural logarithm, per person); lower is better. The claim is about cohorts: it says nothing about any individual, causes or what should be done.`,
    ),
  ];
};

/** Whether the chain was found complete, by whose word, and what people said. */
export const verdict = (chain: Chain): readonly DraftBlock[] => {
  const { verdict: verified, discarded, asked, evidence } = chain;
  const blocks: DraftBlock[] = [inShort(chain)];
  if (verified !== null)
    blocks.push(
      statement(
        say`How far the verdict rests on the operator's word: ${words(verified.data.trust)}. It was signed with key ${code(verified.data.signature.keyId)}.`,
        verified,
      ),
      note(
        say`Self-signed: the signing keys are the operator's own. Unanchored: the verdict took no proof from outside of the operator's reach into account.`,
      ),
    );
  if (discarded !== null)
    blocks.push(
      statement(
        say`The finding was discarded on ${moment(discarded.metadata.time)}. A finding that was blocked once stays discarded, even where the fault was mended.`,
        discarded,
      ),
    );
  for (const reverted of eventsOf(evidence.finding, 'AcceptedLineReverted'))
    blocks.push(
      statement(
        say`The accepted line went back from tree ${code(short(reverted.data.fromTree))} to the last verified tree ${code(short(reverted.data.toTree))} on ${moment(reverted.metadata.time)}.`,
        reverted,
      ),
    );
  if (discarded !== null || verified?.data.verdict === 'BLOCK')
    blocks.push(
      gap(
        'A verdict that stands',
        'The log holds no proof of how this finding was reached: it is blocked. What follows is what was recorded, not what was proved.',
      ),
    );
  if (asked !== null)
    blocks.push(
      gap(
        'Answer to the latest request for verification',
        `The log holds a request of ${moment(asked.metadata.time)} to verify the finding again, and no answer to it.`,
      ),
    );
  blocks.push(
    gap(
      'Anchors outside the operator’s reach',
      'This document is made of the streams of the finding, its run, its study and its data. They hold no checkpoints, witnesses or timestamps: by themselves they do not show that the times are true, that nothing came after, or that everybody is shown the same log. A bundle of the finding says which of these hold.',
    ),
  );
  return blocks;
};

/** Every condition of the verdict, with what was found and expected. */
export const verdictRows = ({ verdict: verified }: Chain): readonly DraftBlock[] =>
  verified === null
    ? [NO_VERDICT]
    : [
        table(
          `The conditions of the verdict of ${moment(verified.metadata.time)}`,
          ['Condition', 'Held', 'Found', 'Expected'],
          verified.data.rows.map(({ row, passed, found, expected }) => ({
            cells: [say`${code(row)}`, say`${passed ? 'yes' : 'no'}`, [found], [expected]],
            basis: [verified],
          })),
        ),
      ];

/** What a person wrote: in clear, or under a key that no export has. */
type Said =
  string | { readonly kind: 'plain'; readonly text: string } | { readonly kind: 'sealed' };

const reasonOf = (said: Said): Text => {
  const text = typeof said === 'string' ? said : said.kind === 'plain' ? said.text : null;
  return text === null
    ? say`The reason is sealed under a key of its own, which this document is made without.`
    : say`The reason given: ${words(text)}`;
};

/** Who looked at the finding and what they decided. */
export const reviews = ({ reviews: all, evidence }: Chain): readonly DraftBlock[] => {
  const accepted = eventsOf(evidence.finding, 'FindingAccepted');
  return [
    ...(all.length === 0
      ? [gap('Review by a person', 'The log holds no review of this finding by a person.')]
      : all.map((review) =>
          statement(
            say`On ${moment(review.metadata.time)} the ${review.metadata.actor.role} ${code(review.metadata.actor.id)} ${review.data.decision} the finding. ${reasonOf(review.data.reason)}`,
            review,
          ),
        )),
    ...accepted.map((event) =>
      statement(
        say`The accepted line moved to tree ${code(short(event.data.tree))} on ${moment(event.metadata.time)}.`,
        event,
      ),
    ),
  ];
};

const REPLAY_CLASSES: Readonly<Record<ReplayClass, string>> = {
  'bit-exact': 'bit-exact, every prediction the same number',
  'within-tolerance': 'within tolerance, no prediction off by more than the tolerance',
  'not-reproducible': 'not reproducible, the predictions differ or there are none',
};

const REPLAY_OUTCOMES: Readonly<Record<ReplayRow['outcome'], string>> = {
  same: 'the same',
  'within-tolerance': 'within tolerance',
  differs: 'differs',
  attested: 'attested',
};

/** Whether the claimed program was trained again, and what came of it. */
export const replays = ({ replays: all }: Chain): readonly DraftBlock[] => {
  const newest = all.at(-1);
  if (newest === undefined) return [NO_REPLAY];
  const { data, metadata } = newest;
  const counts = Object.entries(REPLAY_CLASSES)
    .map(([name, text]) => [all.filter((one) => one.data.class === name).length, text] as const)
    .filter(([n]) => n > 0)
    .map(([n, text]) => `${count(n)} ${text}`);
  return [
    statement(
      say`The claimed program was trained again ${counted(all.length, 'time')} after the finding was proposed: ${counts.join('; ')}.`,
      ...all,
    ),
    statement(
      say`The latest replay was recorded on ${moment(metadata.time)} for the ${metadata.actor.role} ${code(metadata.actor.id)}: the tree ${code(short(data.tree))} was trained for ${counted(data.steps, 'step')}. It was signed with key ${code(data.signature.keyId)}.`,
      newest,
    ),
    table(
      `What the replay of ${moment(metadata.time)} compared`,
      ['What', 'Outcome', 'Found', 'Expected'],
      data.rows.map(({ row, outcome, found, expected }) => ({
        cells: [say`${row}`, say`${REPLAY_OUTCOMES[outcome]}`, [found], [expected]],
        basis: [newest],
      })),
    ),
    note(
      say`A replay trains the pinned tree with the recorded seed for the recorded number of steps, and compares the predictions. These are the operator's own, signed by the runner; whoever holds a bundle can train it again himself. Attested: not computed anew, the operator's word.`,
    ),
  ];
};
