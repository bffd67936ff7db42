import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import { CorruptEvent } from './errors.ts';
import type { ChainedEvent } from './hash-chain.ts';
import type { StoredEvent } from './port.ts';

/**
 * How an event stands in the server: `data` is its canonical bytes verbatim, marked as JSON so that the server's own
 * pages show it; the user metadata is `{"hash","id"}`. The server's event id is taken from the hash, because the
 * server tells repeated appends by that id alone: so an equal id means equal bytes, whoever sent them.
 */
export const serverIdOf = (hash: string): string => {
  const variant = ((Number.parseInt(hash[16]!, 16) & 3) | 8).toString(16);
  // UUID version 8 (RFC 9562): 122 bits of the SHA-256.
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
};

const utf8 = new TextEncoder();

export const proposed = ({
  event,
  hash,
  canonical,
}: ChainedEvent): BatchAppendReq.ProposedMessage => {
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(new shared.UUID().setString(serverIdOf(hash)));
  message.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
  message.setData(canonical);
  message.setCustomMetadata(utf8.encode(`{"hash":"${hash}","id":"${event.id}"}`));
  return message;
};

/** What the server counts of an event against its largest append: data, metadata, and its type in UTF-16. */
export const appendBytes = ({ event, canonical }: ChainedEvent): number =>
  canonical.byteLength + METADATA_BYTES + 2 * event.type.length;

const METADATA_BYTES = '{"hash":"","id":""}'.length + 64 + 36;

/** A whole number of the server's as JavaScript's. Throws above 2^53, where it would be another one. */
export const wholeNumber = (text: string, what: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new CorruptEvent(
      `the event store gives ${what} ${text}, which is beyond 2^53: this program cannot tell it from its neighbours`,
    );
  }
  return value;
};

type Record = ReadResp.ReadEvent.RecordedEvent;

const bytesToText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** The server's name of the stream that holds the record. */
export const streamOf = (record: Record): string =>
  bytesToText(record.getStreamIdentifier()!.getStreamName_asU8());

export const typeOf = (record: Record): string => record.getMetadataMap().get('type') ?? '';

/** The type of the record by which the server marks the end of a tombstoned stream. */
export const TOMBSTONE = '$streamDeleted';

const METADATA = /^\{"hash":"([0-9a-f]{64})","id":"([0-9a-f-]{36})"\}$/;

/**
 * What is stored, under the names and numbers that the server files it under. Metadata that this program did not
 * write give no hash, and a server id that is not that of the hash stands as the event's id: `decodeStored` then says
 * what does not fit.
 */
export const storedFrom = (record: Record, prefix: string): StoredEvent => {
  const metadata = METADATA.exec(bytesToText(record.getCustomMetadata_asU8()));
  const hash = metadata?.[1] ?? '';
  const serverId = record.getId()?.getString() ?? '';
  return {
    position: wholeNumber(record.getCommitPosition(), 'the position'),
    stream: streamOf(record).slice(prefix.length),
    revision: wholeNumber(record.getStreamRevision(), 'the revision'),
    id: metadata !== null && serverId === serverIdOf(hash) ? metadata[2]! : serverId,
    type: typeOf(record),
    hash,
    canonical: record.getData_asU8(),
  };
};
