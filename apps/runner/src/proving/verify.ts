import { hash } from 'node:crypto';
import { verdictAttestation, verifyFinding, type Verdict } from '#libs/provenance';
import type { FindingProposed } from '#libs/findings';
import { deriveId } from '#libs/kernel';
import { sign, verify } from '#libs/signatures';
import { HARNESS } from '../actors.ts';
import type { Home } from '../home.ts';
import type { Ledger } from '../ledger.ts';
import { findingAt, streamsOf } from './fork-streams.ts';
import { runOf, studyOf } from './names.ts';
import { acceptedLine, pointAcceptedRef, type AcceptedLine } from './accepted-line.ts';

export { runOf, studyOf };

/** Verifies a finding from the log's stored bytes and the git objects alone. */
export const verdictOn = (
  ledger: Pick<Ledger, 'log' | 'sourceTree'>,
  findingId: string,
): Promise<Verdict> => {
  const { sourceTree } = ledger;
  return verifyFinding({
    ...streamsOf(ledger, findingId, runOf(findingId)),
    forkPoint: async (point) => {
      const found = await findingAt(ledger, point);
      return found === null ? null : streamsOf(ledger, found, point.runId);
    },
    readObject: (oid) => sourceTree.readObject(oid),
    sha256: (bytes) => hash('sha256', bytes, 'hex'),
    // Git's objects are named by SHA-1.
    sha1: (bytes) => hash('sha1', bytes, 'hex'),
    verifySignature: verify,
  });
};

const NOTHING_ACCEPTED: AcceptedLine = { tree: null, standing: [] };

/** Records a verdict on a finding; a BLOCK discards it and takes the accepted line back. */
export const recordVerdict = async (
  home: Home,
  finding: FindingProposed['data'],
  { verdict, rows, trust }: Verdict,
  proposedHash: string,
  cause: string,
): Promise<void> => {
  const { findingId, chain } = finding;
  const said = { findingId, verdict, rows, trust };
  const attestation = verdictAttestation(said, chain.runHead, proposedHash);
  // A PASS moves nothing, so that the log needn't be searched for what was accepted.
  const accepted = verdict === 'PASS' ? NOTHING_ACCEPTED : await acceptedLine(home, chain.studyId);
  const sent = await home.findings.send(
    findingId,
    {
      type: 'RecordVerdict',
      id: deriveId('verdict', cause),
      data: {
        verified: { ...said, signature: sign(home.keys.runner, 'verdict', attestation) },
        acceptedTree: accepted.tree,
        // Back to the newest accepted finding that still stands, else to the source.
        lastVerifiedTree:
          accepted.standing.findLast((other) => other.findingId !== findingId)?.tree ??
          chain.sourceTree,
      },
    },
    HARNESS,
  );
  // Somebody who was faster recorded a verdict on the same chain.
  if (!sent.ok && sent.error.code !== 'lost-race') throw new Error(sent.error.message);
  if (verdict === 'BLOCK') await pointAcceptedRef(home, chain.studyId);
};

/** The hash of a finding's first event, which a verdict's signature covers. */
export const proposedHashOf = async ({ log }: Home, findingId: string): Promise<string> => {
  for await (const { hash: first } of log.readStored({ stream: `finding-${findingId}` }))
    return first;
  throw new Error(`finding ${findingId} has no events`);
};

/**
 * Verifies a finding again. The verdict is recorded where it differs from the last one or was asked for, and the
 * finding's own stream can still be read; it is given in any case.
 */
export const verifyAgain = async (home: Home, findingId: string): Promise<Verdict> => {
  const verdict = await verdictOn(home, findingId);
  try {
    const { state, head } = await home.findings.load(findingId);
    const isNews = state.verified?.verdict !== verdict.verdict || state.verificationAsked;
    if (state.proposed !== null && head !== null && isNews)
      await recordVerdict(
        home,
        state.proposed,
        verdict,
        await proposedHashOf(home, findingId),
        head.id,
      );
    // A process that ended between an append and the ref's move left the ref behind.
    if (state.proposed !== null) await pointAcceptedRef(home, state.proposed.chain.studyId);
  } catch (error) {
    // A damaged finding stream takes no more events: the verdict says why.
    if (!(error instanceof Error && error.name === 'CorruptEvent')) throw error;
  }
  return verdict;
};
