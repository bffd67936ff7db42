import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describePower, readStudy } from '#libs/studies';
import { styleOf } from './style.ts';
import { studyLines } from './study-check.ts';
import { widthOf } from './text.ts';

const PAY = fileURLToPath(new URL('../../../../examples/pay', import.meta.url));

const check = {
  rule: 'split-rows',
  passed: true,
  found: 'train 14,038, dev 5,665, check 4,269, sealed 4,183',
  expected:
    'at least 1,000 people in each split, so that what is measured there can be told from noise',
};

const linesAt = async (width: number, passed: boolean): Promise<readonly string[]> => {
  const study = await readStudy(PAY);
  if (!study.ok) throw new Error('the example is sound');
  const power = describePower(study.value.policy, { people: 5620, positive: 2810 });
  return studyLines(
    styleOf({ colour: false, width }),
    study.value,
    [{ ...check, passed }],
    [{ column: 'ssn', class: 'national-id', by: 'name' }],
    power,
    {
      commit: '0f3c5d9a4be16f6cb8f0a5c3de2417b90f3c5d9a',
      author: 'Courses Team <courses@localhost>',
      committer: 'Build <build@localhost>',
    },
  );
};

describe('a study as check shows it', () => {
  it.each([80, 100, 120])('fits %i columns, its prose under itself', async (width) => {
    for (const line of await linesAt(width, false)) {
      expect(widthOf(line)).toBeLessThanOrEqual(width);
      expect(line).toBe(line.trimEnd());
    }
  });

  it('says whom the commit names that a run would keep', async () => {
    const lines = await linesAt(120, true);
    expect(lines).toContain(
      '  commit 0f3c5d9a4be1 by Courses Team <courses@localhost>, committed by Build <build@localhost>',
    );
  });

  it('gives a rule that does not hold with what was expected', async () => {
    const lines = await linesAt(80, false);
    const at = lines.findIndex((line) => line.includes('split-rows'));
    expect(lines.slice(at, at + 3)).toEqual([
      '  ✗ split-rows: train 14,038, dev 5,665, check 4,269, sealed 4,183 (expected at',
      '    least 1,000 people in each split, so that what is measured there can be told',
      '    from noise)',
    ]);
    expect(lines.at(-1)).toBe('1 rule of the pre-loop gate would halt a run');
  });

  it('says how likely a gain is to be kept, and how often noise fires a chart', async () => {
    const text = (await linesAt(200, true)).join('\n');
    expect(text).toContain('A true gain of 2 % is kept with a chance of');
    expect(text).toContain('(feature; 5,620 dev people)');
    expect(text).toContain('a false revert in 100 iterations: 9.7 %');
  });

  it('calls a study sound when every rule holds', async () => {
    const lines = await linesAt(80, true);
    expect(lines).toContain(`  ✓ split-rows: ${check.found}`);
    expect(lines.at(-1)).toBe('sound: open a run with npx holdfast run');
  });
});
