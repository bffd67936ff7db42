import type { ArtefactRef, Refusal, Result } from '#libs/kernel';
import type { PathProblem } from './paths.ts';
import type { SourceProof } from './source-proof.ts';
import type { ObjectType } from './tree-format.ts';

/** A refusal that names every path it is about. */
export interface PathRefusal<Code extends string = string> extends Refusal<Code> {
  readonly problems: readonly PathProblem[];
}

/** What stands behind an object's name. Corrupt: stored bytes that do not inflate, or do not hash to the name. */
export type StoredObject =
  | {
      readonly state: 'present';
      readonly oid: string;
      readonly type: ObjectType;
      readonly content: Uint8Array;
    }
  | { readonly state: 'absent'; readonly oid: string }
  | { readonly state: 'corrupt'; readonly oid: string; readonly reason: string };

export type ReadRefusalCode =
  | 'object-absent'
  | 'object-corrupt'
  /** The object is there, but of another type than the one asked for. */
  | 'wrong-type'
  /** The bytes are not UTF-8. */
  | 'not-text'
  /** A tree that git's format does not allow, or with a name that is not UTF-8. */
  | 'bad-tree';

export type ReadRefusal = Refusal<ReadRefusalCode>;

/** A file of a tree; `mode` tells a file (100644, 100755) from a symlink (120000) and a submodule (160000). */
export interface TreeFile {
  /** Relative to the tree, parts joined by `/`. */
  readonly path: string;
  readonly mode: string;
  readonly oid: string;
}

export interface TreeFileContent extends TreeFile {
  readonly content: Uint8Array;
}

/** One side of a change. */
export interface Side {
  readonly oid: string;
  readonly mode: string;
}

/**
 * One path that differs between two trees. `type-changed`: a file became a symlink or a submodule, or the reverse;
 * a change of the executable bit alone is `modified` with two modes.
 */
export interface TreeChange {
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted' | 'type-changed';
  readonly before: Side | null;
  readonly after: Side | null;
}

export type PinRefusalCode =
  | 'not-a-repository'
  /** A repository of a kind that cannot be read here: SHA-256 objects, reftables, a split or sparse index. */
  | 'unsupported-repository'
  | 'no-commit'
  /** An object that the commit needs is missing or damaged in the study's repository. */
  | 'unreadable-repository'
  | 'bad-path'
  | 'program-missing'
  /** A symlink, submodule, odd mode or bad name within the program. */
  | 'bad-entry'
  | 'dirty-work-tree';

export interface Pin {
  /** The study's commit, as its own repository names it. */
  readonly commit: string;
  /** The program's tree: what runs. The same oid in both repositories. */
  readonly tree: string;
  /** The program's path from the root of the study's repository. */
  readonly path: string;
  /** Our own commit of `tree`, without parents: what the first mutation starts from. */
  readonly pinCommit: string;
  /** The tree of blobs that `readSourceProof` reads. */
  readonly proof: string;
}

/** An edit of one file: its whole new content (text is stored as UTF-8), or null to delete it. */
export interface Edit {
  readonly path: string;
  readonly content: string | Uint8Array | null;
}

export type AttemptRefusalCode =
  /** One or more edits do not apply; `problems` has each with its code and reason. */
  | 'bad-edit'
  /** The edits leave the tree as it was. */
  | 'no-change'
  /** The base commit or a tree below it is missing or damaged, or the commit is of another tree. */
  | 'bad-base'
  /** The run's id, the number, the time, the message or a trailer cannot be written. */
  | 'bad-name';

export interface AttemptRequest {
  readonly runId: string;
  /** The attempt's number within its run, from 0. */
  readonly number: number;
  readonly base: { readonly commit: string; readonly tree: string };
  readonly edits: readonly Edit[];
  readonly message: string;
  /** Names and values of one line each, e.g. `Holdfast-Event`. */
  readonly trailers: Readonly<Record<string, string>>;
  /** RFC 3339; whole seconds of it stand in the commit. */
  readonly time: string;
  /** Bytes that one file may have. Default: 1 MiB. */
  readonly maxFileBytes?: number;
}

export interface Attempt {
  readonly commit: string;
  readonly tree: string;
  readonly changed: readonly TreeChange[];
}

export interface Artefacts {
  readonly tree: string;
  readonly files: readonly ArtefactRef[];
}

export type MaterialiseRefusalCode =
  | ReadRefusalCode
  /** An entry that is no regular file, or whose name must not reach a disk. */
  | 'bad-entry'
  | 'folder-not-empty';

export type RefRefusalCode =
  | 'bad-ref-name'
  /** Another ref stands where this name needs a folder, or the reverse. */
  | 'ref-conflict'
  | 'object-absent'
  | 'object-corrupt';

export interface Ref {
  /** Without `refs/holdfast/`. */
  readonly name: string;
  readonly oid: string;
}

/**
 * Pins, attempts, restore points and artefacts as git objects.
 *
 * Promises: what a method returned is on disk when it returns, so an event may name it; a retry with the same input
 * gives the same names and mends what a killed process left half done; every pin, attempt and artefact is held by a
 * ref below `refs/holdfast/`, so that `git gc` keeps it. When an attempt or a set of artefacts is written again with
 * other content, the former stays reachable under `superseded/<oid>`.
 */
export interface SourceTree {
  /**
   * Pins a study's program at the commit that its work tree stands at. Refused, with every path, unless the program
   * and the files of `also` are exactly what the commit holds (ignored files apart).
   *
   * @param study.folder - the study's folder, absolute, in or below a git work tree
   * @param study.program - the program's folder, relative to `folder`
   * @param study.also - further files that must be committed and unchanged, relative to `folder`
   */
  pinStudy(study: {
    readonly folder: string;
    readonly program: string;
    readonly also?: readonly string[];
  }): Promise<Result<Pin, PathRefusal<PinRefusalCode>>>;
  /** The proof that a pin stored, for `checkSourceProof`. */
  readSourceProof(proof: string): Promise<Result<SourceProof, ReadRefusal>>;
  /** Applies edits to a tree and commits the result as attempt `number` of a run. All problems at once. */
  writeAttempt(request: AttemptRequest): Promise<Result<Attempt, PathRefusal<AttemptRefusalCode>>>;
  /** Stores files and holds them by a ref, e.g. `runs/<runId>/trainings/<id>`. */
  writeArtefacts(request: {
    readonly ref: string;
    readonly files: Readonly<Record<string, Uint8Array>>;
  }): Promise<Result<Artefacts, PathRefusal<'bad-path' | 'bad-ref-name' | 'ref-conflict'>>>;
  /** What differs between two trees, by path in git's order. Only subtrees that differ are read. */
  diffTrees(a: string, b: string): Promise<Result<readonly TreeChange[], ReadRefusal>>;
  /** All files of a tree, in git's order. */
  readTree(tree: string): Promise<Result<readonly TreeFile[], ReadRefusal>>;
  /** All regular files of a tree with their content; symlinks and submodules are refused as `wrong-type`. */
  readFiles(tree: string): Promise<Result<readonly TreeFileContent[], ReadRefusal>>;
  readFile(oid: string): Promise<Result<Uint8Array, ReadRefusal>>;
  readText(oid: string): Promise<Result<string, ReadRefusal>>;
  /** What is on disk now, hashed anew on every call: nothing is taken from a cache. */
  readObject(oid: string): Promise<StoredObject>;
  /** As `readObject`, in the order asked; packs are opened once a call, so that many objects cost linear time. */
  readObjects(oids: readonly string[]): Promise<readonly StoredObject[]>;
  /** Writes a tree's files (0444, 0555) and folders (0755) into a folder that is empty or not there yet. */
  materialise(
    tree: string,
    folder: string,
  ): Promise<Result<{ readonly files: number }, Refusal<MaterialiseRefusalCode>>>;
  /** Points `refs/holdfast/<name>` at an object that is there. */
  setRef(
    name: string,
    oid: string,
  ): Promise<Result<{ readonly before: string | null }, Refusal<RefRefusalCode>>>;
  /** The object that a ref points at; null when there is no such ref, or none that can be read. */
  readRef(name: string): Promise<string | null>;
  /** The refs below `prefix` (default: all), by name. */
  listRefs(prefix?: string): Promise<readonly Ref[]>;
}
