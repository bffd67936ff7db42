/** A bundle's bytes, wherever they lie: read in any order, so that it needn't fit into memory. */
export interface BundleSource {
  /** Bytes in all. */
  readonly size: number;
  /** The bytes from `offset` on, as many as were asked for or as there are. They are not written to afterwards. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export const bytesSource = (bytes: Uint8Array): BundleSource => ({
  size: bytes.length,
  read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
});

/** A Blob or File, as a page gets it from whoever drops it there. */
export const blobSource = (blob: {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}): BundleSource => ({
  size: blob.size,
  read: async (offset, length) =>
    new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
});

/** Some lines that were read together. */
export interface LineBlock {
  readonly bytes: Uint8Array;
  /** Where `bytes` stands in the file. */
  readonly offset: number;
  /** Where each line ends in `bytes`: the place of its line feed. The first one begins at 0, each other after the one before. */
  readonly ends: readonly number[];
  /** The file ends here with bytes that no line feed ends. */
  readonly rest: boolean;
}

const BLOCK = 256 * 1024;
const LINE_FEED = 0x0a;

/** The file's lines from `from` on. Ends early, with no more said, at a line longer than `longest`. */
export async function* lineBlocks(
  source: BundleSource,
  from: number,
  longest: number,
): AsyncGenerator<LineBlock> {
  let offset = from;
  let length = BLOCK;
  while (offset < source.size) {
    const bytes = await source.read(offset, length);
    if (bytes.length === 0) throw new Error('the bundle became shorter while it was read');
    const ends: number[] = [];
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1))
      ends.push(at);
    const last = ends.at(-1);
    const isEnd = offset + bytes.length >= source.size;
    if (last === undefined && !isEnd) {
      if (length > longest) return;
      length = Math.min(2 * length, longest + 1);
      continue;
    }
    yield { bytes, offset, ends, rest: isEnd && last !== bytes.length - 1 };
    if (isEnd) return;
    offset += last! + 1;
    length = BLOCK;
  }
}
