import { describe, expect, it } from 'vitest';
import type { LayerTrial } from '#libs/sandbox';
import { doctorLines, layerLines } from './doctor.ts';
import { styleOf } from './style.ts';
import { widthOf } from './text.ts';

const style = styleOf({ colour: false, width: 100 });

const trial = (
  layer: LayerTrial['layer'],
  state: LayerTrial['state'],
  found: string,
): LayerTrial => ({
  ...{ layer, state, found, byDefault: false },
  by: state === 'absent' ? null : 'the kernel',
});

describe('what doctor shows', () => {
  it('is a layer a line, with a sign and a word for what became of it', () => {
    const lines = layerLines(style, [
      trial('seccomp', 'holds', '80 calls made, none let through'),
      trial('no-network', 'broken', 'TCP: reached'),
      trial('landlock', 'absent', 'found 2.38, expected 2.40'),
      trial('time-limit', 'untried', 'no daemons'),
    ]);
    expect(lines).toEqual([
      '    ✓ seccomp     80 calls made, none let through',
      '    ✗ no-network  DOES NOT HOLD: TCP: reached',
      '    – landlock    not there: found 2.38, expected 2.40',
      '    ? time-limit  NOT SHOWN: no daemons',
    ]);
  });

  it('keeps to the width, later lines under the first', () => {
    const [first = '', second = '', ...rest] = layerLines(style, [
      trial('memory-cgroup', 'holds', 'asked for ever more '.repeat(8).trim()),
    ]);
    expect(rest).toEqual([]);
    expect(widthOf(first)).toBeLessThanOrEqual(100);
    expect(second).toMatch(/^ {21}asked|^ {21}\w/);
  });

  it('says what was expected where something is missing that is needed', () => {
    const row = { name: 'git', ok: false, found: 'no git', expected: 'git', needed: true };
    expect(doctorLines(style, [row, { ...row, name: 'gpus', needed: false }], 4)).toEqual([
      '✗ git   no git',
      '        expected git',
      '· gpus  no git',
    ]);
  });
});
