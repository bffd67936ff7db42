import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Metadata,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type * as FeaturesPb from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type * as SharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type * as StatusPb from '@eventstore/db-client/generated/status_pb.js';
import type * as StreamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type * as AnyPb from 'google-protobuf/google/protobuf/any_pb.js';
import type { Decision, DoubleRecord, DoubleRecords, Expected, Proposed } from './records.ts';

const require = createRequire(import.meta.url);
const generated = <T>(name: string): T =>
  require(`@eventstore/db-client/generated/${name}.js`) as T;
const streams = generated<typeof StreamsPb>('streams_pb');
const shared = generated<typeof SharedPb>('shared_pb');
const statuses = generated<typeof StatusPb>('status_pb');
const features = generated<typeof FeaturesPb>('serverfeatures_pb');
const { Any } = require('google-protobuf/google/protobuf/any_pb.js') as typeof AnyPb;

/** What a test makes the double do wrong. Each is taken up by the next call that it fits, and counts down. */
export interface Faults {
  /** So many appends are written, and their answer never leaves. */
  loseAnswers: number;
  /** So many appends are dropped unwritten and unanswered. */
  loseRequests: number;
  /** So many appends are written, and then the connection's call breaks with UNAVAILABLE. */
  breakAfterWrite: number;
  /** So many appends break the call with UNAVAILABLE before anything is written. */
  breakBeforeWrite: number;
  /** So many appends are answered with a time-out by the server, written nevertheless. */
  timeOutAfterWrite: number;
  /** So many appends are answered twice. */
  answerTwice: number;
  /** Every answer waits so long, in milliseconds. */
  delay: number;
  /** Called before an append is decided: another writer, for races. */
  beforeAppend: (() => void) | null;
}

export const noFaults = (): Faults => ({
  loseAnswers: 0,
  loseRequests: 0,
  breakAfterWrite: 0,
  breakBeforeWrite: 0,
  timeOutAfterWrite: 0,
  answerTwice: 0,
  delay: 0,
  beforeAppend: null,
});

const FORWARDS = streams.ReadReq.Options.ReadDirection.FORWARDS;

const status = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  FAILED_PRECONDITION: 9,
  UNAVAILABLE: 14,
} as const;

const trailers = (entries: Readonly<Record<string, string>>): Metadata => {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
};

const failure = (code: number, details: string, metadata = new Metadata()) =>
  Object.assign(new Error(details), { code, details, metadata });

const streamDeleted = (stream: string) =>
  failure(
    status.FAILED_PRECONDITION,
    `Event stream '${stream}' is deleted.`,
    trailers({ exception: 'stream-deleted', 'stream-name': stream }),
  );

const tooLarge = (limit: number) =>
  failure(
    status.INVALID_ARGUMENT,
    `Maximum Append Size of ${limit} Exceeded.`,
    trailers({
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': String(limit),
    }),
  );

const wrongVersion = (stream: string, expected: Expected, actual: bigint) =>
  failure(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${versionOf(expected)}, Actual version: ${actual}`,
    trailers({
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(versionOf(expected)),
      'actual-version': String(actual),
    }),
  );

const versionOf = (expected: Expected): bigint =>
  typeof expected === 'bigint'
    ? expected
    : { 'no-stream': -1n, any: -2n, 'stream-exists': -4n }[expected];

const nameOf = (identifier: SharedPb.StreamIdentifier | undefined): string =>
  Buffer.from(identifier!.getStreamName_asU8()).toString('utf8');

const identifierOf = (stream: string): SharedPb.StreamIdentifier =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8'));

const proposedFrom = (
  message: StreamsPb.BatchAppendReq.ProposedMessage | StreamsPb.AppendReq.ProposedMessage,
): Proposed => ({
  id: message.getId()!.getString(),
  type: message.getMetadataMap().get('type')!,
  json: message.getMetadataMap().get('content-type') === 'application/json',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

/** The server means to count metadata and type as well, and does not. */
const sizeOf = ({ data }: Proposed): number => data.byteLength;

const eventFrom = (record: DoubleRecord, withPosition: boolean): StreamsPb.ReadResp => {
  const event = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(record.id))
    .setStreamIdentifier(identifierOf(record.stream))
    .setStreamRevision(String(record.revision))
    .setCommitPosition(String(record.position))
    .setPreparePosition(String(record.position))
    .setCustomMetadata(record.metadata)
    .setData(record.data);
  event
    .getMetadataMap()
    .set('type', record.type)
    .set('created', String(BigInt(record.time) * 10_000n))
    .set('content-type', record.json ? 'application/json' : 'application/octet-stream');
  const read = new streams.ReadResp.ReadEvent().setEvent(event);
  if (withPosition) read.setCommitPosition(String(record.position));
  else read.setNoPosition(new shared.Empty());
  return new streams.ReadResp().setEvent(read);
};

const matcher = (options: StreamsPb.ReadReq.Options): ((record: DoubleRecord) => boolean) => {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const byName = filter.getStreamIdentifier();
  const expression = byName ?? filter.getEventType()!;
  const of = (record: DoubleRecord): string => (byName === undefined ? record.type : record.stream);
  const prefixes = expression.getPrefixList();
  if (prefixes.length > 0)
    return (record) => prefixes.some((prefix) => of(record).startsWith(prefix));
  const regex = new RegExp(expression.getRegex());
  return (record) => regex.test(of(record));
};

type ReadCall = Parameters<handleServerStreamingCall<StreamsPb.ReadReq, StreamsPb.ReadResp>>[0];

let sent = 0;

/** How many answers to readings were handed out, by all doubles of this process. */
export const answersSent = (): number => sent;

/** Writes with the client's pace; false when the call is over. */
const written = async (call: ReadCall, response: StreamsPb.ReadResp): Promise<boolean> => {
  const over = (): boolean => call.cancelled || call.destroyed;
  if (over()) return false;
  sent += 1;
  if (call.write(response)) return true;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      for (const name of ['drain', 'cancelled', 'close', 'error']) call.off(name, go);
      resolve();
    };
    for (const name of ['drain', 'cancelled', 'close', 'error']) call.on(name, go);
  });
  return !over();
};

const expectedIn = (
  options:
    StreamsPb.AppendReq.Options | StreamsPb.DeleteReq.Options | StreamsPb.TombstoneReq.Options,
): Expected =>
  options.hasRevision()
    ? BigInt(options.getRevision())
    : options.hasNoStream()
      ? 'no-stream'
      : options.hasStreamExists()
        ? 'stream-exists'
        : 'any';

export const doubleService = (
  records: DoubleRecords,
  faults: Faults,
  maxAppendBytes: number,
  version: string,
): Record<'streams' | 'features', UntypedServiceImplementation> => {
  const readStream = async (call: ReadCall, options: StreamsPb.ReadReq.Options): Promise<void> => {
    const wanted = options.getStream()!;
    const stream = nameOf(wanted.getStreamIdentifier());
    const found = records.visible(stream);
    const told = (options.getControlOption()?.getCompatibility() ?? 0) >= 1;
    if (found.kind === 'deleted') return void call.emit('error', streamDeleted(stream));
    if (found.kind === 'none') {
      const none = new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream));
      await written(call, new streams.ReadResp().setStreamNotFound(none));
      return void call.end();
    }
    const { events, first, last } = found;
    const forwards = options.getReadDirection() === FORWARDS;
    const count = Number(options.getCount());
    const from = wanted.hasRevision()
      ? BigInt(wanted.getRevision())
      : wanted.hasStart()
        ? 0n
        : last;
    let given = 0;
    let at = forwards ? (from < first ? first : from) : from > last ? last : from;
    if (forwards && told) {
      // The server reads in pages of 32; when there is nothing in the first, it says where there would be something.
      const page = BigInt(Math.min(32, count));
      const next = from + page <= first ? first : from > last ? last + 1n : from;
      if (from !== next)
        await written(call, new streams.ReadResp().setFirstStreamPosition(String(next)));
    }
    while (given < count && at >= first && at <= last) {
      if (!(await written(call, eventFrom(events[Number(at)]!, true)))) return;
      given += 1;
      at += forwards ? 1n : -1n;
    }
    if (told) await written(call, new streams.ReadResp().setLastStreamPosition(String(last)));
    call.end();
  };

  const startIndex = (options: StreamsPb.ReadReq.Options): number | null => {
    const all = options.getAll()!;
    if (all.hasStart()) return 0;
    if (all.hasEnd()) return records.log.length;
    return records.indexAt(Number(all.getPosition()!.getCommitPosition()));
  };

  const readAll = async (call: ReadCall, options: StreamsPb.ReadReq.Options): Promise<void> => {
    const start = startIndex(options);
    if (start === null)
      return void call.emit('error', failure(status.UNKNOWN, 'Unexpected ReadAllResult: Error'));
    const matches = matcher(options);
    const forwards = options.getReadDirection() === FORWARDS;
    const count = Number(options.getCount());
    let given = 0;
    for (
      let index = forwards ? start : start - 1;
      given < count && index >= 0 && index < records.log.length;
      index += forwards ? 1 : -1
    ) {
      const record = records.log[index]!;
      if (!matches(record)) continue;
      if (!(await written(call, eventFrom(record, true)))) return;
      given += 1;
    }
    call.end();
  };

  const subscribeAll = async (
    call: ReadCall,
    options: StreamsPb.ReadReq.Options,
  ): Promise<void> => {
    const all = options.getAll()!;
    const start = startIndex(options);
    if (start === null)
      return void call.emit('error', failure(status.UNKNOWN, 'Exception was thrown by handler.'));
    // From a position means from just after the record there.
    let index = all.hasPosition() ? Math.min(start + 1, records.log.length) : start;
    const matches = matcher(options);
    const filter = options.getFilter();
    const window = filter === undefined ? 0 : filter.hasMax() ? filter.getMax() : 32;
    const interval = window * (filter?.getCheckpointintervalmultiplier() ?? 1);
    let considered = 0;
    const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(
      crypto.randomUUID(),
    );
    await written(call, new streams.ReadResp().setConfirmation(confirmation));
    let wake: () => void = () => {};
    const unlisten = records.listen(() => wake());
    call.on('cancelled', () => wake());
    call.on('close', () => wake());
    let caughtUp = false;
    try {
      for (;;) {
        for (; index < records.log.length; index += 1) {
          const record = records.log[index]!;
          considered += 1;
          if (matches(record) && !(await written(call, eventFrom(record, true)))) return;
          if (interval > 0 && considered % interval === 0) {
            const checkpoint = new streams.ReadResp.Checkpoint()
              .setCommitPosition(String(record.position))
              .setPreparePosition(String(record.position));
            if (!(await written(call, new streams.ReadResp().setCheckpoint(checkpoint)))) return;
          }
        }
        if (!caughtUp) {
          caughtUp = true;
          const told = new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp());
          if (!(await written(call, told))) return;
        }
        if (index >= records.log.length)
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (call.cancelled || call.destroyed) resolve();
          });
        if (call.cancelled || call.destroyed) return;
        if (faults.delay > 0) await sleep(faults.delay);
      }
    } finally {
      unlisten();
    }
  };

  const read: handleServerStreamingCall<StreamsPb.ReadReq, StreamsPb.ReadResp> = (call) => {
    const options = call.request.getOptions()!;
    const answer = async (): Promise<void> => {
      if (faults.delay > 0) await sleep(faults.delay);
      if (options.hasStream() && options.hasSubscription())
        throw new Error('this double has no subscriptions to one stream');
      if (options.hasStream()) return readStream(call, options);
      return options.hasSubscription() ? subscribeAll(call, options) : readAll(call, options);
    };
    answer().catch((error: unknown) => {
      call.emit('error', failure(status.UNKNOWN, (error as Error).message));
    });
  };

  const packed = (
    code: number,
    message: string,
    name: string,
    details: { serializeBinary: () => Uint8Array },
  ): StatusPb.Status => {
    const any = new Any();
    any.pack(details.serializeBinary(), name);
    const found = new statuses.Status();
    found.setCode(code);
    found.setMessage(message);
    found.setDetails(any);
    return found;
  };

  const batchAnswer = (
    stream: string,
    expected: Expected,
    decision: Decision,
  ): StreamsPb.BatchAppendResp => {
    const answer = new streams.BatchAppendResp().setStreamIdentifier(identifierOf(stream));
    switch (decision.kind) {
      case 'written': {
        const success = new streams.BatchAppendResp.Success().setPosition(
          new shared.AllStreamPosition()
            .setCommitPosition(String(decision.position))
            .setPreparePosition(String(decision.position)),
        );
        if (decision.revision >= 0n) success.setCurrentRevision(String(decision.revision));
        else success.setNoStream(new shared.Empty());
        return answer.setSuccess(success);
      }
      case 'wrong-expected-version': {
        const details = new shared.WrongExpectedVersion();
        if (decision.current === 'no-stream') details.setCurrentNoStream(new shared.Empty());
        else details.setCurrentStreamRevision(String(decision.current));
        if (typeof expected === 'bigint') details.setExpectedStreamPosition(String(expected));
        else if (expected === 'no-stream') details.setExpectedNoStream(new shared.Empty());
        else if (expected === 'any') details.setExpectedAny(new shared.Empty());
        else details.setExpectedStreamExists(new shared.Empty());
        return answer.setError(
          packed(6, 'WrongExpectedVersion', 'event_store.client.WrongExpectedVersion', details),
        );
      }
      case 'deleted':
        return answer.setError(
          packed(
            5,
            'StreamDeleted',
            'event_store.client.StreamDeleted',
            new shared.StreamDeleted().setStreamIdentifier(identifierOf(stream)),
          ),
        );
    }
  };

  const take = (name: keyof { [K in keyof Faults as Faults[K] extends number ? K : never]: 0 }) => {
    if (faults[name] <= 0) return false;
    faults[name] -= 1;
    return true;
  };

  const batchAppend: handleBidiStreamingCall<
    StreamsPb.BatchAppendReq,
    StreamsPb.BatchAppendResp
  > = (call) => {
    const pending = new Map<string, { stream: string; expected: Expected; events: Proposed[] }>();
    const unavailable = () => call.emit('error', failure(status.UNAVAILABLE, 'Connection reset'));
    const finish = (correlation: SharedPb.UUID) => {
      const { stream, expected, events } = pending.get(correlation.getString())!;
      pending.delete(correlation.getString());
      const reply = (answer: StreamsPb.BatchAppendResp): void => {
        const send = (): void => void call.write(answer.setCorrelationId(correlation));
        if (faults.delay > 0) setTimeout(send, faults.delay);
        else send();
      };
      if (take('loseRequests')) return;
      if (take('breakBeforeWrite')) return void unavailable();
      faults.beforeAppend?.();
      const answer = batchAnswer(stream, expected, records.append(stream, expected, events));
      if (take('loseAnswers')) return;
      if (take('breakAfterWrite')) return void unavailable();
      if (take('timeOutAfterWrite')) {
        const timeout = packed(4, 'Timeout', 'event_store.client.Timeout', new shared.Timeout());
        return reply(
          new streams.BatchAppendResp().setStreamIdentifier(identifierOf(stream)).setError(timeout),
        );
      }
      reply(answer);
      if (take('answerTwice')) reply(answer);
    };
    call.on('data', (request: StreamsPb.BatchAppendReq) => {
      const correlation = request.getCorrelationId()!;
      const id = correlation.getString();
      const options = request.getOptions();
      if (options !== undefined)
        pending.set(id, {
          stream: nameOf(options.getStreamIdentifier()),
          expected: options.hasStreamPosition()
            ? BigInt(options.getStreamPosition())
            : options.hasNoStream()
              ? 'no-stream'
              : options.hasStreamExists()
                ? 'stream-exists'
                : 'any',
          events: [],
        });
      const append = pending.get(id);
      if (append === undefined) return;
      append.events.push(...request.getProposedMessagesList().map(proposedFrom));
      if (append.events.reduce((sum, event) => sum + sizeOf(event), 0) > maxAppendBytes) {
        pending.delete(id);
        const details = new shared.MaximumAppendSizeExceeded().setMaxappendsize(maxAppendBytes);
        call.write(
          new streams.BatchAppendResp()
            .setCorrelationId(correlation)
            .setStreamIdentifier(identifierOf(append.stream))
            .setError(
              packed(
                3,
                'MaximumAppendSizeExceeded',
                'event_store.client.MaximumAppendSizeExceeded',
                details,
              ),
            ),
        );
        return;
      }
      if (request.getIsFinal()) finish(correlation);
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  };

  const append: handleClientStreamingCall<StreamsPb.AppendReq, StreamsPb.AppendResp> = (
    call,
    callback,
  ) => {
    let stream = '';
    let expected: Expected = 'any';
    const events: Proposed[] = [];
    call.on('data', (request: StreamsPb.AppendReq) => {
      const options = request.getOptions();
      if (options !== undefined) {
        stream = nameOf(options.getStreamIdentifier());
        expected = expectedIn(options);
      }
      const message = request.getProposedMessage();
      if (message !== undefined) events.push(proposedFrom(message));
    });
    call.on('error', () => {});
    call.on('end', () => {
      if (events.reduce((sum, event) => sum + sizeOf(event), 0) > maxAppendBytes)
        return callback(tooLarge(maxAppendBytes));
      const decision = records.append(stream, expected, events);
      const answer = new streams.AppendResp();
      switch (decision.kind) {
        case 'deleted':
          return callback(streamDeleted(stream));
        case 'written':
          return callback(
            null,
            answer.setSuccess(
              new streams.AppendResp.Success()
                .setCurrentRevision(String(decision.revision))
                .setPosition(
                  new streams.AppendResp.Position()
                    .setCommitPosition(String(decision.position))
                    .setPreparePosition(String(decision.position)),
                ),
            ),
          );
        case 'wrong-expected-version': {
          const wrong = new streams.AppendResp.WrongExpectedVersion();
          if (decision.current === 'no-stream')
            wrong.setCurrentNoStream(new shared.Empty()).setNoStream2060(new shared.Empty());
          else
            wrong
              .setCurrentRevision(String(decision.current))
              .setCurrentRevision2060(Number(decision.current));
          if (typeof expected === 'bigint')
            wrong.setExpectedRevision(String(expected)).setExpectedRevision2060(Number(expected));
          else if (expected === 'no-stream') wrong.setExpectedNoStream(new shared.Empty());
          return callback(null, answer.setWrongExpectedVersion(wrong));
        }
      }
    });
  };

  const removing =
    (act: (stream: string) => Decision) =>
    (
      options: StreamsPb.DeleteReq.Options | StreamsPb.TombstoneReq.Options,
    ): ReturnType<typeof failure> | number => {
      const stream = nameOf(options.getStreamIdentifier());
      const expected = expectedIn(options);
      const found = records.visible(stream);
      if (found.kind === 'deleted') return streamDeleted(stream);
      const actual = found.kind === 'events' ? found.last : -1n;
      const wanted = expected === 'any' && actual >= 0n ? actual : versionOf(expected);
      if (wanted !== actual) return wrongVersion(stream, expected, actual);
      const decision = act(stream);
      return decision.kind === 'written' ? decision.position : streamDeleted(stream);
    };

  const softDelete = removing(records.softDelete);
  const remove: handleUnaryCall<StreamsPb.DeleteReq, StreamsPb.DeleteResp> = (call, callback) => {
    const result = softDelete(call.request.getOptions()!);
    if (typeof result !== 'number') return callback(result);
    callback(
      null,
      new streams.DeleteResp().setPosition(
        new streams.DeleteResp.Position()
          .setCommitPosition(String(result))
          .setPreparePosition(String(result)),
      ),
    );
  };

  const hardDelete = removing(records.tombstone);
  const tombstone: handleUnaryCall<StreamsPb.TombstoneReq, StreamsPb.TombstoneResp> = (
    call,
    callback,
  ) => {
    const result = hardDelete(call.request.getOptions()!);
    if (typeof result !== 'number') return callback(result);
    callback(
      null,
      new streams.TombstoneResp().setPosition(
        new streams.TombstoneResp.Position()
          .setCommitPosition(String(result))
          .setPreparePosition(String(result)),
      ),
    );
  };

  const getSupportedMethods: handleUnaryCall<SharedPb.Empty, FeaturesPb.SupportedMethods> = (
    _call,
    callback,
  ) => {
    const method = (name: string, list: readonly string[] = []) =>
      new features.SupportedMethod()
        .setServiceName('event_store.client.streams.streams')
        .setMethodName(name)
        .setFeaturesList([...list]);
    callback(
      null,
      new features.SupportedMethods()
        .setEventStoreServerVersion(version)
        .setMethodsList([
          method('read', ['position', 'events']),
          method('append'),
          method('delete'),
          method('tombstone'),
          method('batchappend', ['deadline_duration']),
        ]),
    );
  };

  return {
    streams: { read, append, batchAppend, delete: remove, tombstone },
    features: { getSupportedMethods },
  };
};
