import type { CheckpointSigned, NotaryAlarmRaised, NotaryAlarmSettled } from './events.ts';

type SignedOfVersion1 = Omit<CheckpointSigned['data'], 'heads' | 'follows'>;
type RaisedOfVersion1 = Omit<NotaryAlarmRaised['data'], 'append'>;
type SettledOfVersion1 = Pick<NotaryAlarmSettled['data'], 'reason'>;

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
  NotaryAlarmRaised: [
    (raised: RaisedOfVersion1): NotaryAlarmRaised['data'] => ({ ...raised, append: null }),
  ],
  NotaryAlarmSettled: [
    ({ reason }: SettledOfVersion1): NotaryAlarmSettled['data'] => ({
      ...{ alarm: null, reason, accepts: null, note: null },
    }),
  ],
};
