import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { decodeStored, eventTypes } from '#libs/event-log';
import type { FindingEvent } from '#libs/findings';
import type { Fact, RecordedEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { storedEvents } from '../../../payloads/src/testing/golden.ts';
import { eventsOf, type FindingEvidence } from '../evidence.ts';

const types = eventTypes(EVENT_TYPES);

/** The evidence of a finding as a golden log holds it. */
export const goldenEvidence = (file: string, finding: string, run: string): FindingEvidence => {
  const events = storedEvents(file).map((stored) => decodeStored(stored, types));
  const of = <E extends Fact>(prefix: string) =>
    events.filter(({ stream }) =>
      prefix.endsWith('-') ? stream.startsWith(prefix) : stream === prefix,
    ) as readonly RecordedEvent[] as readonly RecordedEvent<E>[];
  return {
    finding: of(`finding-${finding}`),
    run: of(`run-${run}`),
    study: of('study-'),
    data: of('data-'),
  };
};

/** A run that really ran, whose finding was verified and never reviewed. */
export const VERIFIED = goldenEvidence('v2-pay.jsonl', 'pay-1-f1', 'pay-1');
/** A made-up log with failures of every kind and a finding that a person accepted. */
export const ACCEPTED = goldenEvidence('v2.jsonl', 'f1', 'r1');
/** Of the same log, a finding that was blocked after it was accepted. */
export const BLOCKED = goldenEvidence('v2.jsonl', 'f2', 'r1');
/** A finding of which nothing but its claim is recorded, of a run whose last training never ended. */
export const BARE: FindingEvidence = {
  ...VERIFIED,
  finding: VERIFIED.finding.slice(0, 1),
  run: VERIFIED.run.slice(
    0,
    VERIFIED.run.findLastIndex(({ type }) => type === 'TrainingLaunched') + 1,
  ),
};

/** A finding's newest event, and after it each replay of a golden log, as if it had been one of this finding. */
const replayed = (evidence: FindingEvidence): FindingEvidence => {
  const [proposed] = eventsOf(evidence.finding, 'FindingProposed');
  const golden = goldenEvidence('v1-replays.jsonl', 'f1', 'r1').finding;
  let last = evidence.finding.at(-1);
  if (proposed === undefined || last === undefined) throw new Error('no finding was proposed');
  const { findingId, chain, predictions } = proposed.data;
  const more = eventsOf(golden, 'FindingReplayed').map(({ type, data, metadata }) => {
    const { stream, revision, position } = last!;
    const at = { stream, revision: revision + 1, id: `replay-${revision + 1}`, type };
    const expected = predictions.at(-1)?.sha256 ?? '';
    const body = {
      ...at,
      data: {
        ...{ ...data, findingId, tree: chain.toTree },
        predictions: { ...data.predictions, expected },
      },
      metadata: { ...metadata, time: last!.metadata.time, prev: last!.hash },
    };
    const canonical = new TextEncoder().encode(canonicalize(body));
    const sha256 = hash('sha256', canonical, 'hex');
    const event = decodeStored({ ...at, position: position + 1, hash: sha256, canonical }, types);
    last = event as RecordedEvent<FindingEvent>;
    return last;
  });
  return { ...evidence, finding: [...evidence.finding, ...more] };
};
/** That of VERIFIED, trained again twice: to the bit, and in vain. */
export const REPLAYED = replayed(VERIFIED);

export const EVERY_EVIDENCE = { VERIFIED, ACCEPTED, BLOCKED, BARE, REPLAYED };

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Every place and hash that an export links to, whatever form the link has there. */
export const linksIn = (
  value: unknown,
): readonly { readonly event: string; readonly hash: string }[] => {
  if (typeof value === 'string') {
    const [, event, hash] = /^(\S+@\d+) sha256:([0-9a-f]{64})$/.exec(value) ?? [];
    return event === undefined || hash === undefined ? [] : [{ event, hash }];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { event, hash, identifier, sha256 } = value as Record<string, unknown>;
  const [place, digest] = [event ?? identifier, hash ?? sha256];
  return [
    ...(typeof place === 'string' && typeof digest === 'string'
      ? [{ event: place, hash: digest }]
      : []),
    ...Object.values(value).flatMap(linksIn),
  ];
};

/** Every string in an export, its members' names not counted. */
export const stringsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
};
