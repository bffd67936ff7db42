/**
 * What disclosure control adds to the opening of a study: the same data with its rules audited, beside the minimum cell
 * alone. The first audit of a process loads the solver, and is shown by itself.
 */
import { join } from 'node:path';
import { readStudy } from '#libs/studies';
import { openVault } from '#libs/vault';
import { median } from './median.ts';
import type { Row } from './rows.ts';

/** Milliseconds of the processor, of all threads. */
export interface ReleaseBench {
  readonly study: string;
  /** Added by the first audit of the process; null: it was another study's. */
  readonly first: number | null;
  readonly audited: number;
  readonly unaudited: number;
}

const ADDED_MS = 300;

export const benchRelease = async (
  examples: string,
  rounds = 9,
): Promise<readonly ReleaseBench[]> => {
  const benches: ReleaseBench[] = [];
  for (const study of ['pay', 'lending']) {
    const read = await readStudy(join(examples, study));
    if (!read.ok) throw new Error(`the study examples/${study} can't be read`);
    const { policy, folder } = read.value;
    const open = async (isAudited: boolean, key: number): Promise<number> => {
      const before = process.cpuUsage();
      const vault = await openVault({
        studyFolder: folder,
        data: { ...policy.data, ...(!isAudited && { disclosure: null }) },
        splitKey: new Uint8Array(32).fill(key),
        bounds: policy.gates.preLoop,
      });
      const { user, system } = process.cpuUsage(before);
      const outcome = vault.ok ? vault.value.control.audit.outcome : vault.error.message;
      if (outcome !== (isAudited ? 'passed' : 'none')) throw new Error(outcome);
      return (user + system) / 1000;
    };
    await open(false, 0);
    const without = await open(false, 0);
    const first = (await open(true, 0)) - without;
    const times = { audited: [] as number[], unaudited: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      times.unaudited.push(await open(false, round));
      times.audited.push(await open(true, round));
    }
    benches.push({
      study,
      first: benches.length === 0 ? first : null,
      audited: median(times.audited),
      unaudited: median(times.unaudited),
    });
  }
  return benches;
};

export const releaseRows = (benches: readonly ReleaseBench[]): readonly Row[] =>
  benches.flatMap(({ study, first, audited, unaudited }): readonly Row[] => [
    {
      measure: `examples/${study}, audited`,
      value: audited,
      unit: 'ms',
      beside: `the minimum cell alone, ${unaudited.toFixed(0)} ms`,
      ratio: audited / unaudited,
      aim: {
        text: `adds less than ${ADDED_MS} ms`,
        met: audited - unaudited < ADDED_MS && (first ?? 0) < ADDED_MS,
      },
    },
    ...(first === null
      ? []
      : [
          {
            measure: '  added by the first audit of a process',
            value: first,
            unit: 'ms',
            beside: null,
            ratio: null,
            aim: null,
          } as const,
        ]),
  ]);
