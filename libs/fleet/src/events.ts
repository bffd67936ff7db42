import type { Fact, PrivateText } from '#libs/kernel';

/** An operator lets a worker's key sign trainings. Admitted anew after a dismissal, it stands here once more. */
export type WorkerAdmitted = Fact<
  'WorkerAdmitted',
  {
    /** SHA-256 of the raw public key, first 16 hex digits. */
    readonly keyId: string;
    /** Base64 of the raw 32 bytes. */
    readonly publicKey: string;
    /** The operator's name for the host: opaque, never a person's. */
    readonly label: string;
  }
>;

/** An operator takes that back: nothing that this key signs is taken from here on. What it signed before stands. */
export type WorkerDismissed = Fact<
  'WorkerDismissed',
  { readonly keyId: string; readonly reason: PrivateText }
>;

export type FleetEvent = WorkerAdmitted | WorkerDismissed;
