import { GIVEN, type Given } from '../../libs/decided/src/index.ts';
import { code, page, table } from './markdown.ts';

const heldBy = ({ rows, else: words }: Given[string]): string =>
  [...(words === undefined ? [] : [words]), ...rows.map(code)].join('; ');

/** The reference of what is decided anew and what is taken as given: `docs/reference/decided.md`. */
export const decidedPage = (): string =>
  page('What is decided anew', 'libs/decided/src/', [
    'Before the notary signs events of the log, it decides them anew: from the events of a stream it rebuilds the state, from those of an append the command, runs the decider of that stream on both and compares what comes out with what stands in the log, member by member. So whoever can write to the log can still not have it sign a charge that was not due, a keep that did not beat noise, a verdict that its rows do not bear out, or half of an append. What a command takes from outside cannot be decided: it is taken as given and held elsewhere, by a row of the [verdict](verdict-rows.md) or by the word of whoever said it.',
    '## Of the envelope',
    'Compared: the stream, the revision, the link to the event before, the version of the type (never an older one than before in the same stream), the number and the order of the events of an append, who sent the command (the [table of acts](human-mandate.md) says who may), `correlationId`, and that all events of an append have one actor and one cause. The ids of what the harness and the command line do derive from what caused it, and are made anew, and so are the ids in the data: of trainings, restore points, mutations.',
    'Taken as given: `time`, which the checkpoints bound; the opaque id of the actor; and of a command that came over the API its id and cause, which derive from a key that the log does not hold. What derives from such an id is taken as it is found in the first place, and has to be the same in every other.',
    '## Of the data',
    'Whatever is not in this table is compared. Of a member that is taken as given, everything that follows from it is compared all the same: another observation needs other charts, another ruling and another budget behind it.',
    table(
      ['event', 'taken as given', 'what holds it'],
      Object.entries(GIVEN).flatMap(([type, members]) => {
        const named = Object.entries(members);
        return named.length === 0
          ? [[code(type), '', 'decided anew, all of it']]
          : named.map(([name, given]) => [code(type), code(name), heldBy(given)]);
      }),
    ),
    '## Where the events do not hold what was decided on',
    table(
      ['command', 'what is not in the log', 'what is done instead'],
      [
        [
          code('ProposeMutation'),
          'the contents of the changed files',
          "the gate's checks and breaches are read from the events and held against the policy: which rules it has, what they expect, which files are mutable, how many may change, the languages by the paths, the dearest domain. The row `mutations` of a verdict runs the gate again on the contents",
        ],
        [
          code('ProposeHypothesis') + ', ' + code('FinishLoop'),
          'what was said, where the mandate halted it',
          'the breaches are taken as given; that they halt the run, and how that is said, is decided anew',
        ],
        [
          code('RefuseProposal'),
          'which proposal did not apply, and how it was put before it was made plain text',
          'the reason as recorded is put through the same again',
        ],
        [
          code('OpenRun'),
          'the checks that were passed, where another one failed',
          'the failed ones are decided on',
        ],
        [
          code('FixTable'),
          'whether the policy lets several tables leave',
          'both are tried; the row `data-pinned` knows the policy',
        ],
        [
          code('RecordVerdict'),
          'where the accepted line stood',
          'read from whether it was reverted; a revert that was due and is not there shows in the findings of the same study only',
        ],
      ],
    ),
    'A command that decides nothing when it is repeated leaves nothing in the log, so there is nothing to decide.',
    '## Of older versions',
    "Events of older versions are read in their newest one, and a run of version 1 of the policy is decided by the rules of version 1, which the deciders still have: the text gate, the screen of then, the keep rule without seeds, the score that moved with each observation. Two rules are no longer there. How a run of version 1 was opened: its first append is decided as today, under the policy as it was written; a policy of version 1 is taken only from a `RunOpened` of version 1. And whether the agent was told of a result that brought a revert, which changed within version 1: there `ladderScore` of `MetricObserved` may be that of either rule. A `TableFixed` may have the id that was made of its run alone, as at first. That such an event is old is taken as given; the verdict says by which version's rules a run was judged.",
  ]);
