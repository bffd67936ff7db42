/** A file that Holdfast keeps as a git blob, named twice: by git's id and by SHA-256 of its content. */
export interface ArtefactRef {
  readonly path: string;
  /** Git object id of the blob, 40 lower-case hex digits. */
  readonly oid: string;
  /** SHA-256 of the content, 64 lower-case hex digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** An Ed25519 signature (RFC 8032) over the UTF-8 bytes of the RFC 8785 form of what is attested. */
export interface Signature {
  /** SHA-256 of the raw public key, first 16 hex digits. */
  readonly keyId: string;
  /** Base64 of the 64 bytes. */
  readonly value: string;
}
