import { randomBytes, X509Certificate } from 'node:crypto';
import * as asn1 from 'asn1js';
import {
  AlgorithmIdentifier,
  Certificate,
  ContentInfo,
  ExtKeyUsage,
  MessageImprint,
  SignedData,
  TimeStampReq,
  TimeStampResp,
  TSTInfo,
} from 'pkijs';
import { ok, reasonOf, refused, type Refusal, type Result } from '#libs/kernel';
import { exchange } from './exchange.ts';

/** An authority that says when it saw a hash (RFC 3161), over HTTP. */
export interface TimestampAuthority {
  readonly url: string;
  /** Certificates that its chain must end in, DER. */
  readonly trusted: readonly Uint8Array[];
}

export type TimestampRefusalCode =
  /** It could not be reached, or answered too late or too long. */
  | 'unreachable'
  /** It refused, or its answer is no timestamp. */
  | 'no-timestamp'
  /** The token is over other bytes, not signed as it must be, or by nobody who is trusted. */
  | 'bad-timestamp';

/** What a timestamp says, once it verified. */
export interface Timestamp {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Hex. */
  readonly serial: string;
  /** The authority's policy, an object identifier. */
  readonly policy: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM text, DER. @throws Error where one can't be read, or where there is none */
export const readCertificates = (pem: string): readonly Uint8Array[] => {
  const found = (pem.match(CERTIFICATE) ?? []).map((each) => new X509Certificate(each).raw);
  if (found.length === 0) throw new Error('it holds no certificate in PEM');
  return found;
};

type Refused<T> = Result<T, Refusal<TimestampRefusalCode>>;

const SHA256 = '2.16.840.1.101.3.4.2.1';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const NONCE_BYTES = 16;

const fail = (code: TimestampRefusalCode, message: string): Refused<never> =>
  refused({ code, message });

const hashOf = async (message: Uint8Array): Promise<ArrayBuffer> =>
  crypto.subtle.digest('SHA-256', Uint8Array.from(message));

const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

/**
 * Asks for a timestamp over the SHA-256 of `message`, and takes it only if it verifies: the token is what an auditor
 * checks again with {@link verifyTimestamp}.
 *
 * @returns the token, DER of the ContentInfo (RFC 3161, section 2.4.2)
 */
export const askTimestamp = async (
  authority: TimestampAuthority,
  message: Uint8Array,
): Promise<Refused<{ readonly token: Uint8Array; readonly timestamp: Timestamp }>> => {
  const nonce = randomBytes(NONCE_BYTES);
  nonce[0]! &= 0x7f;
  nonce[0]! |= 0x40;
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA256 }),
      hashedMessage: new asn1.OctetString({ valueHex: await hashOf(message) }),
    }),
    nonce: new asn1.Integer({ valueHex: bufferOf(nonce) }),
    certReq: true,
  });
  const answered = await exchange(
    authority.url,
    'application/timestamp-query',
    request.toSchema().toBER(),
  );
  if (!answered.ok) return fail('unreachable', answered.error.message);
  const { status, body } = answered.value;
  if (status !== 200)
    return fail('no-timestamp', `found ${status} from ${authority.url}, expected 200`);
  let token: Uint8Array;
  try {
    const response = TimeStampResp.fromBER(bufferOf(body));
    if (response.timeStampToken === undefined)
      return fail(
        'no-timestamp',
        `found that ${authority.url} granted no timestamp (status ${response.status.status})`,
      );
    token = new Uint8Array(response.timeStampToken.toSchema().toBER());
  } catch (error) {
    return fail(
      'no-timestamp',
      `found no timestamp in the answer of ${authority.url}: ${reasonOf(error)}`,
    );
  }
  const verified = await verifyTimestamp(token, message, authority.trusted, nonce);
  return verified.ok ? ok({ token, timestamp: verified.value }) : verified;
};

/** Whether a certificate is for timestamping and nothing else, as RFC 3161, section 2.3 asks. */
const isForTimestamps = ({ extensions }: Certificate): boolean => {
  const usage = extensions?.find(({ extnID }) => extnID === EXTENDED_KEY_USAGE);
  if (usage?.critical !== true) return false;
  const parsedValue: unknown = usage.parsedValue;
  return (
    parsedValue instanceof ExtKeyUsage &&
    parsedValue.keyPurposes.length === 1 &&
    parsedValue.keyPurposes[0] === TIME_STAMPING
  );
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/**
 * Verifies a timestamp token over `message` (RFC 3161): hash, signature, and a chain to a trusted certificate that was
 * valid at the token's own time. Revocation is not looked up: nothing here goes to the network.
 *
 * @param nonce the request's, where it is at hand
 */
export const verifyTimestamp = async (
  token: Uint8Array,
  message: Uint8Array,
  trusted: readonly Uint8Array[],
  nonce: Uint8Array | null = null,
): Promise<Refused<Timestamp>> => {
  try {
    const content = ContentInfo.fromBER(bufferOf(token));
    const signed = new SignedData({ schema: content.content });
    const { eContent, eContentType } = signed.encapContentInfo;
    if (eContentType !== TST_INFO || eContent === undefined)
      return fail('bad-timestamp', `found content of type ${eContentType}, expected a timestamp`);
    const info = TSTInfo.fromBER(eContent.getValue());
    const { hashAlgorithm, hashedMessage } = info.messageImprint;
    if (
      hashAlgorithm.algorithmId !== SHA256 ||
      hex(hashedMessage.valueBlock.valueHexView) !== hex(new Uint8Array(await hashOf(message)))
    )
      return fail('bad-timestamp', 'found a timestamp over other bytes, expected one over these');
    if (
      nonce !== null &&
      hex(info.nonce?.valueBlock.valueHexView ?? new Uint8Array()) !== hex(nonce)
    )
      return fail(
        'bad-timestamp',
        "found another request's timestamp, expected the nonce that was sent",
      );
    const result = await signed.verify({
      signer: 0,
      data: bufferOf(message),
      trustedCerts: trusted.map((der) => Certificate.fromBER(bufferOf(der))),
      checkDate: info.genTime,
      checkChain: true,
      passedWhenNotRevValues: true,
      extendedMode: true,
    });
    if (result.signatureVerified !== true || result.signerCertificateVerified !== true)
      return fail('bad-timestamp', `found a signature that does not verify (${result.message})`);
    const certificate = result.signerCertificate;
    if (!certificate || !isForTimestamps(certificate))
      return fail(
        'bad-timestamp',
        'found a signer whose certificate is not for timestamps alone (critical extended key usage)',
      );
    return ok({
      time: info.genTime.toISOString(),
      serial: hex(info.serialNumber.valueBlock.valueHexView),
      policy: info.policy,
    });
  } catch (error) {
    return fail('bad-timestamp', `found no timestamp that verifies: ${reasonOf(error)}`);
  }
};
