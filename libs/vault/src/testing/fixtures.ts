import type { DataPolicy, HarnessPolicy } from '#libs/harness';
import type { Result } from '#libs/kernel';
import { examplePolicy } from '../../../harness/src/testing/policy.ts';

/** A made-up study of 1,200 people, with names and numbers that may not leave the vault. */
export const clinicPolicy: DataPolicy = {
  path: 'clinic.csv',
  format: 'csv',
  rowId: 'patient',
  identifiers: ['patient', 'name', 'ssn'],
  outcome: {
    name: 'readmitted',
    column: 'days',
    positive: { atLeast: 30 },
    labels: { positive: 'positive', negative: 'negative' },
  },
  dimensions: [
    {
      name: 'age',
      column: 'age',
      kind: 'bins',
      cuts: [40, 65],
      labels: ['under 40', '40 to 64', '65 or more'],
    },
    {
      name: 'ward',
      column: 'ward',
      kind: 'groups',
      labels: ['surgery', 'others, small'],
      values: [['surgery'], ['eye', 'skin']],
    },
  ],
  coarsen: [],
  magnitudes: [],
  planted: [],
  protected: [
    {
      name: 'sex',
      column: 'sex',
      kind: 'groups',
      labels: ['female', 'male'],
      values: [['f'], ['m']],
    },
  ],
  split: { train: 50, dev: 20, check: 15, sealed: 15 },
  minimumCell: 11,
  disclosure: { emptyCells: 'hidden', minimumOutcome: 0, totals: 'auto', tables: 'one' },
  pii: { allow: [] },
};

export const CLINIC_HEADER = ['patient', 'name', 'ssn', 'age', 'ward', 'sex', 'days'] as const;

/** Rows by a fixed rule; the eye and skin wards are rare among the young. */
export const clinicRows = (count = 1200): readonly (readonly string[])[] =>
  Array.from({ length: count }, (_, i) => {
    const mixed = (i * 7919) % 1013;
    const age = 18 + (mixed % 70);
    const ward = age < 40 && mixed % 31 !== 0 ? 'surgery' : ['surgery', 'eye', 'skin'][mixed % 3]!;
    return [
      `P${100000 + i}`,
      `Person "${i}", née Größe`,
      `${100 + (i % 900)}-${10 + (i % 90)}-${1000 + i}`,
      String(age),
      ward,
      mixed % 2 === 0 ? 'f' : 'm',
      String((mixed * 3) % 61),
    ];
  });

/** CSV by RFC 4180. */
export const toCsv = (rows: readonly (readonly string[])[]): string =>
  rows
    .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
    .join('\n')
    .concat('\n');

export const clinicCsv = (rows = clinicRows()): string => toCsv([CLINIC_HEADER, ...rows]);

export const testKey = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** Bounds that coarsen and refuse nothing. */
export const noBounds = { minimumRows: 0, minimumGroup: 0, maximumSuppression: 100 } as const;

/** Gates that the clinic's data pass. */
export const clinicGates: HarnessPolicy['gates'] = {
  ...examplePolicy.gates,
  preLoop: { minimumRows: 100, minimumGroup: 50, maximumSuppression: 20 },
};

export const valueOf = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
};

export const errorOf = <E>(result: Result<unknown, E>): E => {
  if (result.ok) throw new Error('was not refused');
  return result.error;
};
