import { midLoopGate } from '#libs/harness';
import { plainText, screenText, screenWords } from '#libs/mandate';
import type {
  ProposeHypothesis,
  ProposeMutation,
  ProposeSecondaryMetric,
  RequestData,
} from '../commands.ts';
import type { RunEvent, RunOpened } from '../events.ts';
import { incumbent, standingHypothesis, type RunState } from '../state.ts';
import {
  commandIds,
  events,
  halted,
  listed,
  loopEnded,
  pay,
  refuse,
  type Decision,
} from './outcome.ts';

/** What is made of an agent's texts and files: all that a decision rests on and the events do not hold. */
export interface Screens {
  readonly text: typeof screenText;
  readonly words: typeof screenWords;
  readonly midLoop: typeof midLoopGate;
}

export const SCREENS: Screens = { text: screenText, words: screenWords, midLoop: midLoopGate };

export const proposeHypothesis = (
  state: RunState,
  { policy }: RunOpened['data'],
  { id, data: { statement, expectedEffect } }: ProposeHypothesis,
  screens: Screens,
): Decision => {
  const breaches = screens.text(statement, policy.version);
  if (breaches.length > 0)
    return events(halted('mandate', `HUMAN MANDATE: ${listed(breaches)}`, breaches));
  if (!Number.isFinite(expectedEffect))
    return refuse(
      'not-finite',
      `the expected effect is ${expectedEffect}, expected a finite number`,
    );
  const hypothesisId = commandIds.hypothesis(id);
  return pay(
    state,
    [
      {
        type: 'HypothesisProposed',
        data: { hypothesisId, number: state.hypotheses + 1, statement, expectedEffect },
      },
    ],
    { charge: 'hypothesis', description: statement, paysFor: hypothesisId },
  );
};

export const proposeMutation = (
  state: RunState,
  opened: RunOpened['data'],
  { id, data }: ProposeMutation,
  screens: Screens,
): Decision => {
  const { summary, declaredDomain, baseTree, commit, tree, changes } = data;
  const base = incumbent(state);
  if (baseTree !== base.tree)
    return refuse(
      'not-now',
      `ProposeMutation: found an edit of tree ${baseTree}, expected one of the incumbent's, ${base.tree}; reload the run and ask nextStep`,
    );
  if (changes.length === 0)
    return refuseProposal(state, opened, 'the edit changes no file', screens);
  const mutationId = commandIds.mutation(id);
  const gate = screens.midLoop(opened.policy, changes);
  const proposed: RunEvent = {
    type: 'MutationProposed',
    data: {
      mutationId,
      hypothesisId: standingHypothesis(state).hypothesisId,
      number: state.mutations + 1,
      // A breach of the mandate is recorded, lone surrogates and all: the log takes well-formed text only.
      summary: summary.toWellFormed(),
      baseCommit: base.commit,
      baseTree: base.tree,
      proposedCommit: commit,
      proposedTree: tree,
      declaredDomain,
      measuredDomain: gate.domain,
      files: changes.map(({ path, kind, before, after }, i) => ({
        path,
        kind,
        before,
        after,
        language: gate.files?.[i]?.language ?? null,
        domain: gate.files?.[i]?.domain ?? null,
      })),
    },
  };
  const spoken = screens.text(summary, opened.policy.version);
  if (spoken.length > 0)
    return events(
      proposed,
      halted('mandate', `HUMAN MANDATE: ${listed(spoken)}`, spoken, mutationId),
    );
  // Nothing could run it, so there is nothing to try: no breach, unless something else in the edit is one.
  if (gate.breaches.length === 0 && gate.unreadable.length > 0)
    return refuseProposal(
      state,
      opened,
      `the edit does not apply: ${gate.unreadable.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('; ')}`,
      screens,
    );
  if (gate.breaches.length > 0)
    return events(
      proposed,
      halted('mid-loop', `MID-LOOP GATE: ${listed(gate.breaches)}`, gate.breaches, mutationId),
    );
  // A halt has to name its breach. What no domain can be charged for is not tried, and stops nothing.
  if (gate.domain === null)
    return refuseProposal(state, opened, 'the edit changes nothing that a domain owns', screens);
  const passed: RunEvent = {
    type: 'GatePassed',
    data: {
      gate: 'mid-loop',
      policyDigest: opened.pins.policyDigest,
      mutationId,
      checks: gate.checks,
    },
  };
  return pay(state, [proposed, passed], {
    charge: gate.domain,
    description: summary,
    paysFor: mutationId,
  });
};

export const refuseProposal = (
  state: RunState,
  opened: RunOpened['data'],
  reason: string,
  screens: Screens,
): Decision => {
  const inARow = state.refusalsInARow + 1;
  const told = toldReason(reason, opened, screens);
  const proposal: RunEvent = {
    type: 'ProposalRefused',
    data: {
      hypothesisId: standingHypothesis(state).hypothesisId,
      reason: told,
      inARow,
    },
  };
  return inARow < opened.policy.gates.midLoop.maximumRefusals
    ? events(proposal)
    : events(
        proposal,
        loopEnded(
          state,
          'refusals',
          `${inARow} proposals in a row did not apply; the last: ${told}`,
        ),
      );
};

/** What is recorded of a reason that the mandate blocks, before the rules that it showed. */
export const NOT_SHOWN = 'the edit does not apply, and what it says is not shown: ';

/**
 * Why an edit did not apply, as it is recorded. It can quote the edit: what the log would refuse must not stop the run,
 * and what the mandate blocks must not reach people by a path or a name that was made to be quoted. The screen reads no
 * more than the most that free text may have, so no more is recorded; a path may be longer.
 */
const toldReason = (reason: string, { policy }: RunOpened['data'], { words }: Screens): string => {
  if (policy.version === 1) return reason.toWellFormed();
  const said = plainText(reason);
  // As it came too: what invisible characters split is two words in plain text.
  const shown = new Set([...words(reason), ...words(said)].map(({ rule }) => rule));
  return shown.size === 0 ? said : NOT_SHOWN + [...shown].join(', ');
};

/** The agent's last word stands in the log and before people, so it is screened like every other. */
export const finishLoop = (
  state: RunState,
  { policy }: RunOpened['data'],
  reason: string,
  screens: Screens,
): Decision => {
  const said = plainText(reason);
  // What was said before there was a screen on it stays sayable in runs of then.
  const breaches = policy.version === 1 ? [] : screens.words(said);
  return breaches.length > 0
    ? events(halted('mandate', `HUMAN MANDATE: ${listed(breaches)}`, breaches))
    : events(loopEnded(state, 'finished', said));
};

/** An agent's word in a message: short, and without anything that a terminal or the log minds. */
const quoted = (name: string): string => JSON.stringify(name.slice(0, 60));

export const proposeSecondaryMetric = (
  state: RunState,
  { id, data: { name, available } }: ProposeSecondaryMetric,
  opened: RunOpened['data'],
  screens: Screens,
): Decision => {
  const isMeasured = state.secondary.includes(name);
  if (isMeasured || !available.includes(name))
    return refuseProposal(
      state,
      opened,
      `found the secondary metric ${quoted(name)}, which is ${isMeasured ? 'measured already' : 'unknown'}, expected one of ${available.join(', ')}`,
      screens,
    );
  const metricId = commandIds.metric(id);
  return pay(
    state,
    [
      {
        type: 'SecondaryMetricProposed',
        data: { metricId, hypothesisId: standingHypothesis(state).hypothesisId, name },
      },
    ],
    { charge: 'metric', description: `measure ${name} as well`, paysFor: metricId },
  );
};

export const requestData = ({
  data: { dimensions, breaches, cells, people },
}: RequestData): Decision =>
  breaches.length > 0
    ? events(halted('data-request', `INDIVIDUAL DATA WAS ASKED FOR: ${listed(breaches)}`, breaches))
    : events({ type: 'CohortsServed', data: { dimensions, cells, people } });
