import type { Hash } from '#libs/provenance';
import {
  ANCHORS,
  NOTARY_UPCASTERS,
  notaryReplay,
  type Accepted,
  type CheckpointAnchored,
  type CheckpointSigned,
  type NotaryEvent,
  type NotaryPorts,
  type NotaryState,
} from '#libs/notary';

/** An event's own bytes, read. */
export interface ChainedBody {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: {
    readonly prev: string | null;
    readonly time: string;
    readonly schemaVersion: number;
    readonly actor: { readonly role: string; readonly id: string };
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The event that a value of JSON is; null for any other value. */
export const bodyIn = (body: unknown): ChainedBody | null =>
  isRecord(body) &&
  isRecord(body['data']) &&
  isRecord(body['metadata']) &&
  typeof body['type'] === 'string'
    ? (body as unknown as ChainedBody)
    : null;

export const readBody = (bytes: Uint8Array): ChainedBody | null => {
  try {
    return bodyIn(JSON.parse(utf8.decode(bytes)));
  } catch {
    return null;
  }
};

/** The members that the data of each event has; the decider looks at what they say. */
const MEMBERS: Readonly<Record<NotaryEvent['type'], readonly string[]>> = {
  NotaryOpened: ['origin', 'verifierKey'],
  NotaryKeyRotated: ['from', 'note', 'to'],
  CheckpointSigned: ['extendsLast', 'follows', 'heads', 'newest', 'note', 'root', 'size'],
  CheckpointAnchored: ['by', 'evidence', 'kind', 'root', 'size'],
  NotaryAlarmRaised: ['append', 'expected', 'found', 'reason', 'size'],
  NotaryAlarmSettled: ['accepts', 'alarm', 'note', 'reason'],
};

/** The members that version 1 did not have; a type that is not here is in its first version. */
const ADDED: Readonly<Partial<Record<string, readonly string[]>>> = {
  CheckpointSigned: ['follows', 'heads'],
  NotaryAlarmRaised: ['append'],
  NotaryAlarmSettled: ['accepts', 'alarm', 'note'],
};

/** Of these the ones that are texts: they are shown and read as such, whatever the decider asks of them. */
const TEXTS: Readonly<Record<NotaryEvent['type'], readonly string[]>> = {
  NotaryOpened: ['origin', 'verifierKey'],
  NotaryKeyRotated: ['from', 'note', 'to'],
  CheckpointSigned: ['note', 'root'],
  CheckpointAnchored: ['by', 'evidence', 'kind', 'root'],
  NotaryAlarmRaised: ['expected', 'found', 'reason'],
  NotaryAlarmSettled: [],
};

const isLeaf = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value['stream'] === 'string' &&
  typeof value['revision'] === 'number' &&
  typeof value['hash'] === 'string';

/** The event that a body holds; null where no event of the notary is shaped so. */
const eventOf = ({ type, data, metadata }: ChainedBody): NotaryEvent | null => {
  if (!Object.hasOwn(MEMBERS, type)) return null;
  const added = Object.hasOwn(ADDED, type) ? ADDED[type] : undefined;
  const isOld = added !== undefined && metadata.schemaVersion === 1;
  if (metadata.schemaVersion !== (added !== undefined && !isOld ? 2 : 1)) return null;
  const members = MEMBERS[type as NotaryEvent['type']].filter(
    (name) => !isOld || !added.includes(name),
  );
  if (Object.keys(data).sort().join() !== members.join()) return null;
  if (TEXTS[type as NotaryEvent['type']].some((name) => typeof data[name] !== 'string'))
    return null;
  if (type === 'CheckpointSigned' && !isLeaf(data['newest'])) return null;
  if (isOld) {
    const [upcast] = NOTARY_UPCASTERS[type as keyof typeof NOTARY_UPCASTERS];
    return { type, data: upcast!(data as never) } as NotaryEvent;
  }
  if (type === 'CheckpointAnchored' && !(ANCHORS as readonly unknown[]).includes(data['kind']))
    return null;
  return { type, data } as unknown as NotaryEvent;
};

/** What a notary's stream says, as far as it was read. */
export interface NotaryReading {
  readonly state: NotaryState;
  /** Every key that signed, in order: verifier keys as C2SP signed-note writes them. */
  readonly keys: readonly string[];
  readonly checkpoints: number;
  readonly newest: CheckpointSigned['data'] | null;
  /** When the operator says that it was signed. */
  readonly signedAt: string | null;
  readonly anchors: readonly CheckpointAnchored['data'][];
  /** What humans vouched for against the rules. */
  readonly accepted: readonly Accepted[];
  /** Whether an earlier checkpoint is one of these: asked for by size. */
  readonly rootAt: (size: number) => string | null;
  readonly fault: string | null;
}

export interface NotaryReader {
  readonly observe: (bytes: Uint8Array) => void;
  readonly reading: () => NotaryReading;
}

/**
 * Reads the notary's stream from its first event on, deciding each event again: none passes that the rules would not
 * have made. Of earlier checkpoints only the one of the size that is asked for is remembered.
 */
export const notaryReader = (
  ports: NotaryPorts & { readonly hash: Hash },
  rememberSize: number | null,
): NotaryReader => {
  const replay = notaryReplay(ports);
  let state = replay.initialState;
  let prev: string | null = null;
  let revision = 0;
  let checkpoints = 0;
  let newest: CheckpointSigned['data'] | null = null;
  let signedAt: string | null = null;
  let anchors: CheckpointAnchored['data'][] = [];
  const accepted: Accepted[] = [];
  let remembered: string | null = null;
  const keys: string[] = [];
  let fault: string | null = null;

  const problemOf = (body: ChainedBody | null): string | null => {
    if (body === null) return 'is no event';
    if (body.stream !== 'notary' || body.revision !== revision || body.metadata.prev !== prev)
      return 'does not follow the one before it';
    const { actor, time } = body.metadata as Partial<ChainedBody['metadata']>;
    if (typeof actor?.role !== 'string' || typeof actor.id !== 'string' || typeof time !== 'string')
      return 'does not say who recorded it, and when';
    const event = eventOf(body);
    if (event === null) return `is ${body.type.slice(0, 80)}, which no notary writes in this shape`;
    const before = prev === null ? null : { revision: revision - 1, hash: prev };
    const next = replay.next(state, event, before, actor);
    if (!next.ok) return `is none that the rules make: ${next.error.message}`;
    state = next.value;
    switch (event.type) {
      case 'NotaryOpened':
        keys.push(event.data.verifierKey);
        break;
      case 'NotaryKeyRotated':
        keys.push(event.data.to);
        break;
      case 'CheckpointSigned':
        checkpoints += 1;
        newest = event.data;
        signedAt = time;
        anchors = [];
        if (event.data.size === rememberSize) remembered = event.data.root;
        break;
      case 'CheckpointAnchored':
        anchors.push(event.data);
        break;
      case 'NotaryAlarmSettled': {
        const { accepts: append } = event.data;
        if (append !== null) accepted.push({ append, by: actor, time });
        break;
      }
      default:
    }
    return null;
  };

  return {
    observe: (bytes) => {
      // One that does not hold leaves nothing that the next ones could be held against.
      if (fault !== null) return;
      const problem = problemOf(readBody(bytes));
      if (problem !== null) fault = `event ${revision} of the notary ${problem}`;
      prev = ports.hash(bytes);
      revision += 1;
    },
    reading: () => ({
      ...{ state, keys, checkpoints, newest, signedAt, anchors, accepted, fault },
      rootAt: (size) => (size === rememberSize ? remembered : null),
    }),
  };
};
