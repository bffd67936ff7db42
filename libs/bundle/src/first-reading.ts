import { fromBase64 } from '#libs/checkpoints';
import { leafHash, verifyInclusion } from '#libs/merkle';
import { collectFaults } from '#libs/provenance';
import { NOTARY } from './format.ts';
import { notaryReader, readBody, type NotaryReading } from './notary-stream.ts';
import type { BundlePorts } from './ports.ts';
import { proposalOf, type Proposal } from './proposal.ts';
import type { ShownEvent } from './read-bundle.ts';
import { summary } from './summary.ts';

/** A name that an event says; one that no stream has where it says none. */
export const nameIn = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * What the first reading learns of the events that it is shown. `seenSize` is that of a checkpoint which the auditor
 * was shown before: its root is remembered.
 */
export const firstReading = (
  { sha256, sha256Bytes, verifyEd25519 }: BundlePorts,
  seenSize: number | null,
) => {
  const notary = notaryReader(
    { sha256: sha256Bytes, verify: verifyEd25519, hash: sha256 },
    seenSize,
  );
  let read: { readonly reading: NotaryReading; readonly root: Uint8Array | null } | null = null;
  const [inclusion, order] = [collectFaults(), collectFaults()];
  const proposals = new Map<string, Proposal>();
  const firsts = new Map<string, string>();
  const heads = new Map<string, string>();
  const opened = new Map<string, { readonly studyId: string; readonly dataDigest: string }>();
  const closed = new Map<string, readonly unknown[]>();
  const told = summary();
  const taken = new Set<number>();
  let placed = 0;
  let last: { readonly stream: string; readonly index: number } | null = null;

  const tree = () => {
    // The notary's stream comes first: whatever needs the tree comes after its newest checkpoint.
    if (read === null) {
      const reading = notary.reading();
      read = { reading, root: fromBase64(reading.newest?.root ?? '') };
    }
    return read;
  };

  const place = ({ stream, revision, type, leaf, body }: ShownEvent, digest: string): void => {
    const what = `${type}, event ${revision} of ${stream}`;
    const { reading, root } = tree();
    placed += 1;
    if (leaf === null) {
      inclusion.add(`${what}, has no place`);
      return;
    }
    const { newest } = reading;
    const claim = {
      leafIndex: leaf.index,
      treeSize: newest?.size ?? 0,
      leafHash: leafHash(sha256Bytes, sha256Bytes(body)),
      root: root ?? new Uint8Array(),
    };
    if (!verifyInclusion(sha256Bytes, claim, leaf.proof))
      inclusion.add(`${what}, is not shown to be leaf ${leaf.index} of ${claim.treeSize}`);
    if (taken.has(leaf.index)) order.add(`${what}, is leaf ${leaf.index}, as another event is`);
    taken.add(leaf.index);
    if (last?.stream === stream && last.index >= leaf.index)
      order.add(`${what}, is leaf ${leaf.index}, after leaf ${last.index} of the same stream`);
    last = { stream, index: leaf.index };
    if (newest === null) return;
    const { newest: said, size } = newest;
    const isSaid = said.stream === stream && said.revision === revision && said.hash === digest;
    if ((leaf.index === size - 1) !== isSaid)
      order.add(
        `${what}, is leaf ${leaf.index}; the newest leaf, ${size - 1}, is event ${String(said.revision)} of ${String(said.stream)}, says the notary`,
      );
  };

  return {
    show: (event: ShownEvent): void => {
      const { stream, revision, type, body, isLast, isPlaced } = event;
      const digest = sha256(body);
      if (revision === 0) firsts.set(stream, digest);
      if (isLast) heads.set(stream, digest);
      if (stream === NOTARY) {
        notary.observe(body);
        return;
      }
      if (isPlaced) place(event, digest);
      else if (type !== 'RunClosed') return;
      const read = readBody(body);
      // What is none fails the rows of the finding that it belongs to.
      if (read === null) return;
      if (isPlaced) told.observe(stream, read);
      if (stream.startsWith('finding-') && revision === 0) {
        const id = stream.slice('finding-'.length);
        const proposal = proposalOf(id, read);
        if (proposal !== null) proposals.set(id, proposal);
      }
      if (!stream.startsWith('run-')) return;
      const id = stream.slice('run-'.length);
      const { data } = read;
      if (type === 'RunOpened' && !opened.has(id)) {
        const pins = data['pins'] as { readonly dataDigest?: unknown } | null | undefined;
        opened.set(id, { studyId: nameIn(data['studyId']), dataDigest: nameIn(pins?.dataDigest) });
      }
      // The first one closed it: none that comes after takes a finding back.
      const findings = data['findings'];
      if (type === 'RunClosed' && !closed.has(id))
        closed.set(id, Array.isArray(findings) ? findings : [findings]);
    },
    tree,
    ...{ inclusion, order, proposals, firsts, heads, opened, closed, told },
    placed: () => placed,
  };
};

export type FirstReading = ReturnType<typeof firstReading>;
