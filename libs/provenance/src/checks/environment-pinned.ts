import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';
import { pinnedDigest } from '../pinned-digest.ts';

/** What the trainings ran on is the record that the run pinned. */
export const environmentPinned: RunCheck = {
  of: 'run',
  row: 'environment-pinned',
  expected: 'the environment record hashes to the digest that the run pinned',
  start: ({ opened, sha256 }) => ({
    conclude: () => {
      const faults = collectFaults();
      const { environment, pins } = opened();
      faults.differ(
        'the digest of the environment',
        pins.environmentDigest,
        pinnedDigest(environment, sha256),
      );
      const { runtime, platform, architecture } = environment;
      return faults.outcome(`${runtime.name} ${runtime.version} on ${platform} ${architecture}`);
    },
  }),
};
