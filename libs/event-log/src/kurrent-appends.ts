import { randomUUID } from 'node:crypto';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type {
  BatchAppendReq,
  BatchAppendResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import { reasonOf } from '#libs/kernel';
import type { ChainedEvent } from './hash-chain.ts';
import type { KurrentConnection } from './kurrent-connection.ts';
import { appendBytes, proposed, wholeNumber } from './kurrent-records.ts';
import { streamIdentifier } from './kurrent-requests.ts';
import type { ExpectedRevision } from './port.ts';

/** What came of an append. */
export type AppendAnswer =
  | { readonly kind: 'written'; readonly revision: number; readonly position: number | null }
  | { readonly kind: 'wrong-revision' }
  | { readonly kind: 'tombstoned' }
  | { readonly kind: 'too-large'; readonly limit: number }
  | { readonly kind: 'denied' }
  /** The server's answer cannot be taken for what it says. */
  | { readonly kind: 'unreadable'; readonly error: unknown }
  /** No answer, or none that says whether it was written. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Appends over one call that stays open: answers come in any order and are told by their id. */
export interface KurrentAppends {
  readonly send: (
    stream: string,
    expected: ExpectedRevision,
    events: readonly ChainedEvent[],
  ) => Promise<AppendAnswer>;
  /** Everything under way is answered with `unknown`. */
  readonly close: () => void;
}

/** A message to the server holds about so many bytes at most; a larger append goes in several. */
const MESSAGE_BYTES = 2 * 1024 * 1024;

type Call = ClientDuplexStream<BatchAppendReq, BatchAppendResp>;

const DETAILS = 'event_store.client.';

const refusalOf = (status: Status): AppendAnswer => {
  const details = status.getDetails();
  const name = details?.getTypeName() ?? '';
  switch (name) {
    case `${DETAILS}WrongExpectedVersion`:
      return { kind: 'wrong-revision' };
    case `${DETAILS}StreamDeleted`:
      return { kind: 'tombstoned' };
    case `${DETAILS}AccessDenied`:
      return { kind: 'denied' };
    case `${DETAILS}MaximumAppendSizeExceeded`: {
      const found = details?.unpack(
        (bytes) => shared.MaximumAppendSizeExceeded.deserializeBinary(bytes),
        name,
      );
      return { kind: 'too-large', limit: found?.getMaxappendsize() ?? 0 };
    }
    default:
      return { kind: 'unknown', reason: `the server answers ${status.getMessage() || name}` };
  }
};

const answerOf = (response: BatchAppendResp): AppendAnswer => {
  const status = response.getError();
  if (status !== undefined) return refusalOf(status);
  const success = response.getSuccess();
  if (success === undefined) return { kind: 'unknown', reason: 'the server’s answer is empty' };
  return {
    kind: 'written',
    revision: success.hasCurrentRevision()
      ? wholeNumber(success.getCurrentRevision(), 'the revision')
      : -1,
    position: success.hasPosition()
      ? wholeNumber(success.getPosition()!.getCommitPosition(), 'the position')
      : null,
  };
};

/** Nothing may be thrown where an answer comes in: nobody would catch it. */
const readAnswer = (response: BatchAppendResp): AppendAnswer => {
  try {
    return answerOf(response);
  } catch (error) {
    return { kind: 'unreadable', error };
  }
};

function* messages(
  stream: string,
  expected: ExpectedRevision,
  events: readonly ChainedEvent[],
  correlation: InstanceType<typeof shared.UUID>,
): Generator<BatchAppendReq> {
  const options = new streams.BatchAppendReq.Options().setStreamIdentifier(
    streamIdentifier(stream),
  );
  if (expected === 'no-stream') options.setNoStream(new shared.Empty());
  else options.setStreamPosition(String(expected));
  let message = new streams.BatchAppendReq().setCorrelationId(correlation).setOptions(options);
  let bytes = 0;
  for (const event of events) {
    const more = appendBytes(event);
    if (bytes > 0 && bytes + more > MESSAGE_BYTES) {
      yield message.setIsFinal(false);
      message = new streams.BatchAppendReq().setCorrelationId(correlation);
      bytes = 0;
    }
    message.addProposedMessages(proposed(event));
    bytes += more;
  }
  yield message.setIsFinal(true);
}

export const kurrentAppends = (connection: KurrentConnection): KurrentAppends => {
  const pending = new Map<string, (answer: AppendAnswer) => void>();
  let calling: Promise<Call> | null = null;

  const failAll = (reason: string): void => {
    const waiting = [...pending.values()];
    for (const answer of waiting) answer({ kind: 'unknown', reason });
  };

  const open = (): Promise<Call> => {
    const opened: Promise<Call> = connection.openAppends().then((call) => {
      const over = (reason: string): void => {
        if (calling !== opened) return;
        calling = null;
        failAll(reason);
      };
      call.on('data', (response: BatchAppendResp) => {
        pending.get(response.getCorrelationId()?.getString() ?? '')?.(readAnswer(response));
      });
      call.on('error', (error) => over(reasonOf(error)));
      call.on('end', () => {
        over('the server ended the connection');
        call.cancel();
      });
      return call;
    });
    opened.catch(() => {
      if (calling === opened) calling = null;
    });
    return opened;
  };

  /** A call that leaves an append unanswered is not trusted with the next one. */
  const giveUp = (on: Promise<Call> | null): void => {
    if (on === null || calling !== on) return;
    calling = null;
    failAll('the connection was given up, since the server left an append unanswered');
    on.then(
      (call) => call.cancel(),
      () => {},
    );
  };

  return {
    send: (stream, expected, events) =>
      new Promise((resolve) => {
        const id = randomUUID();
        const current = (calling ??= open());
        const answer = (found: AppendAnswer): void => {
          if (!pending.delete(id)) return;
          clearTimeout(timer);
          resolve(found);
        };
        const timer = setTimeout(() => {
          answer({ kind: 'unknown', reason: `no answer within ${connection.deadline} ms` });
          giveUp(current);
        }, connection.deadline);
        pending.set(id, answer);
        const correlation = new shared.UUID().setString(id);
        current.then(
          (call) => {
            for (const message of messages(stream, expected, events, correlation)) {
              if (!pending.has(id)) return;
              call.write(message);
            }
          },
          (error: unknown) => answer({ kind: 'unknown', reason: reasonOf(error) }),
        );
      }),

    close: () => {
      const current = calling;
      calling = null;
      failAll('the event log was closed');
      current?.then(
        (call) => call.cancel(),
        () => {},
      );
    },
  };
};
