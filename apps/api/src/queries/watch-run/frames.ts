import type { RecordedEvent } from '#libs/kernel';
import { showEvent } from '../runs/runs.controller.ts';

export interface FrameOptions {
  readonly heartbeatMs: number;
  /** The server stops: clients are told to come back. */
  readonly stopping: AbortSignal;
  /** The client would not be let in any more. */
  readonly lapsed: AbortSignal;
  /** The client has gone. */
  readonly gone: AbortSignal;
}

/** How long a client waits before it comes back: after a cut, and after the server said that it stops. */
const RETRY_MS = 3_000;
const RETRY_STOPPING_MS = 1_000;

/**
 * Events as frames of a stream (HTML standard, section 9.2), with a comment whenever nothing has come for a while. The
 * next event is asked for only when the last one has been taken: a slow reader slows the reading, nothing piles up.
 */
export async function* frames(
  events: AsyncGenerator<RecordedEvent>,
  { heartbeatMs, stopping, lapsed, gone }: FrameOptions,
): AsyncGenerator<string> {
  // Sent at once, so that the client knows that it is connected.
  yield `retry: ${RETRY_MS}\n\n`;
  let next = events.next();
  try {
    for (;;) {
      const first = await firstOf(next, heartbeatMs);
      if (first === 'nothing') {
        yield ': alive\n\n';
        continue;
      }
      if (first.done === true) break;
      const event = first.value;
      yield `id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(showEvent(event))}\n\n`;
      next = events.next();
    }
    if (gone.aborted) return;
    if (lapsed.aborted) {
      yield ': the token is no longer good for this run\n\n';
      return;
    }
    yield stopping.aborted
      ? `retry: ${RETRY_STOPPING_MS}\n: the server stops; come back\n\n`
      : 'event: end\ndata: {}\n\n';
  } finally {
    // A subscription that waits ends with its signal; its last promise must not be left alone.
    next.catch(() => undefined);
    await events.return(undefined).catch(() => undefined);
  }
}

const firstOf = async <T>(next: Promise<T>, milliseconds: number): Promise<T | 'nothing'> => {
  let timer: NodeJS.Timeout | undefined;
  const nothing = new Promise<'nothing'>((resolve) => {
    timer = setTimeout(resolve, milliseconds, 'nothing');
  });
  try {
    return await Promise.race([next, nothing]);
  } finally {
    clearTimeout(timer);
  }
};
