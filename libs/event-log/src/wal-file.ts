import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * What a write-ahead file holds, read without SQLite. Format: https://sqlite.org/fileformat2.html#walformat
 */
export interface WalContent {
  readonly bytes: number;
  /** Frames up to the last commit whose checksums hold: SQLite keeps these. */
  readonly committedFrames: number;
  /** The pages that those frames hold. */
  readonly committedPages: ReadonlySet<number>;
  /** The database's size in pages after the last commit, null when there is none. */
  readonly databasePages: number | null;
  /** Frames (the last one perhaps cut) of the current generation after the last commit: SQLite drops these. */
  readonly droppedFrames: number;
  readonly droppedBytes: number;
  /**
   * What shows that acknowledged commits are lost, null when nothing does. SQLite syncs the header before
   * the frames and each commit before the next, so an interrupted write can spoil the last commit only.
   */
  readonly damage: string | null;
}

const HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC = 0x377f0682;

const nothing = (bytes: number): WalContent => ({
  bytes,
  committedFrames: 0,
  committedPages: new Set(),
  databasePages: null,
  droppedFrames: 0,
  droppedBytes: 0,
  damage: null,
});

type Checksum = readonly [number, number];

const checksum = (view: DataView, from: number, to: number, little: boolean, seed: Checksum) => {
  let [first, second] = seed;
  for (let at = from; at < to; at += 8) {
    first = (first + view.getUint32(at, little) + second) >>> 0;
    second = (second + view.getUint32(at + 4, little) + first) >>> 0;
  }
  return [first, second] as const;
};

const inspect = (file: number): WalContent => {
  const { size } = fstatSync(file);
  const header = new DataView(new ArrayBuffer(HEADER));
  if (readSync(file, header, 0, HEADER, 0) < HEADER) {
    return { ...nothing(size), droppedBytes: size };
  }
  const magic = header.getUint32(0);
  const little = magic === MAGIC;
  const pageSize = header.getUint32(8);
  let sum: Checksum = checksum(header, 0, 24, little, [0, 0]);
  const headerHolds =
    (magic & ~1) === MAGIC &&
    pageSize >= 512 &&
    pageSize <= 65_536 &&
    sum[0] === header.getUint32(24) &&
    sum[1] === header.getUint32(28);
  // SQLite ignores the whole file then.
  if (!headerHolds) {
    return {
      ...nothing(size),
      droppedBytes: size,
      damage: size > HEADER ? 'its header does not hold' : null,
    };
  }

  const frame = new DataView(new ArrayBuffer(FRAME_HEADER + pageSize));
  const committedPages = new Set<number>();
  let pending: number[] = [];
  let databasePages: number | null = null;
  let committedFrames = 0;
  let droppedFrames = 0;
  let end = HEADER;
  let droppedEnd = HEADER;
  let chained = true;
  let droppedCommit = false;
  let damage: string | null = null;

  for (let at = HEADER; at < size; at += frame.byteLength) {
    const read = readSync(file, frame, 0, Math.min(frame.byteLength, size - at), at);
    // A cut header is counted with the frames before it. Other salts: a leftover of an earlier generation,
    // which was checkpointed long ago.
    const current =
      read < 16 ||
      (frame.getUint32(8) === header.getUint32(16) && frame.getUint32(12) === header.getUint32(20));
    if (!current) break;
    if (droppedCommit)
      damage = `frame ${committedFrames + pending.length + 1} does not hold, but whole commits stand after it`;
    const page = read >= 4 ? frame.getUint32(0) : 0;
    const sizeAfterCommit = read >= 8 ? frame.getUint32(4) : 0;
    if (chained && read === frame.byteLength && page > 0) {
      sum = checksum(frame, 0, 8, little, sum);
      sum = checksum(frame, FRAME_HEADER, frame.byteLength, little, sum);
      chained = sum[0] === frame.getUint32(16) && sum[1] === frame.getUint32(20);
    } else {
      chained = false;
    }
    droppedEnd = at + read;
    if (chained) {
      pending.push(page);
      if (sizeAfterCommit > 0) {
        for (const committed of pending) committedPages.add(committed);
        committedFrames += pending.length;
        pending = [];
        databasePages = sizeAfterCommit;
        end = droppedEnd;
      }
    } else {
      droppedFrames += 1;
      if (sizeAfterCommit > 0) droppedCommit = true;
    }
  }
  return {
    bytes: size,
    committedFrames,
    committedPages,
    databasePages,
    droppedFrames: droppedFrames + pending.length,
    droppedBytes: droppedEnd - end,
    damage,
  };
};

/** What the write-ahead file at `path` holds; nothing when there is no such file. */
export const inspectWal = (path: string): WalContent => {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return nothing(0);
    throw error;
  }
  try {
    return inspect(file);
  } finally {
    closeSync(file);
  }
};
