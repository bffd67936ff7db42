import { counted } from '#libs/kernel';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** What can't be read can't be checked: an unknown event fails the verdict instead of being passed over. */
export const knownEvents: Check = {
  of: 'finding',
  row: 'known-events',
  expected:
    'every event is of a type and version that this verifier knows, in the stream that it belongs to',
  start: () => {
    const faults = collectFaults();
    let events = 0;
    return {
      link: ({ source, index, read }) => {
        events += 1;
        if (read === null) faults.add(`${source} event ${String(index)} can't be read`);
        else if ('problem' in read)
          faults.add(`${source} event ${String(index)} is ${read.problem}`);
      },
      conclude: () => faults.outcome(counted(events, 'event')),
    };
  },
};
