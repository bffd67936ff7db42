/**
 * Letters of other scripts that look like Latin ones, after lower-casing (of the confusables of Unicode Technical
 * Standard 39 those of Cyrillic, Greek, Armenian and the Latin letters that NFKC leaves alone).
 */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  ...{ а: 'a', в: 'b', с: 'c', ԁ: 'd', е: 'e', ѐ: 'e', ё: 'e', ғ: 'f', ԍ: 'g', һ: 'h', н: 'h' },
  ...{ і: 'i', ї: 'i', ӏ: 'l', ј: 'j', к: 'k', м: 'm', п: 'n', о: 'o', р: 'p', ԛ: 'q', г: 'r' },
  ...{ ѕ: 's', т: 't', у: 'y', ү: 'y', ѵ: 'v', ԝ: 'w', х: 'x', з: '3' },
  ...{ α: 'a', β: 'b', ϲ: 'c', ε: 'e', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', σ: 'o' },
  ...{ τ: 't', υ: 'u', χ: 'x', γ: 'y', ω: 'w', ϳ: 'j' },
  ...{ ա: 'w', օ: 'o', ո: 'n', ս: 'u', հ: 'h', ց: 'g', զ: 'q' },
  ...{ ı: 'i', ɩ: 'i', ɡ: 'g', ɑ: 'a', ᴀ: 'a', ʙ: 'b', ᴄ: 'c', ᴅ: 'd', ᴇ: 'e', ɢ: 'g', ʜ: 'h' },
  ...{ ɪ: 'i', ᴊ: 'j', ᴋ: 'k', ʟ: 'l', ᴍ: 'm', ɴ: 'n', ᴏ: 'o', ᴘ: 'p', ʀ: 'r', ꜱ: 's', ᴛ: 't' },
  ...{ ᴜ: 'u', ᴠ: 'v', ᴡ: 'w', ʏ: 'y', ᴢ: 'z', ø: 'o', ł: 'l', đ: 'd', ħ: 'h' },
};

/** Digits and signs that stand for letters inside a word; `1` and `!` stand for one of two. */
const LEET: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '@': 'a', $: 's' },
};

const unleet = (text: string, one: 'i' | 'l'): string =>
  text.replace(/[\p{L}\d@$!]+/gu, (word) => {
    // A word keeps its digits where they are what it says: l2, k5, 13, 95th.
    const letters = word.replace(/[^\p{L}]/gu, '').length;
    if (letters < 2 || /^\d+(?:st|nd|rd|th)?$/u.test(word)) return word;
    return word.replace(/[\d@$!]/gu, (sign) => (/[1!]/u.test(sign) ? one : (LEET[sign] ?? sign)));
  });

/** Invisible characters, variation selectors and marks on letters. */
const UNSEEN = /[\p{Cf}\p{Cc}\p{Mn}\u{115f}\u{1160}\u{3164}\u{ffa0}]/gu;

/**
 * The forms of a text that are searched, so that no spelling hides a word: compatibility forms (NFKC), lower case,
 * without marks and invisible characters, look-alike letters as Latin ones; then with words that were split by signs
 * put together, letters that were spaced out joined, and digits that stand for letters read as such.
 */
export const searchedForms = (text: string): readonly string[] => {
  const plain = text
    .toWellFormed()
    .normalize('NFKC')
    .normalize('NFD')
    .replace(UNSEEN, '')
    .toLowerCase()
    .replace(/\P{ASCII}/gu, (sign) => LOOK_ALIKES[sign] ?? sign)
    .replace(/[’‘´]/gu, "'")
    .replace(/[‐‑‒–—−]/gu, '-')
    .replace(/_/gu, ' ')
    .replace(/ß/gu, 'ss')
    .replace(/\s+/gu, ' ');
  const joined = plain.replace(/(?<=\p{L})[-.*'·|/\\+~](?=\p{L})/gu, '');
  return [...new Set([plain, joined, unleet(plain, 'i'), unleet(plain, 'l'), unleet(joined, 'i')])];
};

/** Letters one by one with the same gap between them: nobody writes so who wants to be read. */
export const SPACED_OUT =
  /(?<![\p{L}\p{N}])(?=(?:[^\p{L}]*\p{L}){3})[\p{L}\p{N}](?:([ ._*|/\\-]{1,3})[\p{L}\p{N}](?![\p{L}\p{N}])){3,}/u;
