import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { cloudEventsOf } from './cloudevents.ts';
import { DOCUMENT_EXPORTS } from './dossier/formats.ts';
import { eventsOf, type FindingEvidence } from './evidence.ts';
import { openLineageOf } from './openlineage.ts';
import { provOf } from './prov.ts';
import { roCrateOf } from './ro-crate.ts';
import { IN_TOTO_JSON, inTotoOf, slsaOf, type EnvelopeSigner } from './slsa.ts';

interface FormatCard {
  /** What it is, in a few words. */
  readonly about: string;
  readonly mediaType: string;
  /** How the name of its file ends. */
  readonly ending: string;
}

interface PlainFormat extends FormatCard {
  readonly signed: false;
  readonly write: (evidence: FindingEvidence) => Uint8Array | Promise<Uint8Array>;
}

interface SignedFormat extends FormatCard {
  readonly signed: true;
  readonly write: (evidence: FindingEvidence, signer: EnvelopeSigner) => Uint8Array;
}

/** What a finding can be exported as: each a pure function of its evidence, and of a signer where it is signed. */
export const FINDING_EXPORTS = {
  slsa: {
    about: 'in-toto statement with SLSA provenance, in a DSSE envelope signed by the runner',
    mediaType: 'application/vnd.in-toto.provenance+dsse',
    ending: 'intoto.json',
    signed: true,
    write: slsaOf,
  },
  'in-toto': {
    about: 'the statement that the envelope of slsa holds, unsigned',
    mediaType: IN_TOTO_JSON,
    ending: 'statement.json',
    signed: false,
    write: inTotoOf,
  },
  prov: {
    about: 'W3C PROV as PROV-JSON',
    // PROV-JSON has no media type of its own.
    mediaType: 'application/json',
    ending: 'prov.json',
    signed: false,
    write: provOf,
  },
  'ro-crate': {
    about: 'ro-crate-metadata.json of a Process Run Crate (Workflow Run RO-Crate)',
    mediaType: 'application/ld+json; profile="https://w3id.org/ro/crate"',
    ending: 'ro-crate-metadata.json',
    signed: false,
    write: roCrateOf,
  },
  openlineage: {
    about: 'OpenLineage run events, as a JSON array',
    mediaType: 'application/json',
    ending: 'openlineage.json',
    signed: false,
    write: openLineageOf,
  },
  cloudevents: {
    about: 'the events themselves as a CloudEvents 1.0 batch',
    mediaType: 'application/cloudevents-batch+json',
    ending: 'cloudevents.json',
    signed: false,
    write: cloudEventsOf,
  },
  ...DOCUMENT_EXPORTS,
} as const satisfies Readonly<Record<string, PlainFormat | SignedFormat>>;

export type FindingExport = keyof typeof FINDING_EXPORTS;
export const FINDING_EXPORT_NAMES = Object.keys(FINDING_EXPORTS) as readonly FindingExport[];

/** A file about a finding. */
export interface ExportedFinding {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export type ExportRefusalCode =
  /** The format is signed, and nobody here holds a key. */
  | 'export-needs-key'
  /** The key at hand is not the one that the run pinned. */
  | 'export-foreign-key';

/** Writes a finding in a format: the same evidence gives the same bytes. */
export const exportFinding = async (
  findingId: string,
  evidence: FindingEvidence,
  as: FindingExport,
  signer: EnvelopeSigner | null,
): Promise<Result<ExportedFinding, Refusal<ExportRefusalCode>>> => {
  const format: PlainFormat | SignedFormat = FINDING_EXPORTS[as];
  const file = (bytes: Uint8Array) =>
    ok({ name: `${findingId}.${format.ending}`, mediaType: format.mediaType, bytes });
  if (!format.signed) return file(await format.write(evidence));
  const pinned = eventsOf(evidence.run, 'RunOpened')[0]?.data.keys.runner.keyId ?? null;
  if (signer === null)
    return refused({
      code: 'export-needs-key',
      message: `found no key to sign ${as} with, expected the runner's; export it where the runner's key lies: holdfast export ${findingId} --as ${as}`,
    });
  if (signer.keyId !== pinned)
    return refused({
      code: 'export-foreign-key',
      message: `this runner signs with key ${signer.keyId}, expected the runner key that the run pinned, ${pinned ?? 'which its first event no longer tells'}; export it with that runner`,
    });
  return file(format.write(evidence, signer));
};
