/**
 * Letters of other scripts that look like one of ASCII, after compatibility normalisation (NFKC) has dealt with
 * full-width, mathematical, circled and other styled forms: an excerpt of Unicode's confusables (UTS #39) for what
 * identifiers are made of. Each ASCII character is followed by those that stand for it.
 */
const LOOK_ALIKES: readonly string[] = [
  'aаɑα',
  'bЬƄᖯ',
  'cсϲᴄⲥ',
  'dԁᑯꓒ',
  'eеҽℯ',
  'gɡց',
  'hһհᏂ',
  'iіɩιıӏꙇ',
  'jјϳ',
  'kᴋκкⲕ',
  'lⅼƖǀ∣ⵏ',
  'mⅿ',
  'nոռ',
  'oоοօσᴏⲟഠ',
  'pрρⲣ',
  'qԛզ',
  'rгᴦⲅ',
  'sѕꜱ',
  'uυսᴜ',
  'vνѵᴠ',
  'wԝաᴡ',
  'xхⅹ×᙮',
  'yуүγʏ',
  'zᴢ',
  'AАΑᎪᗅ',
  'BВΒᏴᗷ',
  'CСϹᏟⲤ',
  'DᎠᗞ',
  'EЕΕᎬⴹ',
  'FϜᖴ',
  'GԌᏀ',
  'HНΗᎻᕼ',
  'IІΙӀⵊ',
  'JЈᎫ',
  'KКΚᏦ',
  'LᏞᒪ',
  'MМΜᎷ',
  'NΝⲚ',
  'OОΟՕⵔ',
  'PРΡᏢ',
  'QⵕԚ',
  'RᎡᖇ',
  'SЅՏᏚ',
  'TТΤᎢ',
  'UՍᑌ',
  'VѴᏙ',
  'WԜᎳ',
  'XХΧⅩ᙭',
  'YУΥҮ',
  'ZΖᏃ',
  '-‐‑‒–—―−﹘⁃➖',
  '.․․。‧∙·•',
  '@﹫＠',
  ':∶：ː',
  '/⁄∕⧸',
  '+﹢➕',
  "'’ʼ′",
];

const ASCII_OF: ReadonlyMap<string, string> = new Map(
  LOOK_ALIKES.flatMap((group) => {
    const [ascii = '', ...others] = group;
    return others.map((other) => [other, ascii] as const);
  }),
);

/** The text with every look-alike replaced by the ASCII character that it stands for. */
export const withoutLookAlikes = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- everything that is not ASCII
  text.replace(/[^\x00-\x7f]/gu, (character) => ASCII_OF.get(character) ?? character);
