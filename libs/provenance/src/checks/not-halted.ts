import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** A halted run yields no findings. */
export const notHalted: RunCheck = {
  of: 'run',
  row: 'not-halted',
  expected:
    'the loop ended once, by exhaustion, by being finished or stopped, and nothing halted it',
  start: () => {
    const faults = collectFaults();
    let ended: string | null = null;
    return {
      run: {
        RunHalted: ({ message }) => {
          faults.add(message);
        },
        LoopEnded: ({ reason }) => {
          if (ended !== null) faults.add('the loop ended twice');
          ended = reason;
        },
      },
      conclude: () => {
        if (ended === null) faults.add('the loop did not end');
        return faults.outcome(`the loop ended: ${String(ended)}`);
      },
    };
  },
};
