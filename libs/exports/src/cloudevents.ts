import type { RecordedEvent } from '#libs/kernel';
import type { FindingEvidence } from './evidence.ts';
import { jsonBytes } from './json-text.ts';

/** An event as it is stored; its version is that of when it was written. */
interface StoredBody {
  readonly type: string;
  readonly metadata: { readonly schemaVersion: number };
}

const storedBody = ({ canonical }: RecordedEvent): StoredBody =>
  JSON.parse(new TextDecoder().decode(canonical)) as StoredBody;

/**
 * An event of the log as a CloudEvent. Its data are the whole stored body, so that SHA-256 over their RFC 8785 form is
 * `hash`: whoever holds the batch can check the chain of each stream by himself.
 */
const cloudEvent = (event: RecordedEvent): object => {
  const { stream, revision, id, metadata, hash, prev } = event;
  const body = storedBody(event);
  return {
    specversion: '1.0',
    type: `holdfast.${body.type}`,
    source: `urn:holdfast:stream:${stream}`,
    id,
    time: metadata.time,
    datacontenttype: 'application/json',
    dataschema: `urn:holdfast:schema:${body.type}:${body.metadata.schemaVersion}`,
    stream,
    revision,
    hash,
    // An attribute without a value is left out (CloudEvents 1.0.2, section 3.1).
    ...(prev !== null && { prev }),
    correlationid: metadata.correlationId,
    causationid: metadata.causationId,
    data: body,
  };
};

/**
 * A finding's events as a batch in the JSON format of CloudEvents 1.0.2, in the order of the log. Left out is what
 * other studies and runs wrote to streams that are shared.
 */
export const cloudEventsOf = ({ finding, run, study, data }: FindingEvidence): Uint8Array => {
  const events: readonly RecordedEvent[] = [...study, ...data, ...run, ...finding];
  return jsonBytes(events.toSorted((a, b) => a.position - b.position).map(cloudEvent));
};
