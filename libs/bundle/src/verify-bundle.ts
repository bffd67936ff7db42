import { ok, type Refusal, type Result } from '#libs/kernel';
import type { VerdictRow } from '#libs/findings';
import { firstReading } from './first-reading.ts';
import type { Subject } from './format.ts';
import { checkAnchors, checkpointsRow, headsRow, logKeyRow, seenRow } from './notary-rows.ts';
import type { BundlePorts } from './ports.ts';
import { openBundle, type BundleRefusalCode, type OpenedBundle } from './read-bundle.ts';
import type { BundleSource } from './source.ts';
import { standingOf, type StandingLine } from './standing.ts';
import { readTrust, type AuditorTrust, type TrustRefusalCode } from './trust.ts';
import { verifyFindings, type FindingInBundle } from './verify-findings.ts';

export interface BundleVerdict {
  /** PASS only if every row here and every row of each finding holds. */
  readonly verdict: 'PASS' | 'BLOCK';
  /** Null where the bundle's first line can't be read. */
  readonly subject: Subject | null;
  /** What was looked at of the bundle itself. */
  readonly rows: readonly VerdictRow[];
  /** What rests on whose word. */
  readonly standing: readonly StandingLine[];
  readonly checkpoint: { readonly size: number; readonly root: string } | null;
  /** The subject's, then those of other runs that their states were forked from. */
  readonly findings: readonly FindingInBundle[];
}

export type VerifyRefusalCode = BundleRefusalCode | TrustRefusalCode;

const formRow = ({ lines, objects, faults }: OpenedBundle): VerdictRow => ({
  row: 'bundle-form',
  ...faults.outcome(`${lines} lines, ${objects} objects`),
  expected:
    'every line as version 1 of the format writes it, in its place; none missing, none that nothing asks for',
});

/**
 * Verifies a bundle with a key and nothing else: no server, log, repository or configuration. Every row is answered;
 * nothing that the bundle holds makes it throw. Refused is only what is no bundle at all, or a key or a checkpoint of
 * the auditor's that is none. Events are read twice and not kept.
 *
 * @throws what `source.read` throws
 * @example
 * const verified = await verifyBundle(bytesSource(bytes), { logKey }, ports);
 */
export const verifyBundle = async (
  source: BundleSource,
  trust: AuditorTrust,
  ports: BundlePorts,
): Promise<Result<BundleVerdict, Refusal<VerifyRefusalCode>>> => {
  const read = readTrust(trust, ports.sha256Bytes);
  if (!read.ok) return read;
  const trusted = read.value;
  const first = firstReading(ports, trusted.seen?.checkpoint.size ?? null);
  const opening = await openBundle(source, first.show);
  if (!opening.ok) return opening;
  const bundle = opening.value;
  const { header, faults } = bundle;
  if (header === null)
    return ok({
      verdict: 'BLOCK',
      subject: null,
      rows: [formRow(bundle)],
      standing: [],
      checkpoint: null,
      findings: [],
    });

  const { findings, subject } = await verifyFindings(bundle, header, first, ports);
  await bundle.readRest();
  for (const { stream, head } of header.streams)
    if (first.heads.get(stream) !== head)
      faults.add(
        `the last event of ${stream} hashes to ${first.heads.get(stream) ?? 'nothing'}, the header says ${head}`,
      );
  const unread = await bundle.unreadObjects();
  if (unread.count > 0)
    faults.add(
      `${unread.count} objects that nothing asks for, ${unread.named.join(', ')} among them`,
    );

  const tree = first.tree();
  const { newest, signedAt, accepted } = tree.reading;
  const anchored = await checkAnchors(tree.reading, trusted, ports.verifyEd25519);
  const seen = trusted.seen === null ? null : seenRow(tree.reading, trusted.seen, ports);
  const isSummary = bundle.summary === first.told.text(header.subject);
  const rows: readonly VerdictRow[] = [
    formRow(bundle),
    subject,
    checkpointsRow(tree),
    logKeyRow(tree, trusted.logKey, header.origin),
    anchored.row,
    {
      row: 'inclusion',
      ...first.inclusion.outcome(
        `${first.placed()} events, the newest of each stream among them, in the tree of ${newest?.size ?? 0}`,
      ),
      expected:
        'the newest event of each stream, and each whose order a check asks for, stands in the tree of the newest checkpoint where the bundle says',
    },
    headsRow(header, first, ports),
    ...(seen === null ? [] : [seen]),
    {
      row: 'order',
      ...first.order.outcome('the order of the log'),
      expected:
        "the places of each stream's events grow, no two events share one, and the newest leaf is the event that the notary names",
    },
    {
      row: 'summary',
      passed: isSummary,
      found: isSummary ? 'the text that the events give' : 'another text',
      expected: 'the text that the events give',
    },
  ];
  const holds =
    rows.every(({ passed }) => passed) && findings.every(({ verdict }) => verdict === 'PASS');
  return ok({
    verdict: holds ? 'PASS' : 'BLOCK',
    subject: header.subject,
    rows,
    standing: standingOf({
      size: newest?.size ?? null,
      commits: (newest?.heads ?? null) !== null,
      signedAt,
      sightings: anchored.sightings,
      unverified: anchored.unverified,
      seen: seen?.passed === true,
      accepted,
      streams: header.streams.map(({ stream }) => stream),
    }),
    checkpoint: newest === null ? null : { size: newest.size, root: newest.root },
    findings,
  });
};
