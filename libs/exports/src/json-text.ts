import canonicalize from 'canonicalize';

const utf8 = new TextEncoder();

/** The RFC 8785 form of a JSON value, in UTF-8: the same value gives the same bytes. Throws on what is no JSON. */
export const jsonBytes = (value: unknown): Uint8Array => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('an export must be JSON data');
  return utf8.encode(text);
};

/** The same of an array, written member by member: a long one would be longer than a string may be. */
export const jsonArrayBytes = <Member>(
  members: readonly Member[],
  valueOf: (member: Member) => unknown,
): Uint8Array =>
  Buffer.concat([
    utf8.encode('['),
    ...members.flatMap((member, index) => [
      utf8.encode(index === 0 ? '' : ','),
      jsonBytes(valueOf(member)),
    ]),
    utf8.encode(']'),
  ]);
