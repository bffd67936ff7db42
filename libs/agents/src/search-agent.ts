import {
  FILE_DOMAINS,
  jsonOwners,
  type FileDomain,
  type SearchAgentPolicy,
  type SearchKnob,
} from '#libs/harness';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { gather, type Evidence } from './evidence.ts';
import { untriedMoves, type Move } from './moves.ts';
import type { Agent, AgentView, StudyBrief } from './port.ts';
import { statementOf, summaryOf } from './statements.ts';
import { readSettings, writeSettings, type Settings } from './settings.ts';

interface Plan {
  readonly move: Move;
  readonly from: Settings;
  readonly evidence: Evidence;
}

/**
 * The offline agent: it moves through the study's declared knobs by Thompson sampling (Thompson 1933; Chapelle and
 * Li 2011), with what its own attempts came to as rewards and the budget's costs as prices.
 *
 * Each proposal is a pure function of the view: the same view gives the same proposal, so nothing is lost when the
 * process that asked is killed. It sets declared values only and proposes no state twice in a run. While it can
 * pay for something it proposes only that; after that it proposes what the budget will refuse, which ends the run.
 *
 * @example await searchAgent(policy.agent).proposeHypothesis(view)
 * @throws (as a rejection) TypeError where a knob's file holds JSON that is no object, SyntaxError where it is no JSON
 */
export const searchAgent = ({ knobs }: SearchAgentPolicy): Agent => {
  const plan = (view: AgentView, available: number): Plan | null => {
    const from = readSettings(knobs, view.files);
    const evidence = gather(knobs, view);
    const moves = untriedMoves(knobs, from, evidence.tried, evidence.lost);
    const costOf = ({ changes }: Move): number =>
      view.brief.costs[
        domainOf(
          changes.map(({ knob }) => knobs[knob]!),
          view.brief,
        )
      ];
    const affordable = moves.filter((move) => costOf(move) <= available);
    const candidates = affordable.length > 0 ? affordable : moves;

    const beta = betaSampler(view);
    const drawn = new Map<string, number>();
    const draw = (name: string, { wins, losses }: { wins: number; losses: number }): number => {
      const value = drawn.get(name) ?? beta(wins, losses);
      drawn.set(name, value);
      return value;
    };
    const worthOf = (move: Move): number => {
      const parts = move.changes.map((change) =>
        draw(JSON.stringify(change), evidence.ofChange(change)),
      );
      const promise = parts.reduce((product, part) => product * part, 1) ** (1 / parts.length);
      const habit = draw(evidence.armOf(move.changes), evidence.ofStrategy(move.changes));
      return (promise * habit) / (view.brief.costs.hypothesis + costOf(move));
    };
    let best: { move: Move; worth: number } | null = null;
    for (const move of candidates) {
      const worth = worthOf(move);
      if (best === null || worth > best.worth) best = { move, worth };
    }
    return best && { move: best.move, from, evidence };
  };

  return {
    proposeHypothesis: async (view) => {
      const found = plan(view, view.budget.remaining - view.brief.costs.hypothesis);
      if (found === null) {
        return { kind: 'finished', reason: 'Every combination of the declared values was tried.' };
      }
      return {
        kind: 'hypothesis',
        statement: statementOf(knobs, found.from, found.move.changes, view.brief),
        expectedEffect: found.evidence.expectedGain(found.move.changes),
      };
    },

    proposeMutation: async (view) => {
      const found = plan(view, view.budget.remaining);
      if (found === null) throw new Error('a mutation was asked for where no hypothesis was left');
      const { changes, settings } = found.move;
      const edits = writeSettings(knobs, view.files, changes, settings);
      return {
        kind: 'edit',
        domain: domainOf(
          changes.map(({ knob }) => knobs[knob]!),
          view.brief,
        ),
        summary: summaryOf(knobs, found.from, changes),
        edits,
      };
    },
  };
};

/** The dearest domain that owns one of the keys. A key that none owns is the harness's to judge. */
const domainOf = (knobs: readonly SearchKnob[], { mutable, costs }: StudyBrief): FileDomain => {
  const owners = knobs.flatMap(({ file, key }) => jsonOwners(mutable, file, key));
  return FILE_DOMAINS.filter((domain) => owners.includes(domain)).reduce(
    (dearest, domain) => (costs[domain] > costs[dearest] ? domain : dearest),
    'hyperparameter',
  );
};

/** Draws from Beta(wins, losses), whole numbers: the wins-th smallest of wins + losses − 1 uniform numbers. */
const betaSampler = (view: AgentView): ((wins: number, losses: number) => number) => {
  const decided = view.attempts.filter(({ outcome }) => outcome !== 'pending').length;
  const random = xoroshiro128plus(view.seed ^ Math.imul(decided + 1, 0x9e3779b1));
  return (wins, losses) =>
    Array.from({ length: wins + losses - 1 }, () => uniformFloat64(random)).sort((a, b) => a - b)[
      wins - 1
    ]!;
};
