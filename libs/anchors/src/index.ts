/** What stands behind a checkpoint outside the operator's reach: adapters for those who keep it. */
export {
  askWitness,
  type Cosignature,
  type ProveFrom,
  type Witness,
  type WitnessRefusalCode,
} from './witness.ts';
export {
  askTimestamp,
  readCertificates,
  verifyTimestamp,
  type Timestamp,
  type TimestampAuthority,
  type TimestampRefusalCode,
} from './timestamp.ts';
