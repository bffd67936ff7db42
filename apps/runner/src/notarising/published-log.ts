import { join } from 'node:path';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { readLogTree, sha256, type LogTreeReader } from '#libs/log-tree';
import { HASH_BYTES, leafHash, sameHash, TILE_WIDTH, type ServedTile } from '#libs/merkle';
import type { CheckpointAnchored, CheckpointSigned, NotaryEvent } from '#libs/notary';
import type { Ledger } from '../ledger.ts';
import { NOTARY } from '../streams.ts';
import { leavesOf } from './new-leaves.ts';
import { lastSigned, LOG_TREE } from './notary.ts';

export type PublishedRefusalCode =
  /** Nobody signed the log yet. */
  | 'not-signed'
  /** The tree that was signed has no such tile. */
  | 'tile-unknown'
  /** The tree's files on this host lack what was signed. */
  | 'tree-incomplete'
  /** The log and the tree's files say different things. */
  | 'ledger-damaged';

type Published<T> = Result<T, Refusal<PublishedRefusalCode>>;

const NOT_SIGNED = refused({
  code: 'not-signed' as const,
  message: 'found a log that nobody signed yet, expected a checkpoint; the notary signs it',
});

/**
 * The newest checkpoint as whoever follows the log is given it (C2SP tlog-tiles): the note that the log signed, with the
 * cosignatures of the witnesses that hold it. Nothing is verified here: whoever reads it has the keys.
 */
export const publishedCheckpoint = async ({
  log,
}: Pick<Ledger, 'log'>): Promise<Published<string>> => {
  const cosignatures: string[] = [];
  for await (const event of log.readStream<NotaryEvent>(NOTARY, { direction: 'backwards' })) {
    if (event.type === 'CheckpointAnchored') {
      const { kind, evidence } = event.data as CheckpointAnchored['data'];
      if (kind === 'witness') cosignatures.unshift(`${evidence}\n`);
    }
    if (event.type === 'CheckpointSigned')
      return ok((event.data as CheckpointSigned['data']).note + cosignatures.join(''));
  }
  return NOT_SIGNED;
};

/**
 * A tile of the tree that was signed last, or the entries beneath one of level 0 (C2SP tlog-tiles). Of what the notary
 * took into the tree and has not signed, nothing is given: it could still be taken back.
 */
export const publishedTile = async (
  { folder, log }: Pick<Ledger, 'folder' | 'log'>,
  { level, index, width }: ServedTile,
): Promise<Published<Uint8Array>> => {
  const signed = await lastSigned(log);
  if (signed === null) return NOT_SIGNED;
  const { size } = signed.data;
  const depth = level === 'entries' ? 0 : level;
  const hashes = Math.floor(size / TILE_WIDTH ** depth);
  if (index * TILE_WIDTH + width > hashes)
    return refused({
      code: 'tile-unknown',
      message: `found a tree of ${size} events, which has ${hashes} hashes at level ${depth}; expected a tile of those: take the checkpoint first`,
    });
  const tree = readLogTree(join(folder, LOG_TREE));
  try {
    const tile = tree?.tile(depth, index).subarray(0, width * HASH_BYTES);
    if (tree === null || tile?.length !== width * HASH_BYTES)
      return refused({
        code: 'tree-incomplete',
        message: `found the files of ${tree?.size ?? 0} events in ${LOG_TREE}, expected those of ${size}, which were signed; the notary makes them again where it runs`,
      });
    return level === 'entries' ? await entriesOf(log, tree, index * TILE_WIDTH, tile) : ok(tile);
  } finally {
    tree?.close();
  }
};

/** An entry's length stands before it, in so many bytes. */
const LENGTH_BYTES = 2;

/** The leaves from `first` on, as many as there are `hashes` of them: the chain hash of each event, and no more of it. */
const entriesOf = async (
  log: Pick<Ledger['log'], 'readStored'>,
  tree: LogTreeReader,
  first: number,
  hashes: Uint8Array,
): Promise<Published<Uint8Array>> => {
  const bytes = Buffer.alloc((hashes.length / HASH_BYTES) * (LENGTH_BYTES + HASH_BYTES));
  let at = 0;
  for await (const { hash } of leavesOf(log, tree.positionOf(first - 1))) {
    const entry = Buffer.from(hash, 'hex');
    const leaf = (at / (LENGTH_BYTES + HASH_BYTES)) * HASH_BYTES;
    if (!sameHash(leafHash(sha256, entry), hashes.subarray(leaf, leaf + HASH_BYTES))) break;
    at = bytes.writeUInt16BE(entry.length, at);
    at += entry.copy(bytes, at);
    if (at === bytes.length) return ok(bytes);
  }
  return refused({
    code: 'ledger-damaged',
    message: `found another event than the tree's files have as leaf ${first + at / (LENGTH_BYTES + HASH_BYTES)}, expected the one that was signed`,
  });
};
