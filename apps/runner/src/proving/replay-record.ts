import canonicalize from 'canonicalize';
import { IN_TOTO_JSON, STATEMENT_TYPE } from '#libs/exports';
import { signEnvelope, type SigningKey } from '#libs/signatures';
import { VERSION } from '../version.ts';
import type { AuditedReplay } from './replay-bundle.ts';

/** Type of the predicate that says how a finding was trained again: docs/how-to/replay-and-restore.md. */
export const REPLAY_PREDICATE = 'urn:holdfast:replay:1';

/**
 * What a replayer says of a bundle: an in-toto Statement v1 about the bundle and the predictions that were to be found,
 * in a DSSE envelope (secure-systems-lab/dsse, v1.0.2) that he signs. RFC 8785 bytes, one line feed at the end.
 */
export const replayRecord = (
  bundle: { readonly sha256: string },
  replay: AuditedReplay,
  signer: SigningKey,
  time: string,
): Uint8Array => {
  const { findingId, predictions } = replay;
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [
      { name: `${findingId}/bundle`, digest: { sha256: bundle.sha256 } },
      { name: `${findingId}/predictions.csv`, digest: { sha256: predictions.expected } },
    ],
    predicateType: REPLAY_PREDICATE,
    predicate: { ...replay, replayer: { holdfast: VERSION, keyId: signer.keyId }, time },
  };
  const payload = Buffer.from(canonicalize(statement) ?? '', 'utf8');
  const { keyId, value } = signEnvelope(signer, IN_TOTO_JSON, payload);
  const envelope = {
    payload: payload.toString('base64'),
    payloadType: IN_TOTO_JSON,
    signatures: [{ keyid: keyId, sig: value }],
  };
  return Buffer.from(`${canonicalize(envelope)}\n`, 'utf8');
};
