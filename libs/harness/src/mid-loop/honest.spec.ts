import { describe, expect, it } from 'vitest';
import { midLoopGate } from '../index.ts';
import { HONEST_MUTATIONS } from '../testing/honest-mutations.ts';
import { examplePolicy } from '../testing/policy.ts';

const policy = {
  ...examplePolicy,
  program: {
    ...examplePolicy.program,
    mutable: {
      hyperparameter: ['hyperparameters.json'],
      feature: ['features.json'],
      architecture: ['model.js', 'model.ts', 'model.py'],
    },
    protectedParameters: ['seed', 'seconds', 'steps'],
  },
};

describe('an honest mutation', () => {
  it.each(HONEST_MUTATIONS)('passes: $path, $what', ({ path, before, after }) => {
    const ruling = midLoopGate(policy, [
      {
        ...{ path, kind: 'modified', before: 'a', after: 'b', mode: '100644' },
        textBefore: before,
        text: after,
      },
    ]);
    expect(ruling.breaches.map(({ rule, found }) => `${rule}: ${found}`)).toEqual([]);
    expect(ruling.unreadable).toEqual([]);
    expect(ruling.domain).not.toBeNull();
  });

  it('has enough of them in each language', () => {
    const count = (ending: string) =>
      HONEST_MUTATIONS.filter(({ path }) => path.endsWith(ending)).length;
    expect(HONEST_MUTATIONS.length).toBeGreaterThanOrEqual(60);
    expect([count('.js'), count('.ts'), count('.py'), count('.json')]).toEqual([44, 9, 23, 6]);
  });
});
