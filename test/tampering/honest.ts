import { createPrivateKey, createPublicKey, hash, sign as signBytes } from 'node:crypto';
import canonicalize from 'canonicalize';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import {
  formatVerifierKey,
  SIGNATURE_TYPES,
  verifierKey,
  type NoteSigner,
} from '#libs/checkpoints';
import type { ObjectType, Subject } from '#libs/bundle';
import { sha256 as sha256Bytes } from '#libs/log-tree';
import type { StoredBytes } from '#libs/provenance';
import { keyIdOf, sign, type SigningKey } from '#libs/signatures';
import {
  bundleOf,
  goldenLog,
  notaryFacts,
  ORIGIN,
  usualFacts,
  type FixtureLog,
  type GoldenRun,
  type NotaryFact,
} from '../../libs/bundle/src/testing/fixture.ts';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import {
  replayAttestation,
  runHeadAttestation,
  verdictAttestation,
} from '../../libs/provenance/src/attestations.ts';
import {
  chained,
  honestRun,
  type HonestRun,
  type Iteration,
  type Workshop,
  type WrittenFact,
} from '../../libs/provenance/src/testing/honest-run.ts';
import { REPLAYED_ON } from '../support/environment.ts';

/** Whole numbers from 0 to below `below`, the same for the same seed. */
export interface Draw {
  (below: number): number;
}

export const drawOf = (seed: number): Draw => {
  const generator = xoroshiro128plus(seed);
  return (below) => uniformInt(generator, 0, below - 1);
};

export const pick = <T>(draw: Draw, from: readonly T[]): T => {
  const found = from[draw(from.length)];
  if (found === undefined) throw new Error('nothing to draw from');
  return found;
};

/** What stands before the 32 secret bytes in the PKCS #8 form of an Ed25519 key (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key of a name: the same in each run of the tests, so that a case can be made again. */
const secretOf = (name: string) => {
  const secret = hash('sha256', `a key for tests: ${name}`, 'buffer');
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8, secret]),
    format: 'der',
    type: 'pkcs8',
  });
  const raw = Uint8Array.from(
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32),
  );
  return { privateKey, raw };
};

export const signingKeyOf = (name: string): SigningKey => {
  const { privateKey, raw } = secretOf(name);
  return { keyId: keyIdOf(raw), publicKey: Buffer.from(raw).toString('base64'), privateKey };
};

const noteSignerOf = (
  secret: string,
  name: string,
  type: NoteSigner['key']['type'],
): NoteSigner => {
  const { privateKey, raw } = secretOf(secret);
  return {
    key: verifierKey(sha256Bytes, name, type, raw),
    sign: (message) => Uint8Array.from(signBytes(null, message, privateKey)),
  };
};

export const logKey = (secret: string): NoteSigner =>
  noteSignerOf(secret, ORIGIN, SIGNATURE_TYPES.ed25519);
export const witnessKey = (secret: string, name = secret): NoteSigner =>
  noteSignerOf(secret, name, SIGNATURE_TYPES.cosignature);

const RUNNER = signingKeyOf('runner');
const WORKER = signingKeyOf('worker');
const OTHER = signingKeyOf('another worker');
/** Somebody who can write to the log, and has none of the others' keys. */
const INTRUDER = signingKeyOf('intruder');
const named = ({ keyId, publicKey }: SigningKey) => ({ keyId, publicKey });

export type Signers = 'runner' | 'worker' | 'other';

/** A workshop in which these sign with another key than their own. */
const workshopWith = (forged: readonly Signers[] = []): Workshop => ({
  sha256: (bytes) => hash('sha256', bytes, 'hex'),
  sha1: (bytes) => hash('sha1', bytes, 'hex'),
  keys: { runner: named(RUNNER), worker: named(WORKER) },
  other: named(OTHER),
  sign: (who, context, value) => {
    const own = { runner: RUNNER, worker: WORKER, other: OTHER }[who];
    const key = forged.includes(who) ? { ...INTRUDER, keyId: own.keyId } : own;
    return sign(key, context, value);
  },
});

/** All that a bundle is made from, so that it can be made again with a part of it changed. */
export interface World {
  /** Every event but the notary's, in log order. */
  readonly events: readonly StoredBytes[];
  readonly facts: readonly NotaryFact[];
  readonly subject: Subject;
  /** Names of the bundle's streams, the notary's not among them. */
  readonly streams: readonly string[];
  readonly objects: readonly {
    readonly oid: string;
    readonly type: ObjectType;
    readonly content: Uint8Array;
  }[];
}

/** What an auditor brings along. */
export interface Trust {
  readonly logKey: string;
  readonly witnesses: readonly string[];
  readonly seen: string | null;
}

export interface Honest {
  readonly what: string;
  readonly world: World;
  readonly bytes: Uint8Array;
  readonly trust: Trust;
  /** Who signed the log, in order. */
  readonly signers: readonly NoteSigner[];
}

export type Kind = 'finding' | 'run' | 'fork' | 'rotation' | 'witnessed';
export const KINDS: readonly Kind[] = ['finding', 'run', 'fork', 'rotation', 'witnessed'];

const OUTCOMES: readonly Iteration[] = [
  'kept',
  'kept-large',
  'kept-elsewhere',
  'discarded',
  'crashed',
  'timed-out',
  'diverged',
  'refused',
  'metric',
];

/** A run that ends with something to claim; what becomes of its iterations is drawn until that is so. */
const claimingRun = (
  draw: Draw,
  workshop: Workshop,
  most: number,
  forkedFrom: HonestRun | null,
): HonestRun => {
  for (;;) {
    const iterations = Array.from({ length: 1 + draw(most) }, () => pick(draw, OUTCOMES));
    const run = honestRun(workshop, ['kept', ...iterations], undefined, undefined, forkedFrom);
    if (run.finding.data.chain.mutations.length > 0) return run;
  }
};

/** Events of several streams, in the order in which they are told. */
const logWriter = () => {
  const events: StoredBytes[] = [];
  const heads = new Map<string, StoredBytes>();
  const tell = (stream: string, facts: readonly WrittenFact[]): void => {
    for (const fact of facts) {
      const head = heads.get(stream) ?? null;
      const [event] = chained(
        stream,
        [fact],
        (bytes) => hash('sha256', bytes, 'hex'),
        { position: events.length, prev: head?.hash ?? null },
        head === null ? 0 : head.revision + 1,
      );
      events.push(event!);
      heads.set(stream, event!);
    }
  };
  return { events, tell, head: (stream: string) => heads.get(stream)! };
};

type Writer = ReturnType<typeof logWriter>;

/** Something that another study does meanwhile: leaves that are in no bundle. */
const elsewhere = (draw: Draw, { tell }: Writer, nth: number): void => {
  tell(
    `study-elsewhere-${nth}`,
    Array.from({ length: 1 + draw(5) }, (_, at) => ({
      type: 'RunRequested',
      data: { runId: `elsewhere-${nth}-${at}` },
    })),
  );
};

const tellRun = (
  draw: Draw,
  workshop: Workshop,
  writer: Writer,
  run: HonestRun,
  before: HonestRun | null,
): void => {
  const { tell, head } = writer;
  const { runId, studyId, findingId, finding } = run;
  const study = run.study.slice(before?.study.length ?? 0);
  const data = run.data.slice(before?.data.length ?? 0);
  const dataStream = `data-${finding.data.claim.look?.dataDigest ?? ''}`;
  const [stream, ofFinding] = [`run-${runId}`, `finding-${findingId}`];
  tell(dataStream, data.slice(0, -1));
  const late = ['SpendCounted', 'SealedRowsOpened'];
  tell(
    `study-${studyId}`,
    study.filter(({ type }) => !late.includes(type)),
  );
  elsewhere(draw, writer, 10 * run.number);
  tell(stream, run.run);
  const { revision, hash: runHead } = head(stream);
  const signHead = (at: { readonly revision: number; readonly hash: string }) => ({
    type: 'RunHeadSigned',
    data: {
      ...at,
      signature: workshop.sign('runner', 'run-head', runHeadAttestation({ runId, ...at })),
    },
  });
  const ended = { revision, hash: runHead };
  tell(stream, [signHead(ended)]);
  tell(
    `study-${studyId}`,
    study.filter(({ type }) => late.includes(type)),
  );
  tell(dataStream, data.slice(-1));
  if (draw(2) === 0) elsewhere(draw, writer, 10 * run.number + 1);
  const { chain } = finding.data;
  tell(ofFinding, [{ ...finding, data: { ...finding.data, chain: { ...chain, runHead: ended } } }]);
  const proposed = head(ofFinding).hash;
  const verdict = {
    ...{ findingId, verdict: 'PASS' as const, trust: 'self-signed, unanchored' as const },
    rows: [{ row: 'hash-chain', passed: true, found: 'a chain', expected: 'a chain' }],
  };
  const signature = workshop.sign(
    'runner',
    'verdict',
    verdictAttestation(verdict, ended, proposed),
  );
  tell(ofFinding, [{ type: 'FindingVerified', data: { ...verdict, signature } }]);
  const replay = {
    ...{ findingId, trainingId: 'again', tree: chain.toTree, steps: 200 },
    class: 'bit-exact' as const,
    rows: [
      {
        ...{ row: 'predictions' as const, outcome: 'same' as const },
        ...{ found: '36 identical predictions', expected: 'the recorded predictions' },
      },
    ],
    environment: REPLAYED_ON,
    predictions: { found: 'cd'.repeat(32), expected: 'cd'.repeat(32) },
  };
  const again = workshop.sign('runner', 'replay', replayAttestation(replay, proposed));
  tell(ofFinding, [{ type: 'FindingReplayed', data: { ...replay, signature: again } }]);
  tell(stream, [{ type: 'RunClosed', data: { findings: [{ findingId, verdict: 'PASS' }] } }]);
  const closed = head(stream);
  tell(stream, [signHead({ revision: closed.revision, hash: closed.hash })]);
};

const WITNESSED = 1_800_000_000;
export const WITNESSES = [witnessKey('witness.example/w1'), witnessKey('witness.example/w2')];

/** Checkpoints of a log: how many, at which sizes and with which keys is drawn. */
const notarised = (
  draw: Draw,
  events: readonly StoredBytes[],
  kind: Kind,
): { readonly facts: readonly NotaryFact[]; readonly signers: readonly NoteSigner[] } => {
  const say = notaryFacts(events);
  const checkpoints = 1 + draw(3);
  const sizes = Array.from({ length: checkpoints }, () => 1 + draw(events.length - 1));
  const steps = [...new Set(sizes)].sort((a, b) => a - b);
  const signers = [logKey('log 0')];
  const facts: NotaryFact[] = [say.opened(signers[0]!)];
  let last: number | null = null;
  for (const size of [...steps, events.length]) {
    if (kind === 'rotation' && (size === events.length || draw(2) === 0)) {
      const [before, after] = [signers.at(-1)!, logKey(`log ${signers.length}`)];
      facts.push(say.rotated(before, after));
      signers.push(after);
    }
    if (size === last) continue;
    const checkpoint = say.signed(signers.at(-1)!, size, last, facts);
    facts.push(checkpoint);
    last = size;
    if (draw(4) === 0)
      facts.push(...alarms(say, signers.at(-1)!, events[size - 1]!, size, facts.length));
    const seenBy =
      kind === 'witnessed' && size === events.length ? WITNESSES : WITNESSES.slice(0, draw(2));
    for (const witness of seenBy) facts.push(say.witnessed(witness, checkpoint, WITNESSED + size));
  }
  return { facts, signers };
};

/** An alarm and its settlement: as version 1 wrote them, or about an append that a person accepted. */
const alarms = (
  { accepted }: ReturnType<typeof notaryFacts>,
  signer: NoteSigner,
  { stream, revision, hash: of }: StoredBytes,
  size: number,
  at: number,
): readonly NotaryFact[] =>
  size % 2 === 0
    ? [
        {
          type: 'NotaryAlarmRaised',
          data: { reason: 'shorter-log', size, found: '9 events', expected: `${size}` },
        },
        { type: 'NotaryAlarmSettled', data: { reason: SEALED } },
      ]
    : accepted(signer, at, { stream, from: revision, to: revision, hash: of });

/** The bundle of a log, and what it is made of. */
const bundled = async (
  log: FixtureLog,
  subject: Subject,
  facts: readonly NotaryFact[],
): Promise<Pick<Honest, 'bytes' | 'world'>> => {
  const { bytes, content } = await bundleOf(log, subject, facts);
  const objects: World['objects'][number][] = [];
  // An object's line names it at its end, as nothing else does.
  const named = Buffer.from(bytes)
    .toString('latin1')
    .matchAll(/","oid":"([0-9a-f]{40})","part":"object"/g);
  for (const [, oid = ''] of named) {
    const found = await log.readObject(oid);
    if (found.state !== 'present') throw new Error(`${oid} is ${found.state}`);
    objects.push({ oid, type: found.type as ObjectType, content: found.content });
  }
  const streams = content.streams
    .map(({ stream }) => stream)
    .filter((stream) => stream !== 'notary');
  return { bytes, world: { events: log.events, facts, subject, streams, objects } };
};

/** A run of examples/pay that really ran, in the sandbox, as a golden log keeps it. */
export const goldenOf = async (name: GoldenRun, kind: Subject['kind']): Promise<Honest> => {
  const log = goldenLog(name);
  const signers = [logKey('log 0')];
  const facts = usualFacts(log.events, signers[0]!, WITNESSES[0]!);
  const subject = { kind, id: kind === 'run' ? 'pay-1' : 'pay-1-f1' };
  return {
    what: `${kind} of ${name}`,
    ...(await bundled(log, subject, facts)),
    signers,
    trust: {
      logKey: formatVerifierKey(signers[0]!.key),
      witnesses: [formatVerifierKey(WITNESSES[0]!.key)],
      seen: null,
    },
  };
};

/** How an honest world is made; what of it is forged, if anything. */
export interface Making {
  readonly forged?: readonly Signers[];
  /** Most iterations after the first. */
  readonly most?: number;
}

/** An honest run (or two, of which the second is a fork of the first), its log, and its bundle. */
export const honestOf = async (
  kind: Kind,
  seed: number,
  { forged = [], most = 3 }: Making = {},
): Promise<Honest> => {
  const draw = drawOf(seed);
  const workshop = workshopWith(forged);
  const writer = logWriter();
  const parent = claimingRun(draw, workshop, most, null);
  tellRun(draw, workshop, writer, parent, null);
  let run = parent;
  if (kind === 'fork') {
    run = claimingRun(draw, workshop, most, parent);
    tellRun(draw, workshop, writer, run, parent);
  }
  if (draw(2) === 0) elsewhere(draw, writer, 99);
  const { events } = writer;
  const { facts, signers } = notarised(draw, events, kind);
  const subject: Subject =
    kind === 'run' ? { kind, id: run.runId } : { kind: 'finding', id: run.findingId };
  const log = { events, readObject: run.git.readObject };
  const { bytes, world } = await bundled(log, subject, facts);
  return {
    what: `${kind} ${seed}`,
    world,
    bytes,
    signers,
    trust: {
      logKey: formatVerifierKey(pick(draw, signers).key),
      witnesses: WITNESSES.slice(0, draw(3)).map(({ key }) => formatVerifierKey(key)),
      seen:
        draw(2) === 0
          ? noteOf(
              pick(
                draw,
                facts.filter(({ type }) => type === 'CheckpointSigned'),
              ),
            )
          : null,
    },
  };
};

export const noteOf = ({ data }: NotaryFact): string => (data as { readonly note: string }).note;

export const canonicalBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(canonicalize(value));
