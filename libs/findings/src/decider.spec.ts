import { describe, expect, it } from 'vitest';
import { fold, type PrivateText } from '#libs/kernel';
import { specification } from '../../kernel/src/testing/specification.ts';
import { SEALED } from '../../kernel/src/testing/sealed-text.ts';
import { REPLAYED_ON } from '../../../test/support/environment.ts';
import {
  findingDecider,
  type FindingCommand,
  type FindingEvent,
  type FindingProposed,
  type FindingReplayed,
  type VerdictRow,
} from './index.ts';

const given = specification(findingDecider, (found, expected) => {
  expect(found).toEqual(expected);
});

const finding: FindingProposed['data'] = {
  findingId: 'pay-1-f1',
  number: 1,
  statement: 'use experience: …',
  claim: {
    kind: 'step',
    cohort: { description: 'sealed people', outcome: 'high_pay' },
    statistic: 'log-loss-reduction',
    estimate: 0.03,
    standardError: 0.004,
    interval: { level: 0.95, lower: 0.02, upper: 0.04 },
    relative: 0.05,
    n: 3810,
    changes: ['use experience'],
    planted: [],
    look: null,
  },
  chain: {
    runId: 'pay-1',
    studyId: 'pay',
    runHead: { revision: 40, hash: 'head' },
    sourceCommit: 'study commit',
    sourceTree: 'source tree',
    fromTree: 'source tree',
    toTree: 'claimed tree',
    mutations: ['m1'],
  },
  sealedLook: 1,
  predictions: [],
};

const row = (name: string, passed: boolean): VerdictRow => ({
  row: name,
  passed,
  found: passed ? 'whole' : 'a gap after m1',
  expected: 'whole',
});

const GOOD = [row('complete-chain', true), row('charges', true)];
const BAD = [row('complete-chain', false), row('charges', true)];

const verified = (verdict: 'PASS' | 'BLOCK', rows: readonly VerdictRow[]) => ({
  findingId: 'pay-1-f1',
  verdict,
  rows,
  trust: 'self-signed, unanchored' as const,
  signature: { keyId: 'runner', value: 'signed' },
});

const propose: FindingCommand = { type: 'ProposeFinding', id: 'propose', data: finding };

const record = (
  verdict: 'PASS' | 'BLOCK',
  rows: readonly VerdictRow[],
  acceptedTree: string | null = null,
): FindingCommand => ({
  type: 'RecordVerdict',
  id: 'record',
  data: { verified: verified(verdict, rows), acceptedTree, lastVerifiedTree: 'source tree' },
});

const review = (
  decision: 'accepted' | 'rejected',
  reason: PrivateText = SEALED,
): FindingCommand => ({
  type: 'ReviewFinding',
  id: 'review',
  data: { decision, reason },
});

const proposed: FindingEvent = { type: 'FindingProposed', data: finding };
const passed: FindingEvent = { type: 'FindingVerified', data: verified('PASS', GOOD) };
const blocked: FindingEvent = { type: 'FindingVerified', data: verified('BLOCK', BAD) };
const discarded: FindingEvent = {
  type: 'FindingDiscarded',
  data: {
    findingId: 'pay-1-f1',
    reasons: ['complete-chain: found a gap after m1, expected whole'],
  },
};
const accepted: FindingEvent = {
  type: 'FindingAccepted',
  data: { findingId: 'pay-1-f1', tree: 'claimed tree' },
};
const reviewed = (decision: 'accepted' | 'rejected'): FindingEvent => ({
  type: 'FindingReviewed',
  data: { findingId: 'pay-1-f1', decision, reason: SEALED },
});
const lineReverted: FindingEvent = {
  type: 'AcceptedLineReverted',
  data: { findingId: 'pay-1-f1', fromTree: 'claimed tree', toTree: 'source tree' },
};

describe('proposing a finding', () => {
  it('states the claim and its chain', () => {
    given([]).when(propose).then([proposed]);
  });

  it('happens once', () => {
    given([proposed]).when(propose).thenRefused('not-now', 'was proposed already');
  });
});

describe('a verdict', () => {
  it('of PASS is recorded with its rows', () => {
    given([proposed]).when(record('PASS', GOOD)).then([passed]);
  });

  it('of BLOCK discards the finding, with the reason of every row that failed', () => {
    given([proposed]).when(record('BLOCK', BAD)).then([blocked, discarded]);
  });

  it('of BLOCK takes back the accepted line that stood on the finding', () => {
    given([proposed, passed, reviewed('accepted'), accepted])
      .when(record('BLOCK', BAD, 'claimed tree'))
      .then([blocked, discarded, lineReverted]);
  });

  it('of BLOCK leaves an accepted line that stands elsewhere', () => {
    given([proposed, passed])
      .when(record('BLOCK', BAD, 'another tree'))
      .then([blocked, discarded]);
  });

  it('of BLOCK discards once, and takes the line back as often as it must', () => {
    given([proposed, blocked, discarded]).when(record('BLOCK', BAD)).then([blocked]);
    given([proposed, blocked, discarded])
      .when(record('BLOCK', BAD, 'claimed tree'))
      .then([blocked, lineReverted]);
  });

  it('of PASS does not bring a discarded finding back', () => {
    const events = [proposed, blocked, discarded, passed];
    expect(fold(findingDecider, events).status).toBe('discarded');
    given(events).when(review('accepted')).thenRefused('not-verified', 'is discarded');
  });

  it.each([
    ['PASS with a row that failed', 'PASS', BAD],
    ['PASS without a row', 'PASS', []],
    ['BLOCK with every row passed', 'BLOCK', GOOD],
  ] as const)('that its rows do not bear out is refused: %s', (_, verdict, rows) => {
    given([proposed]).when(record(verdict, rows)).thenRefused('rows-disagree');
  });

  it('of BLOCK for want of any row says so', () => {
    given([proposed])
      .when(record('BLOCK', []))
      .then([
        { type: 'FindingVerified', data: verified('BLOCK', []) },
        {
          type: 'FindingDiscarded',
          data: { findingId: 'pay-1-f1', reasons: ['no row was verified'] },
        },
      ]);
  });

  it('on another finding is refused', () => {
    const other = { ...verified('PASS', GOOD), findingId: 'pay-1-f2' };
    given([proposed])
      .when({
        type: 'RecordVerdict',
        id: 'record',
        data: { verified: other, acceptedTree: null, lastVerifiedTree: 'source tree' },
      })
      .thenRefused('not-this-finding', 'expected pay-1-f1');
  });

  it('needs a finding', () => {
    given([]).when(record('PASS', GOOD)).thenRefused('not-now');
  });
});

describe('a replay', () => {
  const replay: FindingReplayed['data'] = {
    findingId: 'pay-1-f1',
    trainingId: 't1',
    tree: 'claimed tree',
    steps: 200,
    class: 'bit-exact',
    rows: [{ row: 'predictions', outcome: 'same', found: 'the same', expected: 'the recorded' }],
    environment: REPLAYED_ON,
    predictions: { found: 'cd', expected: 'cd' },
    signature: { keyId: 'runner', value: 'signed' },
  };
  const recorded = (data: FindingReplayed['data']): FindingCommand => ({
    type: 'RecordReplay',
    id: 'replay',
    data,
  });

  it('is recorded and changes nothing of where the finding stands', () => {
    for (const events of [[proposed], [proposed, passed], [proposed, blocked, discarded]]) {
      const replayed: FindingEvent = { type: 'FindingReplayed', data: replay };
      given(events).when(recorded(replay)).then([replayed]);
      expect(fold(findingDecider, [...events, replayed])).toEqual(fold(findingDecider, events));
    }
  });

  it('that its rows do not bear out is refused', () => {
    for (const replayed of [
      { ...replay, class: 'not-reproducible' as const },
      { ...replay, class: 'within-tolerance' as const },
      { ...replay, rows: [] },
      { ...replay, rows: [...replay.rows, ...replay.rows] },
    ])
      given([proposed]).when(recorded(replayed)).thenRefused('rows-disagree');
  });

  it('of another finding or another tree is refused, and so is one of none', () => {
    for (const other of [{ findingId: 'pay-1-f2' }, { tree: 'source tree' }])
      given([proposed])
        .when(recorded({ ...replay, ...other }))
        .thenRefused('not-this-finding');
    given([]).when(recorded(replay)).thenRefused('not-now');
  });
});

describe('a review', () => {
  it('that accepts a finding with PASS moves the accepted line', () => {
    given([proposed, passed])
      .when(review('accepted'))
      .then([reviewed('accepted'), accepted]);
  });

  it('that accepts needs PASS', () => {
    given([proposed]).when(review('accepted')).thenRefused('not-verified', 'is proposed');
    given([proposed, blocked, discarded]).when(review('accepted')).thenRefused('not-verified');
  });

  it('that rejects moves nothing, whatever the verdict', () => {
    for (const events of [[proposed], [proposed, passed], [proposed, blocked, discarded]])
      given(events)
        .when(review('rejected'))
        .then([reviewed('rejected')]);
  });

  it('gives a reason, sealed', () => {
    const empty: PrivateText = { kind: 'plain', text: ' \n' };
    given([proposed, passed]).when(review('accepted', empty)).thenRefused('no-reason');
    const tagAlone = Buffer.alloc(16).toString('base64');
    given([proposed, passed])
      .when(review('rejected', { ...SEALED, ciphertext: tagAlone }))
      .thenRefused('no-reason');
  });

  it('needs a finding', () => {
    given([]).when(review('rejected')).thenRefused('not-now');
  });
});

describe('RequestVerification', () => {
  const ask: FindingCommand = { type: 'RequestVerification', id: 'ask', data: {} };
  const asked: FindingEvent = {
    type: 'VerificationRequested',
    data: { findingId: finding.findingId },
  };

  it('asks once until the next verdict answers', () => {
    given([proposed, passed]).when(ask).then([asked]);
    given([proposed, passed, asked]).when(ask).then([]);
    given([proposed, passed, asked, passed]).when(ask).then([asked]);
  });

  it('is refused where nothing was proposed', () => {
    given([]).when(ask).thenRefused('not-now');
  });
});
