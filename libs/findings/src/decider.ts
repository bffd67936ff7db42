import {
  ok,
  refused,
  type Decider,
  type PrivateText,
  type Refusal,
  type Result,
} from '#libs/kernel';
import { humanTextProblem } from '#libs/mandate';
import type {
  FindingEvent,
  FindingProposed,
  FindingReplayed,
  FindingVerified,
  ReplayClass,
  ReplayRow,
} from './events.ts';

interface Command<Type extends string, Data> {
  readonly type: Type;
  readonly id: string;
  readonly data: Data;
}

export type ProposeFinding = Command<'ProposeFinding', FindingProposed['data']>;
export type RecordVerdict = Command<
  'RecordVerdict',
  {
    readonly verified: FindingVerified['data'];
    /** Where the study's accepted line stands, and the last verified tree that it can go back to. */
    readonly acceptedTree: string | null;
    readonly lastVerifiedTree: string;
  }
>;
export type ReviewFinding = Command<
  'ReviewFinding',
  {
    readonly decision: 'accepted' | 'rejected';
    /** Screened and sealed by the edge. */
    readonly reason: PrivateText;
  }
>;

export type RequestVerification = Command<'RequestVerification', Record<never, never>>;

export type RecordReplay = Command<'RecordReplay', FindingReplayed['data']>;

export type FindingCommand =
  ProposeFinding | RecordVerdict | ReviewFinding | RequestVerification | RecordReplay;

export type FindingRefusalCode =
  /** The finding is not where this command belongs. */
  | 'not-now'
  /** A verdict on another finding, or a replay of another program. */
  | 'not-this-finding'
  /** A verdict or a replay that its own rows do not bear out. */
  | 'rows-disagree'
  /** Only a finding with PASS can be accepted. */
  | 'not-verified'
  /** People give a reason, sealed. */
  | 'no-reason';

export interface FindingState {
  readonly status: 'none' | 'proposed' | 'passed' | 'discarded';
  readonly proposed: FindingProposed['data'] | null;
  readonly verified: FindingVerified['data'] | null;
  readonly review: 'accepted' | 'rejected' | null;
  /** Whether somebody waits for a verdict that was asked for since the last one. */
  readonly verificationAsked: boolean;
}

const INITIAL: FindingState = {
  status: 'none',
  proposed: null,
  verified: null,
  review: null,
  verificationAsked: false,
};

type Decision = Result<readonly FindingEvent[], Refusal<FindingRefusalCode>>;

const refuse = (code: FindingRefusalCode, message: string): Decision => refused({ code, message });

const recordVerdict = (
  state: FindingState,
  { data: { verified, acceptedTree, lastVerifiedTree } }: RecordVerdict,
): Decision => {
  if (state.proposed === null)
    return refuse('not-now', 'no finding was proposed here; propose it before it is verified');
  const { findingId, chain } = state.proposed;
  if (verified.findingId !== findingId)
    return refuse('not-this-finding', `a verdict on ${verified.findingId}, expected ${findingId}`);
  const failed = verified.rows.filter(({ passed }) => !passed);
  const borneOut = verified.rows.length > 0 && failed.length === 0 ? 'PASS' : 'BLOCK';
  if (verified.verdict !== borneOut)
    return refuse(
      'rows-disagree',
      `${verified.verdict} with ${failed.length} of ${verified.rows.length} rows failed, expected ${borneOut}; verify again`,
    );
  const recorded: FindingEvent = { type: 'FindingVerified', data: verified };
  if (verified.verdict === 'PASS') return ok([recorded]);
  const reasons =
    failed.length > 0
      ? failed.map(({ row, found, expected }) => `${row}: found ${found}, expected ${expected}`)
      : ['no row was verified'];
  const discarded: FindingEvent[] =
    state.status === 'discarded'
      ? []
      : [{ type: 'FindingDiscarded', data: { findingId, reasons } }];
  const reverted: FindingEvent[] =
    acceptedTree === chain.toTree
      ? [
          {
            type: 'AcceptedLineReverted',
            data: { findingId, fromTree: chain.toTree, toTree: lastVerifiedTree },
          },
        ]
      : [];
  return ok([recorded, ...discarded, ...reverted]);
};

/** Asking again while one waits asks for nothing more. */
const requestVerification = ({ proposed, verificationAsked }: FindingState): Decision => {
  if (proposed === null) return refuse('not-now', 'no finding was proposed here');
  if (verificationAsked) return ok([]);
  return ok([{ type: 'VerificationRequested', data: { findingId: proposed.findingId } }]);
};

const review = (state: FindingState, { data: { decision, reason } }: ReviewFinding): Decision => {
  if (state.proposed === null) return refuse('not-now', 'no finding was proposed here');
  const problem = humanTextProblem(reason);
  if (problem !== null) return refuse('no-reason', problem);
  const reviewed: FindingEvent = {
    type: 'FindingReviewed',
    data: { findingId: state.proposed.findingId, decision, reason },
  };
  if (decision === 'rejected') return ok([reviewed]);
  if (state.status !== 'passed')
    return refuse(
      'not-verified',
      `the finding is ${state.status}; only one whose verdict is PASS can be accepted`,
    );
  const { findingId, chain } = state.proposed;
  return ok([reviewed, { type: 'FindingAccepted', data: { findingId, tree: chain.toTree } }]);
};

const OUTCOMES: Readonly<Record<ReplayClass, ReplayRow['outcome']>> = {
  'bit-exact': 'same',
  'within-tolerance': 'within-tolerance',
  'not-reproducible': 'differs',
};

const recordReplay = ({ proposed }: FindingState, { data }: RecordReplay): Decision => {
  if (proposed === null) return refuse('not-now', 'no finding was proposed here');
  const { findingId, chain } = proposed;
  if (data.findingId !== findingId || data.tree !== chain.toTree)
    return refuse(
      'not-this-finding',
      `a replay of tree ${data.tree} of ${data.findingId}, expected tree ${chain.toTree} of ${findingId}`,
    );
  const compared = data.rows.filter(({ row }) => row === 'predictions');
  if (compared.length !== 1 || compared[0]?.outcome !== OUTCOMES[data.class])
    return refuse(
      'rows-disagree',
      `${data.class} with predictions ${compared[0]?.outcome ?? 'not compared'}, expected ${OUTCOMES[data.class]}; replay it again`,
    );
  return ok([{ type: 'FindingReplayed', data }]);
};

/** A finding: proposed once, verified as often as anybody likes, accepted by people only. */
export const findingDecider: Decider<
  FindingState,
  FindingCommand,
  FindingEvent,
  FindingRefusalCode
> = {
  initialState: INITIAL,
  decide: (state, command) => {
    switch (command.type) {
      case 'ProposeFinding':
        return state.proposed === null
          ? ok([{ type: 'FindingProposed', data: command.data }])
          : refuse('not-now', `finding ${state.proposed.findingId} was proposed already`);
      case 'RecordVerdict':
        return recordVerdict(state, command);
      case 'ReviewFinding':
        return review(state, command);
      case 'RequestVerification':
        return requestVerification(state);
      case 'RecordReplay':
        return recordReplay(state, command);
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'FindingProposed':
        return { ...state, status: 'proposed', proposed: event.data };
      case 'FindingVerified':
        return {
          ...state,
          verified: event.data,
          verificationAsked: false,
          status:
            event.data.verdict === 'PASS' && state.status !== 'discarded' ? 'passed' : state.status,
        };
      case 'VerificationRequested':
        return { ...state, verificationAsked: true };
      case 'FindingDiscarded':
        return { ...state, status: 'discarded' };
      case 'FindingReviewed':
        return { ...state, review: event.data.decision };
      case 'FindingAccepted':
      case 'AcceptedLineReverted':
      case 'FindingReplayed':
        return state;
    }
  },
};
