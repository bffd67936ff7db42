import { expect, it } from 'vitest';
import { examplePolicy } from '../../../harness/src/testing/policy.ts';
import { statementOf, type Claim } from '#libs/findings';
import type { HarnessPolicy } from '#libs/harness';
import type { ChainEvent, Context } from '../check.ts';
import { mandate } from './mandate.ts';

const claim: Claim = {
  kind: 'step',
  cohort: { description: 'sealed people in cohorts of region', outcome: 'high pay' },
  statistic: 'log-loss-reduction',
  estimate: 0.02,
  standardError: 0.004,
  interval: { level: 0.95, lower: 0.012, upper: 0.028 },
  relative: 0.033,
  n: 1000,
  changes: ['The data suggest that education matters.'],
  planted: [],
  look: null,
};

/** A chain of one mutation, as far as this check looks at it, with one more event by somebody. */
const outcomeOf = async (
  version: HarnessPolicy['version'],
  [stream, type, role]: readonly ['run' | 'finding', string, string],
) => {
  const context = {
    finding: { claim, statement: statementOf(claim), chain: { mutations: ['m1'] } },
    opened: () => ({ policy: { ...examplePolicy, version } }),
  } as unknown as Context;
  const fold = mandate.start(context);
  const event = (data: unknown) =>
    ({ body: { type, metadata: { actor: { role, id: 'x' } } }, data }) as unknown as ChainEvent;
  fold.run?.MutationProposed?.({ mutationId: 'm1', summary: claim.changes[0] } as never, event({}));
  if (stream === 'run') fold.every?.(event({}));
  else fold.finding?.[type as 'FindingReviewed']?.({} as never, event({}));
  return fold.conclude();
};

it.each([
  ['run', 'HypothesisProposed', 'agent'],
  ['run', 'MutationProposed', 'agent'],
  ['run', 'RunHalted', 'agent'],
  ['run', 'MutationKept', 'harness'],
  ['finding', 'FindingReviewed', 'reviewer'],
  ['finding', 'FindingAccepted', 'reviewer'],
] as const)('a %s holds %s of %s', async (...event) => {
  expect((await outcomeOf(2, event)).passed).toBe(true);
});

it.each([
  ['run', 'MutationKept', 'agent'],
  ['run', 'MetricObserved', 'agent'],
  ['run', 'FairnessMeasured', 'agent'],
  ['finding', 'FindingReviewed', 'agent'],
  ['finding', 'FindingAccepted', 'agent'],
  ['finding', 'FindingAccepted', 'researcher'],
  ['finding', 'FindingAccepted', 'harness'],
] as const)('a %s does not hold %s of %s', async (...event) => {
  const { passed, found } = await outcomeOf(2, event);
  expect(passed).toBe(false);
  expect(found).toContain(`${event[1]} stands under the name of`);
});

it('judges a run of version 1 by the screen and the rules of then', async () => {
  const kept = ['run', 'MutationKept', 'agent'] as const;
  // Version 1 stopped every "suggest that"; today's screen knows an honest one.
  const { passed, found } = await outcomeOf(1, kept);
  expect(passed).toBe(false);
  expect(found).toBe('specific-recommendations: found "suggest that"');
});
