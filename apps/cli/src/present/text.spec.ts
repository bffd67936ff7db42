import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, callPlanted, clean, fit, padEnd, signedPercent, widthOf, wrap } from './text.ts';

describe('clean', () => {
  it.each([
    ['colours', '\u001B[31mred\u001B[0m', 'red'],
    ['a moved cursor', 'up\u001B[2A\u001B[2Kgone', 'upgone'],
    ['a link', '\u001B]8;;https://a.b\u0007text\u001B]8;;\u0007', 'text'],
    ['line breaks and bells', 'one\r\ntwo\u0007\tthree', 'one two three'],
    ['turned and hidden text', 'a\u202Etxt.exe\u200Bb', 'atxt.exeb'],
  ])('takes out %s', (_, text, expected) => expect(clean(text)).toBe(expected));

  it('leaves nothing that a terminal acts on', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // eslint-disable-next-line no-control-regex
        expect(clean(`\u001B[2J${text}`)).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/u);
      }),
    ));
});

describe('fitting by what a terminal shows', () => {
  it.each([
    ['education', 9, 'education'],
    ['education', 6, 'educa…'],
    ['add education', 5, 'add…'],
    ['学歴と賃金', 6, '学歴…'],
    ['👩‍👩‍👧 family', 4, '👩‍👩‍👧…'],
  ])('%s in %i columns', (text, width, expected) => expect(fit(text, width)).toBe(expected));

  it('pads to exactly the width', () =>
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 2, max: 40 }),
        (text, width) => {
          expect(widthOf(padEnd(clean(text), width))).toBe(width);
        },
      ),
    ));

  it('wraps at spaces, and inside a word only where it must', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
    expect(wrap('', 4)).toEqual(['']);
    expect(wrap('one two three four', 6, 2)).toEqual(['one', 'two t…']);
    expect(wrap('one two', 3, 2)).toEqual(['one', 'two']);
    expect(wrap('rate 0.03 → 0.1; n = 35', 11)).toEqual(['rate', '0.03 → 0.1;', 'n = 35']);
    expect(wrap('people (3.9 %)', 11)).toEqual(['people', '(3.9 %)']);
  });
});

describe('callPlanted', () => {
  it.each([
    ['add withholding to features', 'add planted withholding to features'],
    ['Withholding separates the cohorts', 'Planted withholding separates the cohorts'],
    ['Uses planted withholding', 'Uses planted withholding'],
    ['Uses withholding, planted in it', 'Uses withholding, planted in it'],
    ['notwithholding', 'notwithholding'],
    ['tax band and tax_band', 'planted tax band and planted tax_band'],
  ])('%s', (text, expected) =>
    expect(callPlanted(text, ['withholding', 'tax_band'])).toBe(expected),
  );
});

describe('numbers', () => {
  it('signs a gain with a real minus', () => {
    expect(signedPercent(0.0243)).toBe('+2.43 %');
    expect(signedPercent(-0.5691)).toBe('−56.9 %');
  });

  it('fills a bar by its share and never beyond it', () => {
    expect(bar(0.5, 4)).toEqual({ filled: '██', empty: '░░' });
    expect(bar(7, 4)).toEqual({ filled: '████', empty: '' });
  });
});
