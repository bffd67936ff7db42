import type { RecordedEvent } from '#libs/kernel';
import type { FindingEvidence } from './evidence.ts';
import { jsonArrayBytes } from './json-text.ts';

/**
 * An event of the log as a CloudEvent. Its data are the whole stored body, so that SHA-256 over their RFC 8785 form is
 * `hash`: whoever holds the batch can check the chain of each stream by himself.
 */
const cloudEvent = (event: RecordedEvent): object => {
  const { stream, revision, id, type, metadata, hash, prev, canonical } = event;
  return {
    specversion: '1.0',
    type: `holdfast.${type}`,
    source: `urn:holdfast:stream:${stream}`,
    id,
    time: metadata.time,
    datacontenttype: 'application/json',
    dataschema: `urn:holdfast:schema:${type}:${metadata.schemaVersion}`,
    stream,
    revision,
    hash,
    // An attribute without a value is left out (CloudEvents 1.0.2, section 3.1).
    ...(prev !== null && { prev }),
    correlationid: metadata.correlationId,
    causationid: metadata.causationId,
    data: JSON.parse(new TextDecoder().decode(canonical)) as unknown,
  };
};

/**
 * A finding's events as a batch in the JSON format of CloudEvents 1.0.2, in the order of the log. Left out is what
 * other studies and runs wrote to streams that are shared.
 */
export const cloudEventsOf = ({ finding, run, study, data }: FindingEvidence): Uint8Array => {
  const events: readonly RecordedEvent[] = [...study, ...data, ...run, ...finding];
  return jsonArrayBytes(
    events.toSorted((a, b) => a.position - b.position),
    cloudEvent,
  );
};
