import { hash } from 'node:crypto';
import type { FindingEvent, VerdictRow } from '#libs/findings';
import type { Fact, RecordedEvent } from '#libs/kernel';
import { SEALED } from '../../../kernel/src/testing/sealed-text.ts';
import { generateKey, sign } from '#libs/signatures';
import {
  chained,
  honestRun,
  sealed,
  type HonestRun,
  type Iteration,
  type Workshop,
} from '../../../provenance/src/testing/honest-run.ts';
import type { StoredBytes } from '../../../provenance/src/ports.ts';
import type { FindingEvidence } from '../evidence.ts';

const runner = generateKey();
const worker = generateKey();
const other = generateKey();
const named = ({ keyId, publicKey }: typeof runner) => ({ keyId, publicKey });
const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
const workshop: Workshop = {
  sha256,
  sha1: (bytes) => hash('sha1', bytes, 'hex'),
  keys: { runner: named(runner), worker: named(worker) },
  other: named(other),
  sign: (who, context, value) => sign({ runner, worker, other }[who], context, value),
};

export const EVERYTHING: readonly Iteration[] = [
  ...['kept', 'crashed', 'discarded', 'kept-large', 'diverged', 'metric', 'refused'],
  ...['timed-out', 'kept-elsewhere', 'kept', 'discarded', 'discarded', 'discarded', 'discarded'],
] as Iteration[];

const recorded = <E extends Fact>(events: readonly StoredBytes[]): readonly RecordedEvent<E>[] =>
  events.map((event) => {
    const { metadata, ...body } = JSON.parse(new TextDecoder().decode(event.canonical)) as {
      data: E['data'];
      metadata: RecordedEvent['metadata'] & { prev: string | null };
    };
    const { prev, ...rest } = metadata;
    return { ...event, ...body, metadata: rest, prev };
  });

const ROWS: readonly VerdictRow[] = [
  { row: 'hash-chain', passed: true, found: '206 run events', expected: 'an unbroken chain' },
  { row: 'charges', passed: true, found: '300 of 300 spent', expected: 'charges that recompute' },
];

export const verified = (rows: readonly VerdictRow[] = ROWS): FindingEvent => ({
  type: 'FindingVerified',
  data: {
    findingId: 'f1',
    verdict: rows.every(({ passed }) => passed) ? 'PASS' : 'BLOCK',
    rows,
    trust: 'self-signed, unanchored',
    signature: { keyId: runner.keyId, value: '' },
  },
});

export const BLOCKED: readonly FindingEvent[] = [
  verified([
    ROWS[0] as VerdictRow,
    {
      row: 'charges',
      passed: false,
      found: '310 of 300 spent',
      expected: 'no more than there was',
    },
  ]),
  { type: 'FindingDiscarded', data: { findingId: 'f1', reasons: ['charges: found 310'] } },
];

export const ACCEPTED: readonly FindingEvent[] = [
  verified(),
  {
    type: 'FindingReviewed',
    data: { findingId: 'f1', decision: 'accepted', reason: SEALED },
  },
  { type: 'FindingAccepted', data: { findingId: 'f1', tree: 'a'.repeat(40) } },
];

/** What the log holds of an honest run's finding, and what came after it was proposed. */
export const evidenceOf = (
  after: readonly FindingEvent[] = [verified()],
  edit: (honest: HonestRun) => HonestRun = (honest) => honest,
): FindingEvidence => {
  const honest = edit(honestRun(workshop, EVERYTHING));
  const streams = sealed(workshop, honest);
  const first = streams.findingEvents[0];
  if (first === undefined) throw new Error('no finding was proposed');
  const more = chained(
    first.stream,
    after,
    sha256,
    { position: first.position + 1, prev: first.hash },
    1,
  );
  return {
    finding: recorded([first, ...more]),
    run: recorded(streams.events),
    study: recorded(streams.studyEvents),
    data: recorded(streams.dataEvents),
  };
};
