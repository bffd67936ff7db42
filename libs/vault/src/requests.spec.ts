import { describe, expect, it } from 'vitest';
import { checkDataRequest } from './index.ts';
import { aggregate } from './requests.ts';
import { clinicPolicy } from './testing/fixtures.ts';

const rulesOf = (request: Parameters<typeof checkDataRequest>[1]) =>
  checkDataRequest(clinicPolicy, request).map(({ rule }) => rule);

describe('checkDataRequest', () => {
  it('lets cohorts over declared dimensions through', () => {
    expect(rulesOf({ dimensions: ['age', 'ward'] })).toEqual([]);
    expect(rulesOf({ dimensions: [], rows: 'cohorts', columns: ['age', 'readmitted'] })).toEqual(
      [],
    );
  });

  it.each([
    ['individual records', { dimensions: ['age'], rows: 'individuals' }, ['individual-level']],
    ['a dimension over an identifier', { dimensions: ['ssn'] }, ['identifier']],
    ['an identifier among the columns', { dimensions: ['age'], columns: ['name'] }, ['identifier']],
    ['the row id', { dimensions: [], columns: ['patient'] }, ['identifier']],
    ['a protected attribute', { dimensions: ['sex'] }, ['protected-attribute']],
    ['an undeclared column', { dimensions: ['postcode'] }, ['undeclared-column']],
    ["the outcome's raw column", { dimensions: [], columns: ['days'] }, ['undeclared-column']],
    ['the outcome as a dimension', { dimensions: ['readmitted'] }, ['undeclared-column']],
    [
      'everything at once',
      { dimensions: ['sex', 'nothing'], rows: 'individuals', columns: ['ssn'] },
      ['individual-level', 'protected-attribute', 'undeclared-column', 'identifier'],
    ],
  ] as const)('halts %s', (_, request, rules) => {
    expect(rulesOf(request)).toEqual(rules);
  });

  it('takes any other kind of rows for individual ones', () => {
    expect(rulesOf({ dimensions: [], rows: 'all' as 'cohorts' })).toEqual(['individual-level']);
  });

  it('says what was found and what was expected', () => {
    expect(checkDataRequest(clinicPolicy, { dimensions: [], rows: 'individuals' })).toEqual([
      {
        rule: 'individual-level',
        found: 'a request for individual records',
        expected: 'cohorts of at least 11 people',
        file: null,
        line: null,
      },
    ]);
  });
});

describe('aggregate', () => {
  const base = [
    { cell: 0, people: 20, positive: 5 },
    { cell: 2, people: 30, positive: 10 },
    { cell: 3, people: 12, positive: 12 },
  ];

  it('adds up released cells, in the order of the labels', () => {
    expect(aggregate(clinicPolicy, base, ['ward']).cohorts).toEqual([
      { labels: ['surgery'], people: 50, positive: 15 },
      { labels: ['others, small'], people: 12, positive: 12 },
    ]);
    expect(
      aggregate(clinicPolicy, base, ['ward', 'age']).cohorts.map(({ labels }) => labels),
    ).toEqual([
      ['surgery', 'under 40'],
      ['surgery', '40 to 64'],
      ['others, small', '40 to 64'],
    ]);
    expect(aggregate(clinicPolicy, base, []).cohorts).toEqual([
      { labels: [], people: 62, positive: 27 },
    ]);
  });

  it('keeps the minimum cell, even from a table that has smaller ones', () => {
    const small = [{ cell: 0, people: 10, positive: 5 }];
    expect(aggregate(clinicPolicy, small, ['age']).cohorts).toEqual([]);
  });
});
