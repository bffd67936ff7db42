import { join } from 'node:path';
import { ok, type Refusal, type Result } from '#libs/kernel';
import type { NotarySigner } from '#libs/notary';
import {
  anchorNewest,
  openAnchors,
  type Anchor,
  type Anchored,
  type AnchorSettings,
} from './anchors.ts';
import { judgesNothing } from './judge.ts';
import {
  asNotary,
  type Notary,
  type NotaryLedger,
  type NotaryOptions,
  type Sealed,
  type SealRefusal,
} from './notary.ts';
import { notarySigner } from './notary-key.ts';

/** What the environment says of the notary. */
export interface NotarySettings extends AnchorSettings {
  /** PEM; null: the file in the home's keys. */
  readonly key: string | null;
  readonly origin: string | null;
}

/** All that sealing takes: the key, the rules, those who are given the checkpoints. */
export interface Sealing extends NotaryOptions {
  readonly anchors: readonly Anchor[];
}

/**
 * Opens what sealing takes on the home in this folder.
 *
 * @param signer - whoever holds the key, in the place of a file or the environment
 */
export const openSealing = async (
  folder: string,
  settings: NotarySettings,
  signer: NotarySigner | null = null,
): Promise<Result<Sealing, Refusal>> => {
  const key = signer === null ? await notarySigner(join(folder, 'keys'), settings.key) : ok(signer);
  if (!key.ok) return key;
  const anchors = await openAnchors(folder, settings);
  return anchors.ok
    ? ok({
        ...{ signer: key.value, origin: settings.origin, anchors: anchors.value },
        judge: judgesNothing,
      })
    : anchors;
};

export interface SealedAndAnchored extends Sealed {
  readonly anchors: readonly Anchored[];
}

/** Signs the log if it grew, and gives the newest checkpoint to whoever does not hold it yet. */
export const sealAndAnchor = async (
  ledger: NotaryLedger,
  notary: Notary,
  anchors: readonly Anchor[],
): Promise<Result<SealedAndAnchored, SealRefusal>> => {
  const sealed = await notary.seal();
  if (!sealed.ok) return sealed;
  const anchored = await anchorNewest(ledger, notary, anchors);
  return anchored.ok ? ok({ ...sealed.value, anchors: anchored.value }) : anchored;
};

/**
 * Signs what a log is now, if it grew since it was signed last: reads all of it, compares it with what was signed,
 * judges what came since. Whatever stops it, the next one goes on.
 */
export const sealLog = (
  ledger: NotaryLedger,
  sealing: Sealing,
  patienceMs?: number,
): Promise<Result<SealedAndAnchored, SealRefusal>> =>
  asNotary(ledger, sealing, (notary) => sealAndAnchor(ledger, notary, sealing.anchors), {
    ...(patienceMs !== undefined && { patienceMs }),
  });
