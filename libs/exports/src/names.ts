import type { RecordedEvent } from '#libs/kernel';

/**
 * What things are called in exports. Git's objects by their SWHIDs (ISO/IEC 18670), which say what they hash to;
 * everything else by a name of the log, or by SHA-256.
 */
export const nameOfTree = (oid: string): string => `swh:1:dir:${oid}`;
export const nameOfCommit = (oid: string): string => `swh:1:rev:${oid}`;
export const nameOfBlob = (oid: string): string => `swh:1:cnt:${oid}`;
export const nameOf = (
  kind: 'data' | 'environment' | 'finding' | 'mutation' | 'policy' | 'run' | 'runner' | 'training',
  id: string,
): string => `urn:holdfast:${kind}:${id}`;
export const nameOfEvent = ({ stream, revision }: RecordedEvent): string =>
  `urn:holdfast:event:${stream}@${revision}`;
