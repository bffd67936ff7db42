import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import canonicalize from 'canonicalize';
import {
  cosign,
  formatCheckpoint,
  formatNote,
  formatSignature,
  formatVerifierKey,
  SIGNATURE_TYPES,
  signText,
  toBase64,
  verifierKey,
  type NoteSigner,
  type SignatureType,
} from '#libs/checkpoints';
import { sha256 as sha256Bytes } from '#libs/log-tree';
import {
  appendLeaf,
  consistencyProof,
  EMPTY_FRONTIER,
  inclusionProof,
  leafHash,
  rootOf,
} from '#libs/merkle';
import {
  acceptanceText,
  commitmentLines,
  rotationText,
  streamHeads,
  type Append,
} from '#libs/notary';
import type { ReadObject, StoredBytes } from '#libs/provenance';
import { verifyBeside, verifyRaw } from '#libs/signatures';
import { SEALED } from '../../../kernel/src/testing/sealed-text.ts';
import { storedEvents } from '../../../payloads/src/testing/golden.ts';
import {
  composeBundle,
  readBody,
  writeBundle,
  type BundlePorts,
  type Composed,
  type Subject,
} from '../index.ts';
import { proposalOf } from '../proposal.ts';

export const ORIGIN = 'ledger.example/holdfast';

/** The verifier's ports as Node has them. */
export const nodePorts: BundlePorts = {
  sha256: (bytes) => hash('sha256', bytes, 'hex'),
  sha1: (bytes) => hash('sha1', bytes, 'hex'),
  verifySignature: verifyBeside,
  sha256Bytes,
  verifyEd25519: verifyRaw,
};

export const signerOf = (name: string, type: SignatureType): NoteSigner => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    key: verifierKey(sha256Bytes, name, type, raw),
    sign: (message) => sign(null, message, privateKey),
  };
};

export const logSigner = (): NoteSigner => signerOf(ORIGIN, SIGNATURE_TYPES.ed25519);
export const witnessSigner = (name = 'witness.example/w1'): NoteSigner =>
  signerOf(name, SIGNATURE_TYPES.cosignature);

/** A fact of the notary, as its stream says it. */
export interface NotaryFact {
  readonly type: string;
  readonly data: unknown;
}

/** By the members that version 1 did not have. */
const isOfVersion2 = (data: unknown): boolean =>
  typeof data === 'object' &&
  data !== null &&
  ['heads', 'append', 'accepts'].some((member) => member in data);

/** Facts as the notary's stream, chained as a log chains them. */
export const notaryStream = (facts: readonly NotaryFact[]): readonly StoredBytes[] => {
  let prev: string | null = null;
  return facts.map(({ type, data }, revision): StoredBytes => {
    const id = `n${revision}`;
    const metadata = {
      actor:
        type === 'NotaryAlarmSettled'
          ? { id: 'local', role: 'operator' }
          : { id: 'notary', role: 'harness' },
      causationId: id,
      correlationId: 'notary',
      prev,
      schemaVersion: isOfVersion2(data) ? 2 : 1,
      time: '2026-11-26T00:00:00.000Z',
    };
    const body = { stream: 'notary', revision, id, type, data, metadata };
    const canonical = new TextEncoder().encode(canonicalize(body));
    prev = hash('sha256', canonical, 'hex');
    return { position: NaN, stream: 'notary', revision, id, type, hash: prev, canonical };
  });
};

/** The tree over events in log order. */
export const treeOver = (events: readonly StoredBytes[]) => {
  const levels: Uint8Array[][] = [];
  const leafOf = ({ hash: chainHash }: StoredBytes): Uint8Array =>
    leafHash(sha256Bytes, Buffer.from(chainHash, 'hex'));
  let frontier = EMPTY_FRONTIER;
  for (const event of events)
    frontier = appendLeaf(sha256Bytes, frontier, leafOf(event), (level, _, node) => {
      (levels[level] ??= []).push(node);
    });
  const read = (level: number, index: number): Uint8Array => {
    const node = levels[level]?.[index];
    if (node === undefined) throw new Error(`no node ${level}/${index}`);
    return node;
  };
  return {
    root: (size: number): Uint8Array =>
      rootOf(
        sha256Bytes,
        events
          .slice(0, size)
          .reduce((grown, event) => appendLeaf(sha256Bytes, grown, leafOf(event)), EMPTY_FRONTIER),
      ),
    inclusion: (index: number, size: number) => inclusionProof(sha256Bytes, read, index, size),
    consistency: (size1: number, size2: number) =>
      consistencyProof(sha256Bytes, read, size1, size2),
  };
};

/** The heads of the streams of these events, in log order. */
export const headsOver = (events: readonly StoredBytes[]) => {
  const heads = streamHeads(sha256Bytes);
  for (const event of events) heads.see(event);
  return heads.tree();
};

export interface FixtureLog {
  /** Every event but the notary's, in log order. */
  readonly events: readonly StoredBytes[];
  readonly readObject: ReadObject;
}

/** What the note of a checkpoint says, without its signatures. */
const noteTextOf = ({ data }: NotaryFact): string => {
  const { note } = data as { readonly note: string };
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
};

/** Writes what a notary of this log says; a checkpoint commits to the last of the facts that it comes after. */
export const notaryFacts = (events: readonly StoredBytes[]) => {
  const tree = treeOver(events);
  return {
    opened: ({ key }: NoteSigner): NotaryFact => ({
      type: 'NotaryOpened',
      data: { origin: ORIGIN, verifierKey: formatVerifierKey(key) },
    }),
    signed: (
      signer: NoteSigner,
      size: number,
      before: number | null,
      after: readonly NotaryFact[],
      heads = headsOver(events.slice(0, size)),
    ): NotaryFact => {
      const root = tree.root(size);
      const head = notaryStream(after).at(-1);
      const commitment = {
        heads: { streams: heads.streams, root: toBase64(heads.root) },
        follows: head === undefined ? null : { revision: head.revision, hash: head.hash },
      };
      const extensions = commitmentLines(commitment);
      const text = formatCheckpoint({ origin: ORIGIN, size, root, extensions });
      const { stream, revision, hash: newest } = events[size - 1]!;
      return {
        type: 'CheckpointSigned',
        data: {
          size,
          root: toBase64(root),
          note: formatNote({ text, signatures: [signText(signer, text)] }),
          extendsLast: before === null ? [] : tree.consistency(before, size).map(toBase64),
          newest: { stream, revision, hash: newest },
          ...commitment,
        },
      };
    },
    witnessed: (witness: NoteSigner, checkpoint: NotaryFact, seconds: number): NotaryFact => {
      const { size, root } = checkpoint.data as { readonly size: number; readonly root: string };
      return {
        type: 'CheckpointAnchored',
        data: {
          ...{ size, root, kind: 'witness', by: witness.key.name },
          evidence: formatSignature(cosign(witness, noteTextOf(checkpoint), seconds)),
        },
      };
    },
    /** An alarm about an append, which is the event `at` of the notary, and its settlement, which accepts it. */
    accepted: (
      signer: NoteSigner,
      at: number,
      append: Append,
      by = { role: 'operator', id: 'local' },
    ): readonly NotaryFact[] => {
      const text = acceptanceText(ORIGIN, at, append, by);
      const note = formatNote({ text, signatures: [signText(signer, text)] });
      const found = { reason: 'not-decided', size: 1, found: 'one thing', expected: 'another' };
      return [
        { type: 'NotaryAlarmRaised', data: { ...found, append } },
        { type: 'NotaryAlarmSettled', data: { alarm: at, reason: SEALED, accepts: append, note } },
      ];
    },
    rotated: (from: NoteSigner, to: NoteSigner): NotaryFact => {
      const [before, after] = [formatVerifierKey(from.key), formatVerifierKey(to.key)];
      const text = rotationText(ORIGIN, before, after);
      const note = formatNote({ text, signatures: [signText(from, text), signText(to, text)] });
      return { type: 'NotaryKeyRotated', data: { from: before, to: after, note } };
    },
  };
};

/** Facts one after the other, each of which may rest on those before it. */
export const inTurn = (
  ...steps: readonly (NotaryFact | ((after: readonly NotaryFact[]) => NotaryFact))[]
): readonly NotaryFact[] =>
  steps.reduce<readonly NotaryFact[]>(
    (said, step) => [...said, typeof step === 'function' ? step(said) : step],
    [],
  );

export const WITNESSED = 1_800_000_000;

export interface Bundled extends Composed {
  readonly bytes: Uint8Array;
}

const chainOf = (events: readonly StoredBytes[], stream: string) => {
  const first = events.find((event) => event.stream === stream && event.revision === 0);
  const body = first === undefined ? null : readBody(first.canonical);
  return body === null ? null : proposalOf(stream.slice('finding-'.length), body);
};

/** A bundle out of a log in memory, with these facts of its notary, and of its events those that are `shown`. */
export const bundleOf = async (
  { events, readObject }: FixtureLog,
  subject: Subject,
  facts: readonly NotaryFact[],
  shown: readonly StoredBytes[] = events,
): Promise<Bundled> => {
  const { size } = facts.findLast(({ type }) => type === 'CheckpointSigned')!.data as {
    size: number;
  };
  const covered = events.slice(0, size);
  const isShown = new Set(shown);
  const tree = treeOver(covered);
  const places = new Map(covered.map(({ position }, index) => [position, index]));
  const heads = headsOver(covered);
  const notary = notaryStream(facts);
  const proposals = [
    ...new Set(covered.filter((each) => isShown.has(each)).map(({ stream }) => stream)),
  ]
    .filter((stream) => stream.startsWith('finding-'))
    .flatMap((stream) => chainOf(covered, stream) ?? [])
    .sort((a, b) => a.number - b.number);
  const composed = await composeBundle(
    {
      ...nodePorts,
      origin: ORIGIN,
      stream: (name) =>
        name === 'notary'
          ? notary
          : covered.filter((each) => each.stream === name && isShown.has(each)),
      leafOf: (position) => {
        const index = places.get(position)!;
        return { index, proof: tree.inclusion(index, size) };
      },
      headOf: (stream) => heads.proofOf(stream)!,
      readObject,
      findingsOf: (runId) =>
        Promise.resolve(
          proposals.filter((each) => each.runId === runId).map(({ findingId }) => findingId),
        ),
      findingAt: ({ runId, tree: toTree, mutationId }) =>
        Promise.resolve(
          proposals.find(
            (each) =>
              each.runId === runId && each.toTree === toTree && each.lastMutation === mutationId,
          )?.findingId ?? null,
        ),
    },
    subject,
  );
  if (!composed.ok) throw new Error(composed.error.message);
  const lines: Uint8Array[] = [];
  for await (const line of writeBundle(composed.value.content)) lines.push(line);
  return { ...composed.value, bytes: Uint8Array.from(Buffer.concat(lines)) };
};

/** Golden logs with the objects that they name. */
export type GoldenRun = 'v1-pay' | 'v2-pay';

export const goldenLog = (name: GoldenRun): FixtureLog => {
  const text = readFileSync(
    new URL(`../../../../test/golden/${name}.objects.json`, import.meta.url),
    'utf8',
  );
  const objects = new Map(
    (JSON.parse(text) as [string, string, string][]).map(([oid, type, deflated]) => [
      oid,
      { type, content: Uint8Array.from(inflateRawSync(Buffer.from(deflated, 'base64'))) },
    ]),
  );
  return {
    events: storedEvents(`${name}.jsonl`),
    readObject: (oid) => {
      const object = objects.get(oid);
      return Promise.resolve(
        object === undefined ? { state: 'absent' } : { state: 'present', ...object },
      );
    },
  };
};

/** What a notary says of a whole log: a checkpoint in the middle, one at its end, and a witness who saw that. */
export const usualFacts = (
  events: readonly StoredBytes[],
  log: NoteSigner,
  witness: NoteSigner,
): readonly NotaryFact[] => {
  const facts = notaryFacts(events);
  const middle = Math.floor(events.length / 2);
  return inTurn(
    facts.opened(log),
    (after) => facts.signed(log, middle, null, after),
    (after) => facts.signed(log, events.length, middle, after),
    (after) => facts.witnessed(witness, after.at(-1)!, WITNESSED),
  );
};
