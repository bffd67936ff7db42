import { fromBase64, toBase64 } from '#libs/checkpoints';
import { fromHex, isSha256, toHex } from '#libs/kernel';
import {
  appendLeaf,
  EMPTY_FRONTIER,
  HASH_BYTES,
  inclusionProof,
  leafHash,
  rootOf,
  type Sha256,
} from '#libs/merkle';
import type { CheckpointSigned } from './events.ts';

type Commitment = Pick<CheckpointSigned['data'], 'heads' | 'follows'>;

const utf8 = new TextEncoder();

/** Where a stream ends. */
export interface StreamHead {
  readonly stream: string;
  /** Chain hash of its first event: 64 hex digits. */
  readonly first: string;
  /** Revision and chain hash of its last event. */
  readonly revision: number;
  readonly hash: string;
}

type Ended = Pick<StreamHead, 'revision' | 'hash'>;

/** Names a stream without giving the name away: whoever is shown a proof learns nothing of other studies. */
const tagOf = (sha256: Sha256, { stream, first }: Pick<StreamHead, 'stream' | 'first'>) =>
  sha256(utf8.encode(`holdfast/stream/v1\n${stream}\n${first}`));

const leafOf = (sha256: Sha256, tag: Uint8Array, { revision, hash }: Ended): Uint8Array => {
  const leaf = new Uint8Array(2 * HASH_BYTES + 8);
  leaf.set(tag);
  new DataView(leaf.buffer).setBigUint64(HASH_BYTES, BigInt(revision));
  leaf.set(fromHex(hash), HASH_BYTES + 8);
  return leafHash(sha256, leaf);
};

/** The hash of a stream's leaf in the tree of heads: SHA-256 over its tag, the revision (uint64) and the chain hash. */
export const headLeaf = (sha256: Sha256, head: StreamHead): Uint8Array =>
  leafOf(sha256, tagOf(sha256, head), head);

/** The heads of all streams at one moment, as a Merkle tree (RFC 6962) with a leaf for each, sorted by tag. */
export interface HeadsTree {
  readonly streams: number;
  readonly root: Uint8Array;
  /** Where a stream's leaf stands, with its audit path; null for a stream that has no event. */
  readonly proofOf: (
    stream: string,
  ) => { readonly index: number; readonly proof: readonly Uint8Array[] } | null;
}

/**
 * Keeps the head of every stream while a log is read from its start: one entry a stream. Whether an event is linked to
 * its stream's head is the reader's to check, before it is seen.
 */
export const streamHeads = (sha256: Sha256) => {
  const heads = new Map<string, Ended & { readonly tag: string }>();
  const tree = (): HeadsTree => {
    const sorted = [...heads].sort(([, a], [, b]) => (a.tag < b.tag ? -1 : 1));
    const levels: Uint8Array[][] = [];
    let frontier = EMPTY_FRONTIER;
    for (const [, head] of sorted)
      frontier = appendLeaf(
        sha256,
        frontier,
        leafOf(sha256, fromHex(head.tag), head),
        (level, _, node) => {
          (levels[level] ??= []).push(node);
        },
      );
    const read = (level: number, index: number): Uint8Array => levels[level]![index]!;
    return {
      streams: sorted.length,
      root: rootOf(sha256, frontier),
      proofOf: (stream) => {
        const index = sorted.findIndex(([name]) => name === stream);
        return index < 0
          ? null
          : { index, proof: inclusionProof(sha256, read, index, sorted.length) };
      },
    };
  };
  return {
    see: ({ stream, revision, hash }: Omit<StreamHead, 'first'>): void => {
      const tag = heads.get(stream)?.tag ?? toHex(tagOf(sha256, { stream, first: hash }));
      heads.set(stream, { tag, revision, hash });
    },
    /** Where a stream ends as far as was seen; null for one that has no event. */
    headOf: (stream: string): Ended | null => heads.get(stream) ?? null,
    tree,
  };
};

/** What a checkpoint's text says after origin, size and root: nothing where it commits to nothing more. */
export const commitmentLines = ({ heads, follows }: Commitment): readonly string[] => [
  ...(heads === null ? [] : [`heads ${heads.streams} ${heads.root}`]),
  ...(follows === null ? [] : [`notary ${follows.revision} ${toBase64(fromHex(follows.hash))}`]),
];

/** Why a commitment says nothing that could be proven; null where it does. Both parts stand in it, or neither. */
export const commitmentProblem = ({ heads, follows }: Commitment, size: number): string | null => {
  if (heads === null && follows === null) return null;
  const isWhole =
    heads !== null &&
    follows !== null &&
    Number.isSafeInteger(heads.streams) &&
    heads.streams >= 1 &&
    heads.streams <= size &&
    fromBase64(heads.root)?.length === HASH_BYTES &&
    Number.isSafeInteger(follows.revision) &&
    follows.revision >= 0 &&
    isSha256(follows.hash);
  return isWhole
    ? null
    : 'found a commitment that is not one, expected the heads of 1 to all streams and the event of the notary before it';
};
