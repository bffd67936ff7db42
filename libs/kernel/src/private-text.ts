/** A text whose key lies outside the log: who erases the key erases the text, and every hash still holds. */
export interface SealedText {
  readonly kind: 'sealed';
  /** Names the key that opens it. Random: it says nothing of the text. */
  readonly keyId: string;
  /** Base64 of the 12 bytes that AES-256-GCM was given beside the key. */
  readonly nonce: string;
  /** Base64 of the encrypted UTF-8 and its tag of 16 bytes. */
  readonly ciphertext: string;
}

/** What a human wrote. In clear it stands in events of older versions alone. */
export type PrivateText = SealedText | { readonly kind: 'plain'; readonly text: string };

/** In base64: three bytes for each of the 300 UTF-16 units that a reason may have (libs/mandate), and the tag. */
const LONGEST_CIPHERTEXT = 1224;

const KEY_ID = /^text-[0-9a-f]{32}$/;
const NONCE = /^[A-Za-z0-9+/]{16}$/;
/** At least one byte more than the tag: an empty text says nothing, sealed or not. */
const CIPHERTEXT = /^(?:[A-Za-z0-9+/]{4}){5,}(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?$/;
/** The tag's 16 bytes, and nothing before them. */
const TAG_ALONE = /^[A-Za-z0-9+/]{22}==$/;

const isText = (value: unknown): value is string => typeof value === 'string';

/** Whether something has the form of a sealed text that holds at least one byte. */
export const isSealedText = (value: unknown): value is SealedText => {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, keyId, nonce, ciphertext, ...more } = value as Partial<
    Record<keyof SealedText, unknown>
  >;
  return (
    Object.keys(more).length === 0 &&
    kind === 'sealed' &&
    isText(keyId) &&
    KEY_ID.test(keyId) &&
    isText(nonce) &&
    NONCE.test(nonce) &&
    isText(ciphertext) &&
    ciphertext.length <= LONGEST_CIPHERTEXT &&
    CIPHERTEXT.test(ciphertext) &&
    !TAG_ALONE.test(ciphertext)
  );
};

/**
 * What keeps a human's text from standing in a new event; null when nothing does. A decider can't read what is sealed:
 * the edge has screened the text before it sealed it.
 */
export const sealedProblem = (text: PrivateText): string | null =>
  isSealedText(text)
    ? null
    : 'found a text in clear, an empty one or one in another form, expected a sealed one: what people write is sealed before it is sent';

/** The sealed texts among an event's members. */
export const sealedTextsIn = (data: unknown): readonly SealedText[] =>
  typeof data === 'object' && data !== null ? Object.values(data).filter(isSealedText) : [];

/** For pages that are made without keys, such as exports: a text in clear as it is, else that there is one. */
export const withoutKey = (text: PrivateText): string =>
  text.kind === 'plain' ? text.text : '(sealed)';
