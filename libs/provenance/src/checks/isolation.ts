import { layersOfRecord, missingLayers } from '#libs/harness';
import type { IsolationRecord } from '#libs/run';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** The record of a training that no worker ran to an end: there was no program to contain. */
const NO_PROGRAM = 'none';

/** A program that ran with fewer layers than the study demands could have reached what it must not. */
export const isolation: Check = {
  row: 'isolation',
  expected:
    "the record of each training's isolation, which its worker signed, names every layer that the policy demands",
  start: ({ opened }) => {
    const faults = collectFaults();
    let ran = 0;
    const held = (
      { trainingId, isolation: record }: { trainingId: string; isolation: IsolationRecord },
      mayNotHaveRun: boolean,
    ): void => {
      if (mayNotHaveRun && record.executor === NO_PROGRAM) return;
      ran += 1;
      const missing = missingLayers(opened().policy.sandbox.minimum, layersOfRecord(record));
      if (missing.length > 0)
        faults.add(`training ${trainingId} ran without ${missing.join(', ')}`);
    };
    return {
      run: {
        TrainingCompleted: (data) => {
          held(data, false);
        },
        TrainingFailed: (data) => {
          held(data, true);
        },
        TrainingTimedOut: (data) => {
          held(data, false);
        },
      },
      conclude: () => {
        const { minimum } = opened().policy.sandbox;
        return faults.outcome(
          minimum.length === 0
            ? `the policy demands no layer of ${String(ran)} programs that ran`
            : `${String(ran)} programs ran, each with ${minimum.join(', ')}`,
        );
      },
    };
  },
};
