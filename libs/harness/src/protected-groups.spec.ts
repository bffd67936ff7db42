import { describe, expect, it } from 'vitest';
import { protectedGroups } from './index.ts';

const ethnicity = { name: 'ethnicity', labels: ['cauc', 'afam', 'other'] };
const sex = { name: 'sex', labels: ['f', 'm'] };
const of = ['ethnicity', 'sex'];

describe('the groups that fairness is measured over', () => {
  it('are the attributes, then each combination of those that are crossed', () => {
    const [first, second, crossed] = protectedGroups([ethnicity, sex], [{ of, groups: null }]);
    expect([first?.attribute, second?.attribute]).toEqual(['ethnicity', 'sex']);
    expect(crossed).toEqual({
      attribute: 'ethnicity × sex',
      groups: ['cauc × f', 'cauc × m', 'afam × f', 'afam × m', 'other × f', 'other × m'],
      of,
      codes: [0, 1, 2, 3, 4, 5],
    });
  });

  it('are what the study merged, where it did', () => {
    const groups = [
      {
        label: 'cauc',
        combinations: [
          ['cauc', 'f'],
          ['cauc', 'm'],
        ],
      },
      {
        label: 'other women',
        combinations: [
          ['afam', 'f'],
          ['other', 'f'],
        ],
      },
      {
        label: 'other men',
        combinations: [
          ['other', 'm'],
          ['afam', 'm'],
        ],
      },
    ];
    expect(protectedGroups([ethnicity, sex], [{ of, groups }])[2]).toMatchObject({
      groups: ['cauc', 'other women', 'other men'],
      codes: [0, 0, 1, 2, 1, 2],
    });
  });

  it.each([
    ['an attribute that is not declared', ['ethnicity', 'age'], null],
    ['a combination in no group', of, [{ label: 'a', combinations: [['cauc', 'f']] }]],
    [
      'a combination in two',
      ['sex', 'sex2'],
      [
        {
          label: 'a',
          combinations: [
            ['f', 'f'],
            ['f', 'm'],
            ['m', 'f'],
            ['m', 'm'],
          ],
        },
        { label: 'b', combinations: [['f', 'f']] },
      ],
    ],
  ])('are none for %s', (_, crossed, groups) => {
    const attributes = [ethnicity, sex, { ...sex, name: 'sex2' }];
    expect(() => protectedGroups(attributes, [{ of: crossed, groups }])).toThrow(RangeError);
  });
});
