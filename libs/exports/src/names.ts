import type { Actor } from '#libs/kernel';

/**
 * What things are called in exports. Git's objects by their SWHIDs (ISO/IEC 18670), which say what they hash to;
 * everything else by a name of the log, or by SHA-256.
 */
export const nameOfTree = (oid: string): string => `swh:1:dir:${oid}`;
export const nameOfCommit = (oid: string): string => `swh:1:rev:${oid}`;
export const nameOfBlob = (oid: string): string => `swh:1:cnt:${oid}`;
export const nameOf = (
  kind:
    | 'agent'
    | 'data'
    | 'environment'
    | 'finding'
    | 'measurement'
    | 'mutation'
    | 'observation'
    | 'policy'
    | 'run'
    | 'runner'
    | 'scoring'
    | 'training'
    // These are known by the place of the event that records them.
    | 'decision'
    | 'event'
    | 'replay'
    | 'replay-class'
    | 'review'
    | 'verdict'
    | 'verification',
  id: string,
): string => `urn:holdfast:${kind}:${id}`;

/** A role and an opaque id; never a name. */
export const nameOfActor = ({ role, id }: Actor): string => `${role}:${id}`;
