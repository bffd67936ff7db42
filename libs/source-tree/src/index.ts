export { openSourceTree } from './open-source-tree.ts';
export { PATH_LIMITS, pathProblems } from './paths.ts';
export type { PathProblem } from './paths.ts';
export type * from './port.ts';
export { pushTag, shownRemote, type PushRefusalCode, type TagToPush } from './push-tag.ts';
export { checkSourceProof } from './source-proof.ts';
export type { SourceProof, SourceProofCode } from './source-proof.ts';
export { EMPTY_TREE, isOid, MODES, objectId, parseTree } from './tree-format.ts';
export type { ObjectType, ParsedTreeEntry, Sha1, TreeEntry } from './tree-format.ts';
