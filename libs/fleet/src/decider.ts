import {
  ok,
  refused,
  unreachable,
  type Decider,
  type PrivateText,
  type Refusal,
  type Result,
} from '#libs/kernel';
import { humanTextProblem } from '#libs/mandate';
import type { FleetEvent } from './events.ts';

interface Command<Type extends string, Data> {
  readonly type: Type;
  readonly id: string;
  readonly data: Data;
}

/** `keyId` is computed of `publicKey` by the edge (`keyIdOf` of libs/signatures), never taken from outside. */
export type AdmitWorker = Command<
  'AdmitWorker',
  { readonly keyId: string; readonly publicKey: string; readonly label: string }
>;
/** The reason is screened and sealed by the edge. */
export type DismissWorker = Command<
  'DismissWorker',
  { readonly keyId: string; readonly reason: PrivateText }
>;

export type FleetCommand = AdmitWorker | DismissWorker;

export type FleetRefusalCode =
  /** The key id stands for another key. */
  | 'other-key'
  /** The worker is admitted under another label. */
  | 'other-label'
  /** A label is one word of letters, digits, dots, hyphens and underscores. */
  | 'bad-label'
  /** Nobody admitted this key. */
  | 'unknown-worker'
  /** People give a reason when they dismiss a worker, sealed. */
  | 'no-reason';

export interface FleetWorker {
  readonly keyId: string;
  readonly publicKey: string;
  readonly label: string;
  readonly standing: 'admitted' | 'dismissed';
}

export interface FleetState {
  /** Every worker that was ever admitted, by key id, in the order of their first admission. */
  readonly workers: Readonly<Record<string, FleetWorker>>;
}

const INITIAL: FleetState = { workers: {} };

type Decision = Result<readonly FleetEvent[], Refusal<FleetRefusalCode>>;

const refuse = (code: FleetRefusalCode, message: string): Decision => refused({ code, message });

/** What has happened already is not said twice. */
const NOTHING: Decision = ok([]);

const LABEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const admit = ({ workers }: FleetState, data: AdmitWorker['data']): Decision => {
  const { keyId, publicKey, label } = data;
  const known = workers[keyId];
  if (known !== undefined && known.publicKey !== publicKey)
    return refuse(
      'other-key',
      `the key id ${keyId} stands for the public key ${known.publicKey}, not ${publicKey}; compare the key with what the worker printed`,
    );
  if (!LABEL.test(label))
    return refuse(
      'bad-label',
      `found the label ${JSON.stringify(label)}, expected 1 to 100 letters, digits, dots, hyphens and underscores; name the host so`,
    );
  if (known?.standing !== 'admitted') return ok([{ type: 'WorkerAdmitted', data }]);
  if (known.label === label) return NOTHING;
  return refuse(
    'other-label',
    `the worker ${keyId} is admitted as ${known.label}, not ${label}; dismiss it first to give it another label`,
  );
};

const dismiss = ({ workers }: FleetState, { keyId, reason }: DismissWorker['data']): Decision => {
  const known = workers[keyId];
  if (known === undefined)
    return refuse(
      'unknown-worker',
      `nobody admitted a worker with the key id ${keyId}; list the admitted ones`,
    );
  if (known.standing === 'dismissed') return NOTHING;
  const problem = humanTextProblem(reason);
  return problem === null
    ? ok([{ type: 'WorkerDismissed', data: { keyId, reason } }])
    : refuse('no-reason', problem);
};

const decide = (state: FleetState, command: FleetCommand): Decision => {
  switch (command.type) {
    case 'AdmitWorker':
      return admit(state, command.data);
    case 'DismissWorker':
      return dismiss(state, command.data);
    default:
      return unreachable(command);
  }
};

const evolve = ({ workers }: FleetState, event: FleetEvent): FleetState => {
  switch (event.type) {
    case 'WorkerAdmitted':
      return {
        workers: { ...workers, [event.data.keyId]: { ...event.data, standing: 'admitted' } },
      };
    case 'WorkerDismissed': {
      const { keyId } = event.data;
      const known = workers[keyId];
      return known === undefined
        ? { workers }
        : { workers: { ...workers, [keyId]: { ...known, standing: 'dismissed' } } };
    }
  }
};

/**
 * The fleet: whose signatures on trainings are taken. One stream, `fleet`. A repeated command decides nothing.
 *
 * @example
 * const fleet = fold(fleetDecider, events);
 * const publicKey = trustedKey(fleet, signature.keyId);
 */
export const fleetDecider: Decider<FleetState, FleetCommand, FleetEvent, FleetRefusalCode> = {
  initialState: INITIAL,
  decide,
  evolve,
};

/** The public key (base64 of the raw 32 bytes) of a worker that is admitted now; null for any other. */
export const trustedKey = ({ workers }: FleetState, keyId: string): string | null => {
  const known = workers[keyId];
  return known?.standing === 'admitted' ? known.publicKey : null;
};
