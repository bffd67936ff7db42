import canonicalize from 'canonicalize';

/** The RFC 8785 form of a JSON value, in UTF-8: the same value gives the same bytes. Throws on what is no JSON. */
export const jsonBytes = (value: unknown): Uint8Array => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('an export must be JSON data');
  return new TextEncoder().encode(text);
};
