import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import type * as SharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type * as StreamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type * as StreamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type * as EmptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { v5 } from 'uuid';
import type { Step } from './script.ts';

const require = createRequire(import.meta.url);
const streams = require('@eventstore/db-client/generated/streams_pb.js') as typeof StreamsPb;
const shared = require('@eventstore/db-client/generated/shared_pb.js') as typeof SharedPb;
const { StreamsClient } =
  require('@eventstore/db-client/generated/streams_grpc_pb.js') as typeof StreamsGrpc;
const { Empty } = require('google-protobuf/google/protobuf/empty_pb.js') as typeof EmptyPb;

/** What came back, as plain data that are the same for every performance. */
export type Reply = Readonly<Record<string, unknown>>;

export interface Exchange {
  readonly step: Step;
  readonly replies: readonly Reply[];
}

const { Options } = streams.ReadReq;
const FORWARDS = Options.ReadDirection.FORWARDS;
const CANCELLED = status.CANCELLED;
const BACKWARDS = Options.ReadDirection.BACKWARDS;

/**
 * Asks every step of the server at `address` (host:port, insecure), by the raw services, and gives what came back:
 * positions, times, ids and stream names replaced by names that do not change, trailers and error details in full.
 */
export const perform = async (address: string, steps: readonly Step[]): Promise<Exchange[]> => {
  const client = new StreamsClient(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 17 * 1024 * 1024,
  });
  const run = `x${randomUUID().slice(0, 8)}-`;
  const idOf = (name: string): string => v5(name, '6f1f5a0e-3c8b-4f0e-9a57-1d1f0c2b9e44');
  const names = new Map<string, string>();
  const positions = new Map<string, string>();
  const placeOf = new Map<string, number>();

  const stable = (text: string): string => text.replaceAll(run, '');
  const placeName = (position: string): string => {
    if (!positions.has(position)) positions.set(position, `p${positions.size}`);
    return positions.get(position)!;
  };
  const identifier = (stream: string) =>
    new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8'));

  const contentOf = (content: string | number): Uint8Array =>
    typeof content === 'number' ? Buffer.alloc(content, 'x') : Buffer.from(content);

  const recordOf = (record: StreamsPb.ReadResp.ReadEvent.RecordedEvent): Reply => {
    const stream = Buffer.from(record.getStreamIdentifier()!.getStreamName_asU8()).toString('utf8');
    const position = record.getCommitPosition();
    const name = names.get(record.getId()!.getString()) ?? 'of the server';
    // A name may be used by several streams: where it stood first is what steps mean by it.
    if (!placeOf.has(name)) placeOf.set(name, Number(position));
    const data = Buffer.from(record.getData_asU8()).toString('utf8');
    return {
      event: name,
      stream: stable(stream),
      revision: record.getStreamRevision(),
      type: record.getMetadataMap().get('type'),
      contentType: record.getMetadataMap().get('content-type'),
      hasTime: /^\d+$/.test(record.getMetadataMap().get('created') ?? ''),
      position: placeName(position),
      samePrepare: record.getPreparePosition() === position,
      data: data.length > 100 ? `${data.length} bytes` : data,
      metadata: Buffer.from(record.getCustomMetadata_asU8()).toString('utf8'),
    };
  };

  const responseOf = (response: StreamsPb.ReadResp): Reply | null => {
    if (response.hasEvent()) return recordOf(response.getEvent()!.getEvent()!);
    if (response.hasConfirmation()) return { confirmation: true };
    if (response.hasCaughtUp()) return { caughtUp: true };
    if (response.hasStreamNotFound())
      return {
        streamNotFound: stable(
          Buffer.from(
            response.getStreamNotFound()!.getStreamIdentifier()!.getStreamName_asU8(),
          ).toString('utf8'),
        ),
      };
    if (response.hasFirstStreamPosition())
      return { firstStreamPosition: response.getFirstStreamPosition() };
    if (response.hasLastStreamPosition())
      return { lastStreamPosition: response.getLastStreamPosition() };
    // How often a checkpoint comes depends on what else is in the log.
    return null;
  };

  const errorOf = (error: ServiceError): Reply => ({
    error: error.code,
    details: stable(error.details),
    trailers: Object.fromEntries(
      [
        'exception',
        'stream-name',
        'expected-version',
        'actual-version',
        'maximum-append-size',
      ].flatMap((key) => {
        const found = error.metadata.get(key)[0];
        return found === undefined ? [] : [[key, stable(String(found))]];
      }),
    ),
  });

  const read = (request: StreamsPb.ReadReq): Promise<Reply[]> =>
    new Promise((resolve) => {
      const replies: Reply[] = [];
      const call = client.read(request);
      const limit = setTimeout(() => {
        replies.push({ silence: true });
        call.cancel();
      }, 5000);
      const over = (): void => {
        clearTimeout(limit);
        resolve(replies);
      };
      call.on('data', (response: StreamsPb.ReadResp) => {
        const reply = responseOf(response);
        if (reply !== null) replies.push(reply);
        if (response.hasCaughtUp()) call.cancel();
      });
      call.on('error', (error: ServiceError) => {
        if (error.code !== CANCELLED) replies.push(errorOf(error));
        over();
      });
      call.on('end', over);
    });

  const position = (from: { readonly event: string; readonly add?: number }): string => {
    const place = placeOf.get(from.event);
    if (place === undefined) throw new Error(`the script names ${from.event} before it was read`);
    return String(place + (from.add ?? 0));
  };

  const readRequest = (step: Step): StreamsPb.ReadReq => {
    const options = new Options()
      .setUuidOption(new Options.UUIDOption().setString(new shared.Empty()))
      .setControlOption(new Options.ControlOption().setCompatibility(1));
    if (step.ask === 'read') {
      const stream = new Options.StreamOptions().setStreamIdentifier(identifier(run + step.stream));
      if (step.from === 'start') stream.setStart(new shared.Empty());
      else if (step.from === 'end') stream.setEnd(new shared.Empty());
      else stream.setRevision(String(step.from));
      options
        .setStream(stream)
        .setNoFilter(new shared.Empty())
        .setCount(String(step.count))
        .setReadDirection(step.direction === 'forwards' ? FORWARDS : BACKWARDS);
    } else if (step.ask === 'read-all' || step.ask === 'subscribe') {
      const all = new Options.AllOptions();
      if (step.from === 'start') all.setStart(new shared.Empty());
      else if (step.from === 'end') all.setEnd(new shared.Empty());
      else
        all.setPosition(
          new Options.Position()
            .setCommitPosition(position(step.from))
            .setPreparePosition(position(step.from)),
        );
      options.setAll(all).setReadDirection(step.direction === 'backwards' ? BACKWARDS : FORWARDS);
      if (step.ask === 'subscribe') options.setSubscription(new Options.SubscriptionOptions());
      else options.setCount(String(step.count ?? 1));
      if (step.filter === undefined) options.setNoFilter(new shared.Empty());
      else
        options.setFilter(
          new Options.FilterOptions()
            .setStreamIdentifier(
              new Options.FilterOptions.Expression().setPrefixList([
                step.filter === 'streams' ? run : `$$${run}`,
              ]),
            )
            .setMax(4096)
            .setCheckpointintervalmultiplier(1),
        );
    }
    return new streams.ReadReq().setOptions(options);
  };

  const batchAppend = (
    stream: string,
    expected: Extract<Step, { ask: 'batch-append' | 'append' }>['expected'],
    events: readonly { id: string; type: string; content: Uint8Array; json: boolean }[],
  ): Promise<Reply[]> =>
    new Promise((resolve) => {
      const call = client.batchAppend();
      const options = new streams.BatchAppendReq.Options().setStreamIdentifier(identifier(stream));
      if (expected === 'no-stream') options.setNoStream(new Empty());
      else if (expected === 'any') options.setAny(new Empty());
      else if (expected === 'stream-exists') options.setStreamExists(new Empty());
      else options.setStreamPosition(String(expected));
      const request = new streams.BatchAppendReq()
        .setCorrelationId(new shared.UUID().setString(randomUUID()))
        .setOptions(options)
        .setIsFinal(true);
      for (const { id, type, content, json } of events) {
        const message = new streams.BatchAppendReq.ProposedMessage()
          .setId(new shared.UUID().setString(id))
          .setData(content)
          .setCustomMetadata(Buffer.from('{"m":1}'));
        message
          .getMetadataMap()
          .set('type', type)
          .set('content-type', json ? 'application/json' : 'application/octet-stream');
        request.addProposedMessages(message);
      }
      call.on('error', (error: ServiceError) => {
        if (error.code !== CANCELLED) resolve([errorOf(error)]);
      });
      call.on('data', (answer: StreamsPb.BatchAppendResp) => {
        const refusal = answer.getError();
        const success = answer.getSuccess();
        call.cancel();
        if (refusal !== undefined) {
          const details = refusal.getDetails();
          const name = details?.getTypeName() ?? '';
          resolve([
            {
              status: refusal.getCode(),
              message: stable(refusal.getMessage()),
              details: name,
              content: Buffer.from(
                stable(Buffer.from(details?.getValue_asU8() ?? []).toString('latin1')),
                'latin1',
              ).toString('hex'),
            },
          ]);
        } else {
          resolve([
            {
              written: true,
              revision: success!.hasCurrentRevision() ? success!.getCurrentRevision() : null,
              position: success!.hasPosition()
                ? placeName(success!.getPosition()!.getCommitPosition())
                : null,
            },
          ]);
        }
      });
      call.write(request);
    });

  const append = (step: Extract<Step, { ask: 'batch-append' | 'append' }>): Promise<Reply[]> => {
    const events = step.events.map((event) => {
      const { id, content } = typeof event === 'string' ? { id: event, content: event } : event;
      const server = idOf(id);
      names.set(server, id);
      return { id: server, type: 'Noted', content: contentOf(content), json: true };
    });
    if (step.ask === 'batch-append') return batchAppend(run + step.stream, step.expected, events);
    return new Promise((resolve) => {
      const call = client.append((error, answer) => {
        if (error !== null) return resolve([errorOf(error)]);
        const wrong = answer.getWrongExpectedVersion();
        const success = answer.getSuccess();
        resolve([
          wrong === undefined
            ? {
                written: true,
                revision: success!.getCurrentRevision(),
                position: placeName(success!.getPosition()!.getCommitPosition()),
              }
            : {
                wrongExpectedVersion: true,
                current: wrong.hasCurrentRevision() ? wrong.getCurrentRevision() : 'no stream',
                expected: wrong.hasExpectedRevision() ? wrong.getExpectedRevision() : 'other',
              },
        ]);
      });
      const options = new streams.AppendReq.Options().setStreamIdentifier(
        identifier(run + step.stream),
      );
      if (step.expected === 'no-stream') options.setNoStream(new shared.Empty());
      else if (step.expected === 'any') options.setAny(new shared.Empty());
      else if (step.expected === 'stream-exists') options.setStreamExists(new shared.Empty());
      else options.setRevision(String(step.expected));
      call.on('error', () => {});
      call.write(new streams.AppendReq().setOptions(options));
      for (const { id, type, content } of events) {
        const message = new streams.AppendReq.ProposedMessage()
          .setId(new shared.UUID().setString(id))
          .setData(content)
          .setCustomMetadata(Buffer.from('{"m":1}'));
        message.getMetadataMap().set('type', type).set('content-type', 'application/json');
        call.write(new streams.AppendReq().setProposedMessage(message));
      }
      call.end();
    });
  };

  const remove = (step: Extract<Step, { ask: 'delete' | 'tombstone' }>): Promise<Reply[]> =>
    new Promise((resolve) => {
      const done = (
        error: ServiceError | null,
        answer: StreamsPb.DeleteResp | StreamsPb.TombstoneResp,
      ): void =>
        resolve([
          error !== null ? errorOf(error) : { deleted: true, hasPosition: answer.hasPosition() },
        ]);
      const fill = <O extends StreamsPb.DeleteReq.Options | StreamsPb.TombstoneReq.Options>(
        options: O,
      ): O => {
        options.setStreamIdentifier(identifier(run + step.stream));
        if (step.expected === 'any') options.setAny(new shared.Empty());
        else if (step.expected === 'no-stream') options.setNoStream(new shared.Empty());
        else options.setRevision(String(step.expected));
        return options;
      };
      if (step.ask === 'delete')
        client.delete(
          new streams.DeleteReq().setOptions(fill(new streams.DeleteReq.Options())),
          done,
        );
      else
        client.tombstone(
          new streams.TombstoneReq().setOptions(fill(new streams.TombstoneReq.Options())),
          done,
        );
    });

  const ask = (step: Step): Promise<Reply[]> => {
    switch (step.ask) {
      case 'append':
      case 'batch-append':
        return append(step);
      case 'settings':
        return batchAppend(`$$${run}${step.stream}`, 'any', [
          { id: randomUUID(), type: '$metadata', content: Buffer.from(step.json), json: true },
        ]);
      case 'delete':
      case 'tombstone':
        return remove(step);
      case 'read':
      case 'read-all':
      case 'subscribe':
        return read(readRequest(step));
    }
  };

  try {
    const exchanges: Exchange[] = [];
    for (const step of steps) exchanges.push({ step, replies: await ask(step) });
    return exchanges;
  } finally {
    client.close();
  }
};
