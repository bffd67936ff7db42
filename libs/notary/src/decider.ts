import {
  fromBase64,
  isKeyName,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  verifyNote,
  type VerifierKey,
  type VerifyEd25519,
} from '#libs/checkpoints';
import {
  ok,
  refused,
  sealedProblem,
  unreachable,
  type Decider,
  type Refusal,
  type Result,
} from '#libs/kernel';
import { verifyConsistency, type Sha256 } from '#libs/merkle';
import { acceptanceHead, isAppend, isSameAppend, shownAppend } from './append.ts';
import type {
  Append,
  CheckpointAnchored,
  CheckpointSigned,
  NotaryAlarmRaised,
  NotaryAlarmSettled,
  NotaryEvent,
  NotaryKeyRotated,
  NotaryOpened,
} from './events.ts';
import { commitmentLines, commitmentProblem } from './heads.ts';

interface Command<Type extends string, Data> {
  readonly type: Type;
  readonly id: string;
  readonly data: Data;
}

export type OpenNotary = Command<'OpenNotary', NotaryOpened['data']>;
export type RotateNotaryKey = Command<'RotateNotaryKey', NotaryKeyRotated['data']>;
export type RecordCheckpoint = Command<'RecordCheckpoint', CheckpointSigned['data']>;
export type RecordAnchor = Command<'RecordAnchor', CheckpointAnchored['data']>;
export type RaiseAlarm = Command<'RaiseAlarm', NotaryAlarmRaised['data']>;
export type SettleAlarm = Command<'SettleAlarm', NotaryAlarmSettled['data']>;

export type NotaryCommand =
  OpenNotary | RotateNotaryKey | RecordCheckpoint | RecordAnchor | RaiseAlarm | SettleAlarm;

export type NotaryRefusalCode =
  /** No key signs this log yet. */
  | 'not-open'
  /** The log has another origin or key. */
  | 'other-notary'
  /** What should be signed does not say what it must, or its signature does not hold. */
  | 'bad-note'
  /** It is no continuation of the last checkpoint. */
  | 'not-an-extension'
  /** An alarm stands: a human settles it first. */
  | 'alarmed'
  /** Nobody raised an alarm, or not this one. */
  | 'no-alarm'
  /** What should be accepted is not the append that the alarm is about. */
  | 'other-append'
  /** No such checkpoint was signed. */
  | 'unknown-checkpoint'
  /** People give a reason, screened and sealed by the edge. */
  | 'no-reason';

export interface NotaryState {
  readonly origin: string | null;
  /** The vkey that signs now. */
  readonly verifierKey: string | null;
  readonly last: {
    readonly size: number;
    readonly root: string;
    /** Whether it commits to the heads of all streams: then the next one does. */
    readonly commits: boolean;
  } | null;
  readonly alarm: (NotaryAlarmRaised['data'] & { readonly revision: number }) | null;
  /** What humans vouched for against the rules, for good. */
  readonly accepted: readonly Append[];
  /** Anchors of the last checkpoint, by kind and who holds it. */
  readonly anchored: readonly string[];
  /** How many events the stream has. */
  readonly length: number;
}

const INITIAL: NotaryState = {
  origin: null,
  verifierKey: null,
  last: null,
  alarm: null,
  accepted: [],
  anchored: [],
  length: 0,
};

/** What the decider needs of the world: two pure functions. */
export interface NotaryPorts {
  readonly sha256: Sha256;
  readonly verify: VerifyEd25519;
}

type Decision = Result<readonly NotaryEvent[], Refusal<NotaryRefusalCode>>;

const refuse = (code: NotaryRefusalCode, message: string): Decision => refused({ code, message });
const NOTHING: Decision = ok([]);

/** What both keys sign when one follows the other. */
export const rotationText = (origin: string, from: string, to: string): string =>
  `holdfast/notary-key-rotation/v1\n${origin}\nfrom ${from}\nto ${to}\n`;

const signingKey = (
  { sha256 }: NotaryPorts,
  origin: string,
  text: string,
): Result<VerifierKey, Refusal<NotaryRefusalCode>> => {
  const key = parseVerifierKey(sha256, text);
  if (!key.ok) return refused({ code: 'bad-note', message: key.error.message });
  return key.value.name === origin && key.value.type === SIGNATURE_TYPES.ed25519
    ? key
    : refused({
        code: 'bad-note',
        message: `found a key of ${key.value.name}, kind ${key.value.type}, expected an Ed25519 key named ${origin}`,
      });
};

const open = (ports: NotaryPorts, state: NotaryState, data: OpenNotary['data']): Decision => {
  if (state.origin !== null)
    return state.origin === data.origin && state.verifierKey === data.verifierKey
      ? NOTHING
      : refuse(
          'other-notary',
          `the log is ${state.origin}, signed with ${state.verifierKey ?? 'nothing'}; found ${data.origin} with ${data.verifierKey}: rotate the key, or keep the origin`,
        );
  if (!isKeyName(data.origin))
    return refuse(
      'bad-note',
      `found the origin ${JSON.stringify(data.origin)}, expected a name without spaces and plus signs`,
    );
  const key = signingKey(ports, data.origin, data.verifierKey);
  return key.ok ? ok([{ type: 'NotaryOpened', data }]) : key;
};

/** Refuses a note that isn't signed by every one of these keys. */
const signedBy = (
  { verify }: NotaryPorts,
  note: string,
  text: string | null,
  keys: readonly VerifierKey[],
): Result<string, Refusal<NotaryRefusalCode>> => {
  const parsed = parseNote(note);
  if (!parsed.ok) return refused({ code: 'bad-note', message: parsed.error.message });
  if (text !== null && parsed.value.text !== text)
    return refused({ code: 'bad-note', message: `found another text signed, expected: ${text}` });
  const verified = verifyNote(parsed.value, keys, verify);
  if (!verified.ok) return refused({ code: 'bad-note', message: verified.error.message });
  const missing = keys.filter((key) => !verified.value.some((found) => found.key === key));
  return missing.length === 0
    ? ok(parsed.value.text)
    : refused({
        code: 'bad-note',
        message: `found no signature of ${missing.map(({ name }) => name).join(', ')}, expected one of each key`,
      });
};

const rotate = (
  ports: NotaryPorts,
  state: Opened,
  { from, to, note }: NotaryKeyRotated['data'],
): Decision => {
  if (state.verifierKey === to) return NOTHING;
  if (state.verifierKey !== from)
    return refuse(
      'other-notary',
      `found a rotation from ${from}, expected from ${state.verifierKey}`,
    );
  const before = signingKey(ports, state.origin, from);
  if (!before.ok) return before;
  const after = signingKey(ports, state.origin, to);
  if (!after.ok) return after;
  const text = rotationText(state.origin, from, to);
  const signed = signedBy(ports, note, text, [before.value, after.value]);
  return signed.ok ? ok([{ type: 'NotaryKeyRotated', data: { from, to, note } }]) : signed;
};

const hashes = (lines: readonly string[]): readonly Uint8Array[] | null => {
  const decoded = lines.map(fromBase64);
  return decoded.every((each) => each !== null) ? decoded : null;
};

const recordCheckpoint = (
  ports: NotaryPorts,
  state: Opened,
  data: CheckpointSigned['data'],
): Decision => {
  const { size, root, note, extendsLast, heads, follows } = data;
  if (state.last?.size === size && state.last.root === root) return NOTHING;
  if (state.alarm !== null)
    return refuse(
      'alarmed',
      `nothing is signed while the alarm stands: ${state.alarm.reason}: found ${state.alarm.found}, expected ${state.alarm.expected}; settle it first`,
    );
  const key = signingKey(ports, state.origin, state.verifierKey);
  if (!key.ok) return key;
  const text = signedBy(ports, note, null, [key.value]);
  if (!text.ok) return text;
  const problem = commitmentProblem({ heads, follows }, size);
  if (problem !== null) return refuse('bad-note', problem);
  if (heads === null && state.last?.commits === true)
    return refuse(
      'bad-note',
      'found a checkpoint that commits to no heads of streams, expected one that does, as the last one did',
    );
  const said = parseCheckpoint(text.value);
  if (!said.ok) return refuse('bad-note', said.error.message);
  const bytes = fromBase64(root);
  const isSame =
    said.value.origin === state.origin &&
    said.value.size === size &&
    text.value ===
      `${[state.origin, size, root, ...commitmentLines({ heads, follows })].join('\n')}\n`;
  if (!isSame || bytes === null || size < 1)
    return refuse(
      'bad-note',
      `found a note of ${said.value.size} leaves of ${said.value.origin}, expected ${size} leaves with the root ${root} of ${state.origin}, and the lines: ${commitmentLines({ heads, follows }).join(', ') || 'none more'}`,
    );
  const { last } = state;
  if (last === null)
    return extendsLast.length === 0
      ? ok([{ type: 'CheckpointSigned', data }])
      : refuse(
          'not-an-extension',
          'found a consistency proof, expected none: nothing was signed before',
        );
  const root1 = fromBase64(last.root);
  const proof = hashes(extendsLast);
  const claim = { size1: last.size, size2: size, root1: root1 ?? bytes, root2: bytes };
  return proof !== null && verifyConsistency(ports.sha256, claim, proof)
    ? ok([{ type: 'CheckpointSigned', data }])
    : refuse(
        'not-an-extension',
        `found ${size} leaves with the root ${root}, which are not shown to begin with the ${last.size} leaves that were signed`,
      );
};

const anchorOf = ({ kind, by }: Pick<CheckpointAnchored['data'], 'kind' | 'by'>): string =>
  `${kind} ${by}`;

const recordAnchor = (state: Opened, data: CheckpointAnchored['data']): Decision => {
  const { last } = state;
  if (last === null || last.size !== data.size || last.root !== data.root)
    return refuse(
      'unknown-checkpoint',
      `found an anchor of ${data.size} leaves, expected one of the last checkpoint, of ${last?.size ?? 'no'} leaves`,
    );
  return state.anchored.includes(anchorOf(data))
    ? NOTHING
    : ok([{ type: 'CheckpointAnchored', data }]);
};

const raise = ({ alarm }: Opened, data: RaiseAlarm['data']): Decision => {
  if (alarm !== null) return NOTHING;
  const { reason, append } = data;
  return append === null || (reason === 'not-decided' && isAppend(append))
    ? ok([{ type: 'NotaryAlarmRaised', data }])
    : refuse(
        'other-append',
        `found an append in an alarm of ${reason}, expected none, or a whole one of not-decided`,
      );
};

/** Why this append is not one that a human accepted of the alarm that stands; null where it is. */
const unaccepted = (
  ports: NotaryPorts,
  { origin, verifierKey }: Opened,
  { append, revision }: NonNullable<NotaryState['alarm']>,
  accepts: Append,
  note: string | null,
): Refusal<NotaryRefusalCode> | null => {
  const isIts = isAppend(accepts) && append !== null && isSameAppend(accepts, append);
  if (!isIts)
    return {
      code: 'other-append',
      message: `found ${isAppend(accepts) ? shownAppend(accepts) : 'no append'} to accept, expected ${append === null ? 'nothing: what this alarm found is no append that could be accepted; restore the log from a copy' : `${shownAppend(append)}, which the alarm found`}`,
    };
  const key = signingKey(ports, origin, verifierKey);
  if (!key.ok) return key.error;
  const signed = signedBy(ports, note ?? '', null, [key.value]);
  if (!signed.ok) return signed.error;
  return signed.value.startsWith(`${acceptanceHead(origin, revision, accepts)}by `)
    ? null
    : {
        code: 'bad-note',
        message: `found another text signed, expected: ${acceptanceHead(origin, revision, accepts)}`,
      };
};

const settle = (ports: NotaryPorts, state: Opened, data: SettleAlarm['data']): Decision => {
  const { alarm } = state;
  if (alarm === null) return refuse('no-alarm', 'no alarm stands');
  if (data.alarm !== null && data.alarm !== alarm.revision)
    return refuse(
      'no-alarm',
      `found alarm ${data.alarm}, expected ${alarm.revision}, the one that stands`,
    );
  const { accepts, note, reason } = data;
  if (accepts === null && note !== null)
    return refuse('bad-note', 'found a note, expected none: no append is accepted');
  const wrong = accepts === null ? null : unaccepted(ports, state, alarm, accepts, note);
  if (wrong !== null) return refused(wrong);
  const problem = sealedProblem(reason);
  return problem === null
    ? ok([{ type: 'NotaryAlarmSettled', data }])
    : refuse('no-reason', problem);
};

type Opened = NotaryState & { readonly origin: string; readonly verifierKey: string };

const decideWith =
  (ports: NotaryPorts) =>
  (state: NotaryState, command: NotaryCommand): Decision => {
    if (command.type === 'OpenNotary') return open(ports, state, command.data);
    const { origin, verifierKey } = state;
    if (origin === null || verifierKey === null)
      return refuse(
        'not-open',
        `${command.type} came before OpenNotary: no key signs this log yet`,
      );
    const opened: Opened = { ...state, origin, verifierKey };
    switch (command.type) {
      case 'RotateNotaryKey':
        return rotate(ports, opened, command.data);
      case 'RecordCheckpoint':
        return recordCheckpoint(ports, opened, command.data);
      case 'RecordAnchor':
        return recordAnchor(opened, command.data);
      case 'RaiseAlarm':
        return raise(opened, command.data);
      case 'SettleAlarm':
        return settle(ports, opened, command.data);
      default:
        return unreachable(command);
    }
  };

const evolve = (before: NotaryState, event: NotaryEvent): NotaryState => {
  const state = { ...before, length: before.length + 1 };
  switch (event.type) {
    case 'NotaryOpened':
      return { ...state, ...event.data };
    case 'NotaryKeyRotated':
      return { ...state, verifierKey: event.data.to };
    case 'CheckpointSigned': {
      const { size, root, heads } = event.data;
      return { ...state, last: { size, root, commits: heads !== null }, anchored: [] };
    }
    case 'CheckpointAnchored':
      return { ...state, anchored: [...state.anchored, anchorOf(event.data)] };
    case 'NotaryAlarmRaised':
      return { ...state, alarm: { ...event.data, revision: before.length } };
    case 'NotaryAlarmSettled': {
      const { accepts } = event.data;
      const accepted = accepts === null ? state.accepted : [...state.accepted, accepts];
      return { ...state, alarm: null, accepted };
    }
  }
};

/**
 * The notary: which key signs this log, what it signed, who else holds it. One stream, `notary`, whose events are no
 * leaves of the tree. No checkpoint is recorded that isn't signed and shown to extend the last one; whoever reads the
 * stream can check all of it with the key alone.
 */
export const notaryDecider = (
  ports: NotaryPorts,
): Decider<NotaryState, NotaryCommand, NotaryEvent, NotaryRefusalCode> => ({
  initialState: INITIAL,
  decide: decideWith(ports),
  evolve,
});
