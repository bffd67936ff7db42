import {
  FORMAT,
  inOrder,
  isPlaced,
  lineOf,
  VERSION,
  type BundledStream,
  type BundleHeader,
  type Leaf,
  type ObjectType,
  type Subject,
} from './format.ts';
import { endLine, eventLine, objectLine, summaryLine } from './lines.ts';

/** An event to be bundled: its bytes as they are stored, and where it stands in the tree of the newest checkpoint. */
export interface EventToBundle {
  readonly type: string;
  readonly canonical: Uint8Array;
  /** Asked for where the format wants it. */
  readonly leaf: () => Leaf;
}

export interface StreamToBundle extends BundledStream {
  /** Its events from the first on, as many as `events` says. */
  readonly read: () => AsyncIterable<EventToBundle> | Iterable<EventToBundle>;
}

/** What a bundle is made of; whoever makes it has read it from the log and the repository. */
export interface BundleContent {
  readonly origin: string;
  readonly subject: Subject;
  readonly streams: readonly StreamToBundle[];
  /** Every git object that the verifier asks for, ascending by `oid`, each once. */
  readonly objects:
    | AsyncIterable<{
        readonly oid: string;
        readonly type: ObjectType;
        readonly content: Uint8Array;
      }>
    | Iterable<{ readonly oid: string; readonly type: ObjectType; readonly content: Uint8Array }>;
  readonly summary: string;
}

/**
 * The lines of a bundle, each with its line feed. The same content gives the same bytes.
 * @throws where a stream holds other events than were announced: the log changed under the reading
 */
export async function* writeBundle(content: BundleContent): AsyncGenerator<Uint8Array> {
  const { origin, subject, summary } = content;
  const streams = inOrder(content.streams) as readonly StreamToBundle[];
  const header: BundleHeader = {
    format: FORMAT,
    origin,
    streams: streams.map(({ events, head, heads, stream }) => ({ events, head, heads, stream })),
    subject: { id: subject.id, kind: subject.kind },
    version: VERSION,
  };
  let lines = 1;
  yield lineOf(header);
  for await (const { oid, type, content: bytes } of content.objects) {
    lines += 1;
    yield objectLine(oid, type, bytes);
  }
  for (const { stream, events, read } of streams) {
    let count = 0;
    for await (const { type, canonical, leaf } of read()) {
      count += 1;
      lines += 1;
      yield eventLine(canonical, isPlaced(stream, type, count === events) ? leaf() : null);
      if (count === events) break;
    }
    if (count !== events) throw new Error(`${stream} gave ${count} events, expected ${events}`);
  }
  yield summaryLine(summary);
  yield endLine(lines + 1);
}
