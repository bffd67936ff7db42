import { hash } from 'node:crypto';
import { formatCheckpoint, formatVerifierKey, toBase64 } from '#libs/checkpoints';
import { fleetDecider } from '#libs/fleet';
import { deriveId } from '#libs/kernel';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { appendLeaf, consistencyProof, EMPTY_FRONTIER, leafHash, rootOf } from '#libs/merkle';
import {
  acceptanceText,
  commitmentLines,
  notaryDecider,
  notaryKey,
  rotationText,
  signNote,
  streamHeads,
  type Append,
  type NotaryCommand,
  type NotarySigner,
} from '#libs/notary';
import { generateKey, signRaw, verifyRaw } from '#libs/signatures';
import { chained } from '../../libs/provenance/src/testing/honest-run.ts';
import { decided, makeWorkshop, writeGoldenLog } from './recording.ts';

/**
 * Records a golden log of a notary: opened, two checkpoints over the fleet's events, anchors, two alarms, a rotation.
 * `npx node --conditions=source test/golden/record-notary.ts test/golden/v3-notary.jsonl`; never over a file that is
 * there.
 */

const workshop = makeWorkshop();
const { other } = workshop;
const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');
const signer = (): NotarySigner => {
  const key = generateKey();
  return {
    publicKey: Buffer.from(key.publicKey, 'base64'),
    sign: async (message) => signRaw(key, message),
  };
};

const fleet = chained(
  'fleet',
  decided(
    fleetDecider,
    [],
    { type: 'AdmitWorker', id: deriveId('admit', 1), data: { ...other, label: 'gpu-1' } },
    {
      type: 'DismissWorker',
      id: deriveId('dismiss', 1),
      data: { keyId: other.keyId, reason: SEALED },
    },
    { type: 'AdmitWorker', id: deriveId('admit', 2), data: { ...other, label: 'gpu-2' } },
  ),
  workshop.sha256,
);

const ORIGIN = 'ledger.example/golden';
const OPERATOR = { role: 'operator', id: 'local' };
const [first, second] = [signer(), signer()];
const vkey = (of: NotarySigner): string => formatVerifierKey(notaryKey(sha256, ORIGIN, of));

const nodes = new Map<string, Uint8Array>();
const roots: Uint8Array[] = [];
let frontier = EMPTY_FRONTIER;
for (const { hash: chainHash } of fleet) {
  const leaf = leafHash(sha256, Buffer.from(chainHash, 'hex'));
  frontier = appendLeaf(sha256, frontier, leaf, (level, index, node) => {
    nodes.set(`${level}/${index}`, node);
  });
  roots.push(rootOf(sha256, frontier));
}

const decider = notaryDecider({ sha256, verify: verifyRaw });
/** The notary's stream as these commands make it. */
const streamOf = (commands: readonly NotaryCommand[]) =>
  chained(
    'notary',
    decided(decider, [], ...commands).map((fact) =>
      // What people decide bears their role: nobody else can vouch for an append.
      fact.type === 'NotaryAlarmSettled' ? { ...fact, actor: OPERATOR } : fact,
    ),
    workshop.sha256,
  );

const checkpoint = async (
  size: number,
  before: number,
  after: readonly NotaryCommand[],
): Promise<NotaryCommand> => {
  const root = roots[size - 1]!;
  const ends = streamHeads(sha256);
  for (const event of fleet.slice(0, size)) ends.see(event);
  const { streams, root: heads } = ends.tree();
  const { revision, hash: follows } = streamOf(after).at(-1)!;
  const commitment = {
    heads: { streams, root: toBase64(heads) },
    follows: { revision, hash: follows },
  };
  const extensions = commitmentLines(commitment);
  const text = formatCheckpoint({ origin: ORIGIN, size, root, extensions });
  const proof =
    before === 0
      ? []
      : consistencyProof(sha256, (level, index) => nodes.get(`${level}/${index}`)!, before, size);
  return {
    type: 'RecordCheckpoint',
    id: deriveId('checkpoint', size),
    data: {
      ...{ size, root: toBase64(root), extendsLast: proof.map(toBase64) },
      note: await signNote(sha256, ORIGIN, [first], text),
      newest: { stream: 'fleet', revision: size - 1, hash: fleet[size - 1]!.hash },
      ...commitment,
    },
  };
};
const anchor = (kind: 'witness' | 'timestamp' | 'git-tag', by: string, evidence: string) => ({
  type: 'RecordAnchor' as const,
  id: deriveId('anchor', kind),
  data: { size: fleet.length, root: toBase64(roots.at(-1)!), kind, by, evidence },
});
const handOver = rotationText(ORIGIN, vkey(first), vkey(second));

/** One that is not in this log: what came of an alarm is not looked at again. */
const APPEND: Append = { stream: 'fleet', from: 3, to: 3, hash: 'ab'.repeat(32) };

const open: NotaryCommand = {
  type: 'OpenNotary',
  id: deriveId('open'),
  data: { origin: ORIGIN, verifierKey: vkey(first) },
};
const begun = await checkpoint(2, 0, [open]);
const commands: readonly NotaryCommand[] = [
  open,
  begun,
  await checkpoint(fleet.length, 2, [open, begun]),
  anchor('witness', 'witness.example', '— witness.example AAAA'),
  anchor('timestamp', 'https://tsa.example', Buffer.alloc(500, 7).toString('base64')),
  anchor('git-tag', 'https://git.example/ledger.git', 'ab'.repeat(20)),
  {
    type: 'RaiseAlarm',
    id: deriveId('alarm'),
    data: {
      ...{ reason: 'shorter-log', size: 3, append: null },
      ...{ found: '2 events', expected: 'at least the 3' },
    },
  },
  {
    type: 'SettleAlarm',
    id: deriveId('settle'),
    data: { alarm: 6, reason: SEALED, accepts: null, note: null },
  },
  {
    type: 'RaiseAlarm',
    id: deriveId('another alarm'),
    data: {
      ...{ reason: 'not-decided', size: 3, append: APPEND },
      ...{ found: 'event 3 of fleet', expected: 'what the rules decide there' },
    },
  },
  {
    type: 'SettleAlarm',
    id: deriveId('accept'),
    data: {
      ...{ alarm: 8, reason: SEALED, accepts: APPEND },
      note: await signNote(
        ...([sha256, ORIGIN, [first]] as const),
        acceptanceText(ORIGIN, 8, APPEND, OPERATOR),
      ),
    },
  },
  {
    type: 'RotateNotaryKey',
    id: deriveId('rotate'),
    data: {
      ...{ from: vkey(first), to: vkey(second) },
      note: await signNote(sha256, ORIGIN, [first, second], handOver),
    },
  },
];

writeGoldenLog([...fleet, ...streamOf(commands)]);
