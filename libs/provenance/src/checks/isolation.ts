import { layersOfRecord, missingLayers, ranNothing } from '#libs/harness';
import { counted } from '#libs/kernel';
import type { IsolationRecord } from '#libs/run';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';

interface Contained {
  readonly trainingId: string;
  readonly isolation: IsolationRecord;
}

/** A program that ran with fewer layers than the study demands could have reached what it must not. */
export const isolation: RunCheck = {
  of: 'run',
  row: 'isolation',
  expected:
    "the record of each training's isolation, which its worker signed, names every layer that the policy demands",
  start: ({ opened }) => {
    const faults = collectFaults();
    let ran = 0;
    const held = ({ trainingId, isolation: record }: Contained): void => {
      ran += 1;
      const missing = missingLayers(opened().policy.sandbox.minimum, layersOfRecord(record));
      if (missing.length > 0)
        faults.add(`training ${trainingId} ran without ${missing.join(', ')}`);
    };
    return {
      run: {
        TrainingCompleted: held,
        TrainingFailed: (data) => {
          if (!ranNothing(data.isolation)) held(data);
        },
        TrainingTimedOut: held,
      },
      conclude: () => {
        const { minimum } = opened().policy.sandbox;
        return faults.outcome(
          minimum.length === 0
            ? `the policy demands no layer of ${counted(ran, 'program')} that ran`
            : `${counted(ran, 'program')} ran, each with ${minimum.join(', ')}`,
        );
      },
    };
  },
};
