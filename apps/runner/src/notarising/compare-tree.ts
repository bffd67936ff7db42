import type { EventLog } from '#libs/event-log';
import type { StoredEvent } from '#libs/kernel';
import { sha256, type LogTree } from '#libs/log-tree';
import {
  appendLeaf,
  EMPTY_FRONTIER,
  HASH_BYTES,
  leafHash,
  rootOf,
  sameHash,
  TILE_HEIGHT,
  TILE_WIDTH,
} from '#libs/merkle';
import { isTrouble, leavesOf, nameOf, readLeaf, type Trouble } from './new-leaves.ts';

/** Leaves that are written to the tree's files at once. */
export const BATCH = 1000;

/** A checkpoint that was signed. */
export interface Signed {
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

/**
 * Reads the log from its start and compares it with what was signed last and with the tree's files. Files that say
 * something else than a log whose root is the signed one are wrong themselves, and made again from it. Afterwards the
 * tree holds the leaves that were signed, and no other.
 *
 * @param see - is shown each of these leaves, in order
 */
export const compareWithSigned = async (
  log: Pick<EventLog, 'readStored'>,
  tree: LogTree,
  signed: Signed | null,
  signal: AbortSignal,
  see: (leaf: StoredEvent) => void,
): Promise<Trouble | null> => {
  const signedSize = signed?.size ?? 0;
  const treeSize = tree.size;
  const holds = filesOf(tree);
  let frontier = EMPTY_FRONTIER;
  /** The first event that stands otherwise in the tree's files. */
  let differs: string | null = null;
  let isRebuilt = false;

  const root = (): Trouble | null => {
    const found = Buffer.from(rootOf(sha256, frontier)).toString('base64');
    return signed === null || found === signed.root
      ? null
      : {
          reason: 'not-an-extension',
          found: `${signedSize} events with the root ${found}${differs === null ? '' : `; the first that is not as it was: ${differs}`}`,
          expected: `the root ${signed.root}, which was signed`,
        };
  };

  for await (const stored of leavesOf(log, null)) {
    signal.throwIfAborted();
    const index = frontier.size;
    if (index >= Math.max(signedSize, isRebuilt ? 0 : treeSize)) break;
    const event = readLeaf(stored);
    if (isTrouble(event)) return event;
    if (index < signedSize) see(stored);
    let isSame = tree.positionOf(index) === event.position;
    const leaf = leafHash(sha256, Buffer.from(event.hash, 'hex'));
    frontier = appendLeaf(sha256, frontier, leaf, (height, at, node) => {
      if (height % TILE_HEIGHT === 0 && isSame) isSame = holds(height / TILE_HEIGHT, at, node);
    });
    if (!isSame) {
      differs ??= nameOf(event);
      // Leaves that were never signed are in the files because this notary saw them in the log.
      if (index >= signedSize)
        return {
          reason: 'not-an-extension',
          found: `${nameOf(event)} (${event.hash}) as event ${index} of the log`,
          expected: `another one, which the notary saw there: the log was rolled back and went on otherwise (or the files in log-tree were changed: remove them, and they are made again)`,
        };
    }
    if (frontier.size === signedSize) {
      const trouble = root();
      if (trouble !== null) return trouble;
      if (differs !== null) isRebuilt = true;
    }
  }
  const known = Math.max(signedSize, differs === null ? treeSize : 0);
  if (frontier.size < known)
    return {
      reason: 'shorter-log',
      found: `${frontier.size} events`,
      expected:
        signedSize === known
          ? `at least the ${signedSize} that were signed`
          : `at least the ${known} that the notary saw (the files in log-tree hold them; remove them only if they are what is wrong)`,
    };
  if (isRebuilt) await rebuild(log, tree, signedSize, signal);
  else tree.cut(signedSize);
  return null;
};

/** Whether the tree's files hold a hash, looking at each tile once: the log is read in order. */
const filesOf = (tree: LogTree): ((level: number, index: number, node: Uint8Array) => boolean) => {
  const looked = new Map<number, { readonly index: number; readonly bytes: Uint8Array }>();
  return (level, index, node) => {
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    const tile = Math.floor(index / TILE_WIDTH);
    const known = looked.get(level);
    const bytes = known?.index === tile ? known.bytes : tree.tile(level, tile);
    looked.set(level, { index: tile, bytes });
    return bytes.length >= at + HASH_BYTES && sameHash(bytes.subarray(at, at + HASH_BYTES), node);
  };
};

/** Makes the files of the first `size` leaves again. Stopped half-way, the next comparison begins it anew. */
const rebuild = async (
  log: Pick<EventLog, 'readStored'>,
  tree: LogTree,
  size: number,
  signal: AbortSignal,
): Promise<void> => {
  tree.cut(0);
  let batch: { readonly position: number; readonly hash: string }[] = [];
  for await (const { position, hash: chainHash } of leavesOf(log, null)) {
    signal.throwIfAborted();
    batch.push({ position, hash: chainHash });
    const isLast = tree.size + batch.length === size;
    if (isLast || batch.length === BATCH) {
      tree.append(batch);
      batch = [];
    }
    if (isLast) return;
  }
};
