import type { CheckpointSigned } from './events.ts';

type SignedOfVersion1 = Omit<CheckpointSigned['data'], 'heads' | 'follows'>;

/**
 * By type, what makes the data of the newest version from that of an older one: the first from version 1 to 2, and so
 * on. A type that is not here is in its first version.
 */
export const NOTARY_UPCASTERS = {
  CheckpointSigned: [
    (signed: SignedOfVersion1): CheckpointSigned['data'] => ({
      ...signed,
      heads: null,
      follows: null,
    }),
  ],
};
