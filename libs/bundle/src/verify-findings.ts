import type { VerdictRow } from '#libs/findings';
import { counted } from '#libs/kernel';
import {
  collectFaults,
  verifyFindings as verdictsOf,
  type Faults,
  type FindingStreams,
  type VerificationPorts,
} from '#libs/provenance';
import { nameIn, type FirstReading } from './first-reading.ts';
import { NOTARY, type BundleHeader } from './format.ts';
import { bodyIn } from './notary-stream.ts';
import type { OpenedBundle } from './read-bundle.ts';

export interface FindingInBundle {
  readonly findingId: string;
  readonly verdict: 'PASS' | 'BLOCK';
  readonly rows: readonly VerdictRow[];
}

type Ports = Pick<VerificationPorts, 'sha256' | 'sha1' | 'verifySignature'>;

/** Streams that no finding's check reads have to be chains as well. */
const checkChain = async (
  { events }: OpenedBundle,
  stream: string,
  { sha256 }: Ports,
  faults: Faults,
): Promise<void> => {
  let prev: string | null = null;
  let revision = 0;
  for await (const lot of events(stream))
    for (const { canonical, spelled } of lot) {
      const body = bodyIn(spelled);
      if (body?.stream !== stream || body.revision !== revision || body.metadata.prev !== prev) {
        faults.add(`event ${revision} of ${stream} does not follow the one before it`);
        return;
      }
      prev = sha256(canonical);
      revision += 1;
    }
};

/** Verifies every finding that the bundle is about, and sees that it holds their streams and no others. */
export const verifyFindings = async (
  bundle: OpenedBundle,
  { subject, streams }: BundleHeader,
  { proposals, opened, closed }: FirstReading,
  ports: Ports,
): Promise<{ readonly findings: readonly FindingInBundle[]; readonly subject: VerdictRow }> => {
  const faults = collectFaults();
  const read = new Set<string>([NOTARY]);
  const events = (stream: string) => {
    read.add(stream);
    return bundle.events(stream);
  };
  const streamsOf = (findingId: string): FindingStreams => {
    const { runId = '', studyId = '' } = proposals.get(findingId) ?? {};
    return {
      events: events(`run-${runId}`),
      findingEvents: events(`finding-${findingId}`),
      studyEvents: events(`study-${studyId}`),
      dataEvents: (digest) => events(`data-${digest}`),
    };
  };
  const byNumber = [...proposals.values()].sort((a, b) => a.number - b.number);
  const ids =
    subject.kind === 'finding'
      ? [subject.id]
      : byNumber.filter(({ runId }) => runId === subject.id).map(({ findingId }) => findingId);

  const findings: FindingInBundle[] = [];
  const shown = [...ids];
  // All that are asked for came out of one run; of other runs a fork needs one finding each.
  for (let of = ids; of.length > 0; of = shown.slice(findings.length, findings.length + 1)) {
    const own = of.map(streamsOf);
    const verdicts = await verdictsOf({
      events: own[0]!.events,
      findings: own,
      forkPoint: ({ runId, mutationId, tree }) => {
        const found = byNumber.find(
          (each) =>
            each.runId === runId && each.toTree === tree && each.lastMutation === mutationId,
        );
        if (found === undefined) return Promise.resolve(null);
        // Its rows are shown as well: a fork's own row says only whether they hold.
        if (!shown.includes(found.findingId)) shown.push(found.findingId);
        return Promise.resolve(streamsOf(found.findingId));
      },
      ...ports,
      readObject: bundle.readObject,
    });
    for (const [at, { verdict, rows }] of verdicts.entries())
      findings.push({ findingId: of[at]!, verdict, rows });
  }

  const asked = new Set(read);
  if (subject.kind === 'finding') {
    if (!proposals.has(subject.id)) faults.add(`no claim of finding ${subject.id}`);
  } else {
    const run = opened.get(subject.id);
    if (run === undefined) faults.add(`no opening of run ${subject.id}`);
    // A run may have claimed nothing; it is shown all the same.
    asked.add(`run-${subject.id}`);
    const study = `study-${run?.studyId ?? ''}`;
    asked.add(study);
    // Of a run without findings nothing else misses it.
    if (!streams.some(({ stream }) => stream === study)) faults.add(`${study} is not here`);
    asked.add(`data-${run?.dataDigest ?? ''}`);
    for (const each of closed.get(subject.id) ?? []) {
      const findingId = nameIn(((each ?? {}) as { readonly findingId?: unknown }).findingId);
      if (!ids.includes(findingId))
        faults.add(`the run closed with finding ${findingId}, which is not here`);
    }
  }
  for (const { stream } of streams) {
    if (!asked.has(stream)) faults.add(`${stream} is here, which nothing asks for`);
    if (!read.has(stream)) await checkChain(bundle, stream, ports, faults);
  }
  const forked = findings.length - ids.length;
  return {
    findings,
    subject: {
      row: 'subject',
      ...faults.outcome(
        `${subject.kind} ${subject.id}: ${counted(streams.length, 'stream')}, ${counted(ids.length, 'finding')}${forked > 0 ? `, forked from ${forked} more` : ''}`,
      ),
      expected:
        'the streams of the subject from their first events on, every finding that the run closed with, and no other streams',
    },
  };
};
