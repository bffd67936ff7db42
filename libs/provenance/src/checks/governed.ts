import type { RunCheck } from '../check.ts';

/** An agent that can reach the harness could have written anything: a human has to have accepted that. */
export const governed: RunCheck = {
  of: 'run',
  row: 'governed',
  expected:
    "the agent was kept apart from the harness, or the study's human accepted in the policy that it was not",
  start: ({ opened }) => ({
    conclude: () => {
      const { governance, policy } = opened();
      if (governance.governed === true)
        return { passed: true, found: `governed: ${governance.reason}` };
      const accepted = policy.governance.acceptUngoverned === true;
      return {
        passed: accepted,
        found: `ungoverned: ${governance.reason}; ${accepted ? 'accepted by the policy' : 'not accepted by the policy'}`,
      };
    },
  }),
};
