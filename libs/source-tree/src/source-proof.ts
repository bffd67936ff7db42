import { ok, refused } from '#libs/kernel';
import type { Refusal, Result } from '#libs/kernel';
import { MODES, objectId, parseTree } from './tree-format.ts';
import type { Sha1 } from './tree-format.ts';

/**
 * The raw bytes that lead from a source commit to the program's tree: the commit object, and each tree object on
 * the way from the root tree down to the program's parent (so as many as the path has parts). With them anybody
 * can recompute git's own hashes without the rest of the study's repository.
 */
export interface SourceProof {
  readonly commit: Uint8Array;
  readonly trees: readonly Uint8Array[];
}

export type SourceProofCode =
  /** The path is not one of plain names joined by slashes. */
  | 'bad-path'
  /** The proof has more or fewer trees than the path has parts. */
  | 'wrong-length'
  /** The commit's bytes do not hash to the pinned commit. */
  | 'commit-altered'
  /** The commit's bytes do not start with the line that names its root tree. */
  | 'commit-malformed'
  /** A tree's bytes do not hash to what the object above it names. */
  | 'tree-altered'
  /** A tree's bytes are not a git tree. */
  | 'tree-malformed'
  /** A tree does not hold the next part of the path as a folder. */
  | 'folder-missing'
  /** The path leads to another tree than the pinned one. */
  | 'tree-differs';

/** Git reads a commit's tree from its first line only; nothing further down can name another. */
const COMMIT_HEAD = /^tree ([0-9a-f]{40})\n(?:parent [0-9a-f]{40}\n)*author /;

/**
 * Checks that `commit` is a git commit whose tree holds the folder `path`, and that this folder is exactly `tree`.
 *
 * Pure: `sha1` is passed in. Promises to answer with every reason that it can tell, found and expected, and to
 * read git's formats strictly; bytes that were changed anywhere are refused. It proves what the commit contains,
 * not who made the commit, and rests on SHA-1 as git does.
 *
 * @example
 * checkSourceProof({ commit, path: 'studies/pay/program', tree, proof }, (bytes) =>
 *   createHash('sha1').update(bytes).digest());
 */
export const checkSourceProof = (
  claim: {
    readonly commit: string;
    readonly path: string;
    readonly tree: string;
    readonly proof: SourceProof;
  },
  sha1: Sha1,
): Result<{ readonly rootTree: string }, readonly Refusal<SourceProofCode>[]> => {
  const { commit, path, tree, proof } = claim;
  const reasons: Refusal<SourceProofCode>[] = [];
  const add = (code: SourceProofCode, message: string): void => {
    reasons.push({ code, message });
  };

  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    add('bad-path', `found the path ${JSON.stringify(path)}, expected names joined by "/"`);
  }
  if (proof.trees.length !== parts.length) {
    add(
      'wrong-length',
      `found ${proof.trees.length} trees in the proof, expected ${parts.length} for the path ${path}`,
    );
  }

  const foundCommit = objectId('commit', proof.commit, sha1);
  if (foundCommit !== commit) {
    add('commit-altered', `the source commit hashes to ${foundCommit}, expected ${commit}`);
  }
  const rootTree = COMMIT_HEAD.exec(latin1(proof.commit))?.[1];
  if (rootTree === undefined) {
    add(
      'commit-malformed',
      'the source commit does not start with a tree, its parents and an author',
    );
    return refused(reasons);
  }

  let expected = rootTree;
  for (const [depth, part] of parts.entries()) {
    const bytes = proof.trees[depth];
    if (bytes === undefined) return refused(reasons);
    const where = depth === 0 ? 'the root tree' : `the tree of ${parts.slice(0, depth).join('/')}`;
    const found = objectId('tree', bytes, sha1);
    if (found !== expected) {
      add('tree-altered', `${where} hashes to ${found}, expected ${expected}`);
    }
    const parsed = parseTree(bytes);
    if (!parsed.ok) {
      add('tree-malformed', `${where} is not a git tree: ${parsed.error}`);
      return refused(reasons);
    }
    const entry = parsed.value.find(({ name }) => name === part);
    if (entry?.mode !== MODES.folder) {
      const instead = entry === undefined ? 'nothing' : `an entry of mode ${entry.mode}`;
      add(
        'folder-missing',
        `${where} holds ${instead} at ${JSON.stringify(part)}, expected a folder`,
      );
      return refused(reasons);
    }
    expected = entry.oid;
  }
  if (expected !== tree) {
    add('tree-differs', `${path} is the tree ${expected} in the source commit, expected ${tree}`);
  }
  return reasons.length === 0 ? ok({ rootTree }) : refused(reasons);
};

/** The head of a commit is ASCII up to the author's name, whatever encoding the rest is in. */
const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};
