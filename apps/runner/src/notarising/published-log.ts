import { join } from 'node:path';
import { fromBase64 } from '#libs/checkpoints';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { readLogTree, sha256, type LogTreeReader } from '#libs/log-tree';
import {
  HASH_BYTES,
  leafHash,
  sameHash,
  TILE_WIDTH,
  type ServedTile,
  type Tile,
} from '#libs/merkle';
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
  /** The log, the tree's files and what was signed say different things. */
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
 * took into the tree and has not signed, nothing is given: it could still be taken back. Nor is a hash that the signed
 * root does not hold: whoever is given one keeps it for good.
 */
export const publishedTile = async (
  { folder, log }: Pick<Ledger, 'folder' | 'log'>,
  { level, index, width }: ServedTile,
): Promise<Published<Uint8Array>> => {
  const signed = await lastSigned(log);
  if (signed === null) return NOT_SIGNED;
  const { size, root } = signed.data;
  const depth = level === 'entries' ? 0 : level;
  const hashes = Math.floor(size / TILE_WIDTH ** depth);
  if (index * TILE_WIDTH + width > hashes)
    return refused({
      code: 'tile-unknown',
      message: `found a tree of ${size} events, which has ${hashes} hashes at level ${depth}; expected a tile of those: take the checkpoint first`,
    });
  const tree = readLogTree(join(folder, LOG_TREE));
  try {
    const proven = provenOf(tree, { level: depth, index }, { size, root });
    if (tree === null || proven === 'lacking')
      return refused({
        code: 'tree-incomplete',
        message: `found files of ${tree?.size ?? 0} events in ${LOG_TREE}, or hashes that are missing there, expected those of ${size}, which were signed; the notary makes them again where it runs`,
      });
    if (proven === null)
      return refused({
        code: 'ledger-damaged',
        message: `found hashes in ${LOG_TREE} that do not make the root ${root} of ${size} events, which was signed, with tile ${index} of level ${depth}; start the notary again: it compares the files with the log, and makes them again where they are what is wrong`,
      });
    const tile = proven.subarray(0, width * HASH_BYTES);
    return level === 'entries' ? await entriesOf(log, tree, index * TILE_WIDTH, tile) : ok(tile);
  } finally {
    tree?.close();
  }
};

/** The hashes of a tile, if they are those that were signed; null where they are others. */
const provenOf = (
  tree: LogTreeReader | null,
  tile: Omit<Tile, 'width'>,
  { size, root }: { readonly size: number; readonly root: string },
): Uint8Array | 'lacking' | null => {
  try {
    const signed = { size, root: fromBase64(root) ?? new Uint8Array() };
    return tree === null ? 'lacking' : tree.provenTile(tile, signed);
  } catch (error) {
    if (error instanceof RangeError) return 'lacking';
    throw error;
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
