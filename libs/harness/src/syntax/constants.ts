/** Constants that stand for constants: more levels than anybody needs, and few enough for any stack. */
const DEEPEST_CONSTANT = 16;
/** No path and no name is longer. */
export const LONGEST_FOLDED = 4096;

/**
 * Looks up the text that a name is sure to be. Each name is worked out once, however often it is asked for.
 *
 * @param fold works out a name's own expression, and asks back for the names in it
 */
export const constantTexts = (
  fold: (name: string, lookUp: (name: string) => string | null) => string | null,
): ((name: string) => string | null) => {
  const known = new Map<string, string | null>();
  let depth = 0;
  const lookUp = (name: string): string | null => {
    const text = known.get(name);
    if (text !== undefined) return text;
    if (depth >= DEEPEST_CONSTANT) return null;
    // One that asks for itself is not sure to be anything.
    known.set(name, null);
    depth += 1;
    const folded = fold(name, lookUp);
    depth -= 1;
    known.set(name, folded);
    return folded;
  };
  return lookUp;
};

/** The texts one after the other; null where one of them is unknown, or all of them are too long. */
export const joinedTexts = (texts: readonly (string | null)[]): string | null => {
  let length = 0;
  for (const text of texts) {
    if (text === null) return null;
    length += text.length;
    if (length > LONGEST_FOLDED) return null;
  }
  return texts.join('');
};
