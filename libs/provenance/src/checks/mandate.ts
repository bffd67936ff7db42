import { statementOf } from '#libs/findings';
import type { Claim, Look } from '#libs/findings';
import { counted } from '#libs/kernel';
import { EVENTS_OF_AGENTS, rolesForCommand, screenText } from '#libs/mandate';
import type { ChainEvent, Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** Every field that a claim has, and so every one that it may have. */
const FIELDS: Readonly<Record<keyof Claim, true>> = {
  kind: true,
  cohort: true,
  statistic: true,
  estimate: true,
  standardError: true,
  interval: true,
  relative: true,
  n: true,
  changes: true,
  planted: true,
  look: true,
};

const LOOK_FIELDS: Readonly<Record<keyof Look, true>> = {
  dataDigest: true,
  ofStudy: true,
  ofData: true,
  runs: true,
  spent: true,
  claims: true,
  share: true,
  multiplier: true,
};

/** A finding speaks of cohorts, says what its fields say, and names the changes that the chain holds. */
export const mandate: Check = {
  of: 'finding',
  row: 'mandate',
  expected:
    "the claim has cohort-level fields only, rests on at least the minimum cell, its changes are the mutations' own summaries, and its statement is the one that its fields give; nothing but proposals stands under an agent's name, and a review under a reviewer's",
  start: ({ finding, opened }) => {
    const faults = collectFaults();
    const { claim, chain } = finding;
    const named = new Set(chain.mutations);
    const summaries = new Map<string, string>();

    const numbers = (): void => {
      const { estimate, standardError, relative, n, interval } = claim;
      for (const [what, value] of Object.entries({
        estimate,
        standardError,
        relative,
        n,
        ...interval,
      }))
        if (!Number.isFinite(value)) faults.add(`${what} is not a number`);
      if (!(interval.lower <= estimate && estimate <= interval.upper))
        faults.add('the estimate lies outside its interval');
      if (!(n >= opened().policy.data.minimumCell))
        faults.add(
          `n is ${String(n)}, expected at least ${String(opened().policy.data.minimumCell)}`,
        );
    };

    // A run of version 1 was driven before commands were held to the table of acts.
    const isHeld = (): boolean => opened().policy.version !== 1;
    // The finding's stream is read before the run's: what holds for it is not known yet.
    const strangers: string[] = [];
    const reviewed = (_: unknown, { body }: ChainEvent): void => {
      const { role } = body.metadata.actor;
      if (!rolesForCommand('ReviewFinding').includes(role))
        strangers.push(`${body.type} stands under the name of ${role}`);
    };

    return {
      every: ({ body }) => {
        const { role } = body.metadata.actor;
        if (role === 'agent' && isHeld() && !EVENTS_OF_AGENTS.includes(body.type))
          faults.add(`${body.type} stands under the name of an agent`);
      },
      finding: { FindingReviewed: reviewed, FindingAccepted: reviewed },
      run: {
        MutationProposed: ({ mutationId, summary }) => {
          if (named.has(mutationId)) summaries.set(mutationId, summary);
        },
      },
      conclude: () => {
        if (isHeld()) for (const stranger of strangers) faults.add(stranger);
        for (const field of Object.keys(claim))
          if (!Object.hasOwn(FIELDS, field)) faults.add(`the claim has a field ${field}`);
        for (const field of Object.keys(claim.cohort))
          if (field !== 'description' && field !== 'outcome')
            faults.add(`the cohort has a field ${field}`);
        for (const field of Object.keys(claim.look ?? {}))
          if (!Object.hasOwn(LOOK_FIELDS, field)) faults.add(`the look has a field ${field}`);
        faults.differ('the statistic', claim.statistic, 'log-loss-reduction');
        numbers();
        const claimed = claim.kind === 'line' ? chain.mutations : chain.mutations.slice(-1);
        const changes = claimed.map(
          (mutationId) => summaries.get(mutationId) ?? `${mutationId}, unknown`,
        );
        faults.differ('the changes', claim.changes.join('; '), changes.join('; '));
        for (const name of claim.planted)
          if (!opened().policy.data.planted.includes(name))
            faults.add(`${name} is not known as planted`);
        faults.differ('the statement', finding.statement, statementOf(claim));
        for (const change of claim.changes)
          for (const { rule, found } of screenText(change, opened().policy.version))
            faults.add(`${rule}: found ${found}`);
        return faults.outcome(
          `a ${claim.kind} of ${counted(claim.changes.length, 'change')}, n = ${String(claim.n)}`,
        );
      },
    };
  },
};
