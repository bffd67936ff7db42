import canonicalize from 'canonicalize';
import type { Hash } from './ports.ts';

const utf8 = new TextEncoder();

/** SHA-256 of the RFC 8785 form: how a run pins what it was opened with. */
export const pinnedDigest = (value: unknown, sha256: Hash): string =>
  sha256(utf8.encode(canonicalize(value) ?? ''));
