import { hash } from 'node:crypto';
import { findingDecider, type FindingEvent } from '#libs/findings';
import { ledgerReadDecider } from '#libs/ledger-reads';
import { studyDecider } from '#libs/studies';
import { chained } from '../../libs/provenance/src/testing/honest-run.ts';
import { storedEvents } from '../../libs/payloads/src/testing/golden.ts';
import { decided, writeGoldenLog } from './recording.ts';

/**
 * Records a golden log of the events that a service writes and a laptop doesn't, with today's deciders.
 * `npx node --conditions=source test/golden/record-service.ts test/golden/service-v2.jsonl`; never over a file that is there.
 */

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

const study = decided(
  studyDecider,
  [],
  { type: 'RegisterStudy', id: '1', data: { studyId: 'pay', title: 'Pay' } },
  { type: 'PlaceStudy', id: '2', data: { project: 'wages', folder: 'pay', priority: 3 } },
  { type: 'RequestRun', id: '3', data: { runId: 'pay-1', seed: 7, agent: 'agent-1' } },
  { type: 'RequestRun', id: '7', data: { runId: 'pay-2', seed: null, agent: null } },
  {
    type: 'RefuseRun',
    id: '4',
    data: { runId: 'pay-1', code: 'data-changed', reason: 'found other data than was pinned' },
  },
);

/** The proposal of the first golden log, asked about once more. */
const proposed = storedEvents('v1.jsonl').find(({ type }) => type === 'FindingProposed');
if (proposed === undefined) throw new Error('the first golden log holds no finding');
const { data } = JSON.parse(new TextDecoder().decode(proposed.canonical)) as {
  readonly data: unknown;
};
const first = { type: 'FindingProposed', data } as FindingEvent;
const finding = [
  first,
  ...decided(findingDecider, [first], { type: 'RequestVerification', id: '5', data: {} }),
];

const reads = decided(ledgerReadDecider, [], {
  type: 'RecordRead',
  id: '6',
  data: { operation: 'listCutovers', asked: { study: 'pay', decision: 'kept', limit: 100 } },
});

writeGoldenLog([
  ...chained('study-pay', study, sha256),
  ...chained('finding-f1', finding, sha256),
  ...chained('access-auditor-1', reads, sha256),
]);
