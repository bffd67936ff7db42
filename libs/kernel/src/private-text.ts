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

/** At most three bytes for each of the 300 UTF-16 units that a reason may have (libs/mandate); an empty one says nothing. */
const TEXT_BYTES = { least: 1, most: 900 } as const;
const TAG_BYTES = 16;

const KEY_ID = /^text-[0-9a-f]{32}$/;
const NONCE = /^[A-Za-z0-9+/]{16}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?$/;

const holdsText = (ciphertext: string): boolean => {
  const padding = /=*$/.exec(ciphertext)?.[0].length ?? 0;
  const bytes = (ciphertext.length / 4) * 3 - padding - TAG_BYTES;
  return bytes >= TEXT_BYTES.least && bytes <= TEXT_BYTES.most && BASE64.test(ciphertext);
};

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
    holdsText(ciphertext)
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

/** Whether an event holds a human's text in clear, as older versions did: none is written so any more. */
export const holdsClearText = (data: unknown): boolean =>
  typeof data === 'object' &&
  data !== null &&
  Object.values(data).some(
    (member: unknown) =>
      typeof member === 'object' &&
      member !== null &&
      (member as { readonly kind?: unknown }).kind === 'plain' &&
      typeof (member as { readonly text?: unknown }).text === 'string',
  );

/** For pages that are made without keys, such as exports: a text in clear as it is, else that there is one. */
export const withoutKey = (text: PrivateText): string =>
  text.kind === 'plain' ? text.text : '(sealed)';
