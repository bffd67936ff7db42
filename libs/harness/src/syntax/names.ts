/**
 * Letters of other scripts that look like a Latin one, by the Latin one (Unicode Technical Standard 39, confusables),
 * after compatibility normalisation, in lower case. Only what a reader can't tell apart in a program's text.
 */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  a: 'аɑα',
  b: 'ьƅᖯ',
  c: 'сϲᴄⲥ',
  d: 'ԁժᏧ',
  e: 'еҽ℮',
  f: 'ϝք',
  g: 'ɡցᶃ',
  h: 'һհᏂ',
  i: 'іιıɩӏᎥ',
  j: 'јϳյ',
  k: 'кκᴋ',
  l: 'ӏןⅼ',
  m: 'мᴍ',
  n: 'ոռп',
  o: 'оοօσᴏ',
  p: 'рρⲣ',
  q: 'ԛգզ',
  r: 'гᴦⲅ',
  s: 'ѕꜱֆ',
  t: 'тτᴛ',
  u: 'υսцᴜ',
  v: 'νѵᴠ',
  w: 'ѡԝաᴡω',
  x: 'хχ',
  y: 'уүγყ',
  z: 'ᴢⲍ',
};

const LATIN = new Map(
  Object.entries(LOOK_ALIKES).flatMap(([latin, others]) =>
    [...others].map((other) => [other, latin] as const),
  ),
);

/** What a reader takes a name for: compatibility forms, case, look-alikes and what is invisible taken away. */
export const skeleton = (name: string): string =>
  [...name.normalize('NFKD').toLowerCase()]
    .filter((character) => !/[\p{Mn}\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character))
    .map((character) => LATIN.get(character) ?? character)
    .join('');

const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Georgian}/u,
  /\p{Script=Lisu}/u,
] as const;

/** Greek beside Latin is how formulas are written: `Δw`, `σ2`, `λ_max`. These look like no Latin letter. */
const FORMULA_GREEK = /[βδεζηθλμξπσςφψωΓΔΘΛΞΠΣΦΨΩαγτ]/gu;

/**
 * Why a name does not read as what it is; null for a plain one. ASCII names are plain.
 * Source: Unicode Technical Standards 39 (mixed scripts, confusables) and 55 (source code); CVE-2021-42694.
 *
 * @param others names that stand in the same file: one of another script that looks like one of them is not plain
 */
export const nameTrouble = (
  name: string,
  protectedNames: readonly string[],
  others: ReadonlySet<string> = new Set(),
): string | null => {
  if (/^[\x20-\x7e]*$/.test(name)) return null;
  if (/[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/u.test(name))
    return 'holds an invisible character';
  const look = skeleton(name);
  const like = protectedNames.find((each) => each.toLowerCase() === look);
  if (like !== undefined && name.toLowerCase() !== like.toLowerCase()) return `looks like ${like}`;
  if (name.normalize('NFKC') !== name) return `is another spelling of ${name.normalize('NFKC')}`;
  const foreign = name.replaceAll(FORMULA_GREEK, '');
  if (!/^[\x20-\x7e]*$/.test(foreign) && look !== name.toLowerCase() && others.has(look))
    return `looks like ${look}`;
  const used = SCRIPTS.filter((script) => script.test(foreign));
  return used.length > 1 ? 'mixes scripts that look alike' : null;
};

/** Controls that make a text read in another order than it runs (CVE-2021-42574), and other characters without ink. */
const HIDDEN =
  /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u{e0000}-\u{e007f}]|(?!^)\ufeff/gu;
/** Controls that a parser or a terminal may take for something else. */
const CONTROLS = /(?![\t\n\r])\p{Cc}/gu;

/** Characters of a text that hide what it says, each with its place in the text. */
export const hiddenCharacters = (
  text: string,
): readonly { readonly index: number; readonly name: string }[] =>
  [...text.matchAll(HIDDEN), ...text.matchAll(CONTROLS)].map(({ index, 0: character }) => ({
    index,
    name: `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  }));

/** Folders at the root of a machine that no program of a study has business with. */
const MACHINE =
  /^\/+(?:\.\/+)*(?:bin|boot|dev(?!\/shm(?:\/|$))|etc|home|host|lib|lib64|media|mnt|opt|private|proc|root|run|runtime|sbin|snap|srv|sys|usr|var|Users|Library)(?:\/|$)/u;

/**
 * Why a text is a path out of what a program may read (/program, /data, /task) and write (/out, /tmp); null for any
 * other text.
 *
 * @param folders levels below the program's folder that the file stands at
 */
export const pathTrouble = (text: string, folders: number): string | null => {
  if (text === '' || text.length > 4096 || /[\s\0]/u.test(text)) return null;
  const path = text.replace(/^file:\/*/iu, '/').replaceAll('\\', '/');
  if (/^(?:[A-Za-z]:\/|\/\/[^/]+\/|~\/)/u.test(path) && !/^\w+:\/\//u.test(text))
    return 'is a path of the machine';
  if (MACHINE.test(path)) return 'is a path of the machine';
  if (!/(?:^|\/)\.\.(?:\/|$)/u.test(path)) return null;
  let depth = path.startsWith('/') ? 0 : folders;
  for (const part of path.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return 'climbs out of its folder';
  }
  return path.startsWith('/') && path.includes('/../') ? 'climbs to another folder' : null;
};

/** What a message can show of a text that someone else wrote: short, on one line, every character visible. */
export const shown = (text: string): string => {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return short
    .toWellFormed()
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
};

/** The protected parameter that a name is, in any case; null for another name. */
export const protectedName = (name: string, names: readonly string[]): string | null => {
  const lower = name.toLowerCase();
  return names.find((each) => each.toLowerCase() === lower) ?? null;
};
