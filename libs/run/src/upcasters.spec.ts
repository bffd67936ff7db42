import { expect, it } from 'vitest';
import { examplePolicy } from '../../harness/src/testing/policy.ts';
import { RUN_UPCASTERS } from './upcasters.ts';

const [openedOfVersion1] = RUN_UPCASTERS.RunOpened;

const { coarsen: _c, magnitudes: _m, disclosure: _d, ...data } = examplePolicy.data;
const first = {
  policy: { ...examplePolicy, version: 1, keep: { falseKeeps: 0.05 }, data },
  cohorts: {
    minimumCell: 11,
    released: { cells: 2, people: 90 },
    suppressed: { cells: 1, people: 4 },
    people: { train: 94, dev: 1, check: 1, sealed: 1 },
  },
} as unknown as Parameters<typeof openedOfVersion1>[0];

it("reads a release of version 1 as what it was: by the policy's dimensions, and not audited", () => {
  const opened = openedOfVersion1(first);
  expect(opened.cohorts).toEqual({
    ...first.cohorts,
    dimensions: [{ name: 'region', labels: ['n', 's'] }],
    coarsened: 0,
    audit: null,
  });
  expect(opened.policy.data).toMatchObject({ coarsen: [], magnitudes: [], disclosure: null });
  expect(openedOfVersion1({ ...first, cohorts: null }).cohorts).toBeNull();
});
