import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIP, clip, parsePredictions } from './index.ts';

const parse = (text: string, cellCount: number) =>
  parsePredictions(new TextEncoder().encode(text), cellCount);

const refusal = (text: string, cellCount: number) => {
  const result = parse(text, cellCount);
  if (result.ok) throw new Error('was accepted');
  return result.error;
};

describe('parsePredictions', () => {
  it('reads every cell, in any order, with either line end', () => {
    for (const text of ['cell,p\n0,0.25\n1,1\n2,1e-3\n', 'cell,p\r\n2,0.001\r\n1,1.0\r\n0,.25']) {
      const result = parse(text, 3);
      expect(result.ok && [...result.value]).toEqual([0.25, 1, 0.001]);
    }
  });

  it('reads back whatever a program prints', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs), { minLength: 1 }),
        (predictions) => {
          const lines = predictions.map((p, cell) => `${cell},${p}\n`);
          const result = parse(`cell,p\n${lines.join('')}`, predictions.length);
          expect(result.ok && [...result.value]).toEqual(predictions);
        },
      ),
    );
  });

  it('tells no predictions from invalid ones', () => {
    expect(refusal('', 3).code).toBe('no-predictions');
    expect(refusal('cell,p\n', 3)).toMatchObject({ code: 'invalid-predictions' });
  });

  it.each([
    ['another header', 'cell,probability\n0,0.5\n', 'the header "cell,probability"'],
    ['no header', '0,0.5\n', 'the header "0,0.5"'],
    ['NaN', 'cell,p\n0,NaN\n', 'line 2 with no probability: "NaN"'],
    ['infinity', 'cell,p\n0,Infinity\n', 'line 2 with no probability: "Infinity"'],
    ['more than 1', 'cell,p\n0,1.0001\n', 'line 2 with no probability: "1.0001"'],
    ['less than 0', 'cell,p\n0,-0.1\n', 'line 2 with no probability: "-0.1"'],
    ['an empty field', 'cell,p\n0,\n', 'line 2 with no probability: ""'],
    ['another notation', 'cell,p\n0,0x1\n', 'line 2 with no probability: "0x1"'],
    ['a space', 'cell,p\n0, 0.5\n', 'line 2 with no probability: " 0.5"'],
    ['a cell that is none', 'cell,p\n1,0.5\n', 'line 2 for no cell: "1"'],
    ['a cell with a sign', 'cell,p\n-0,0.5\n', 'line 2 for no cell: "-0"'],
    ['a cell with a zero in front', 'cell,p\n00,0.5\n', 'line 2 for no cell: "00"'],
    ['a third field', 'cell,p\n0,0.5,1\n', 'line 2 with 3 fields'],
    ['an empty line', 'cell,p\n\n0,0.5\n', 'line 2 with 1 fields'],
    ['a cell twice', 'cell,p\n0,0.5\n0,0.5\n', 'line 3, a second one for cell 0'],
    ['a missing cell', 'cell,p\n', 'no line for cell 0'],
  ])('refuses %s', (_, text, found) => {
    const { code, message } = refusal(text, 1);
    expect(code).toBe('invalid-predictions');
    expect(message).toContain(found);
    expect(message).toContain('expected the header "cell,p"');
  });

  it('names the first problems and counts them all', () => {
    const { message } = refusal('cell,p\n', 100);
    expect(message).toContain('found 100 problems: no line for cell 0; ');
    expect(message).toContain('no line for cell 4; and 95 more;');
    expect(message).not.toContain('cell 5;');
  });

  it('refuses bytes that are no text, and more than any predictions need', () => {
    const invalid = parsePredictions(Uint8Array.of(0xff, 0xfe), 1);
    expect(!invalid.ok && invalid.error.message).toContain('not UTF-8');
    expect(refusal(`cell,p\n0,0.${'5'.repeat(200)}\n`, 1).message).toContain('more than 128');
  });
});

describe('clip', () => {
  it('keeps what lies within the bounds and moves the rest to them', () => {
    expect([0, 0.005, 0.3, 0.995, 1].map(clip)).toEqual([
      CLIP.lower,
      0.005,
      0.3,
      0.995,
      CLIP.upper,
    ]);
  });
});
