import { hash } from 'node:crypto';
import { parseBody } from '#libs/event-log';
import { verdictAttestation, verifyFinding, type Verdict } from '#libs/provenance';
import type { FindingProposed } from '#libs/findings';
import { deriveId } from '#libs/kernel';
import type { RunOpened } from '#libs/run';
import { sign, verifyBeside } from '#libs/signatures';
import { HARNESS } from '../actors.ts';
import type { Home } from '../home.ts';
import type { Ledger } from '../ledger.ts';
import { findingAt, streamsOf } from './fork-streams.ts';
import { runOf } from './names.ts';
import { acceptedLine, pointAcceptedRef, type AcceptedLine } from './accepted-line.ts';

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
    verifySignature: verifyBeside,
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

/** The id of the runner key that a run pinned, out of the bytes as they are stored; null where they can't be read. */
const pinnedKeyId = async ({ log }: Home, runId: string): Promise<string | null> => {
  for await (const { canonical } of log.readStored({ stream: `run-${runId}`, limit: 1 })) {
    try {
      return (parseBody(canonical) as unknown as RunOpened).data.keys.runner.keyId;
    } catch {
      return null;
    }
  }
  return null;
};

export interface VerifiedAgain extends Verdict {
  /** Why the verdict could not be recorded; null where it was, or where it was no news. */
  readonly notRecorded: string | null;
}

/**
 * Verifies a finding again. The verdict is recorded where it differs from the last one or was asked for, the finding's
 * own stream can still be read, and this is the runner whose key the run pinned: a verdict that another key signed
 * would turn the finding's own chain against it. It is given in any case.
 */
export const verifyAgain = async (home: Home, findingId: string): Promise<VerifiedAgain> => {
  const verdict = await verdictOn(home, findingId);
  let notRecorded: string | null = null;
  try {
    const { state, head } = await home.findings.load(findingId);
    const { proposed, verified } = state;
    const isNews = verified?.verdict !== verdict.verdict || state.verificationAsked;
    if (proposed !== null && head !== null && isNews) {
      const pinned = await pinnedKeyId(home, proposed.chain.runId);
      const { keyId } = home.keys.runner;
      // Where the run's first event was altered, the runner is known by the verdict that it gave before.
      if (pinned === keyId || verified?.signature.keyId === keyId)
        await recordVerdict(
          home,
          proposed,
          verdict,
          await proposedHashOf(home, findingId),
          head.id,
        );
      else
        notRecorded = `this runner signs with key ${keyId}, expected the runner key that the run pinned, ${pinned ?? 'which its first event no longer tells'}; verify it with that runner to record the verdict`;
    }
    // A process that ended between an append and the ref's move left the ref behind.
    if (proposed !== null) await pointAcceptedRef(home, proposed.chain.studyId);
  } catch (error) {
    // A damaged finding stream takes no more events: the verdict says why.
    if (!(error instanceof Error && error.name === 'CorruptEvent')) throw error;
    notRecorded = "the finding's own stream is damaged and takes no more events";
  }
  return { ...verdict, notRecorded };
};
