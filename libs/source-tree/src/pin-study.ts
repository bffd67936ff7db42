import type { Stats } from 'node:fs';
import fs from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { serialiseCommit } from './commit-format.ts';
import { listFiles } from './diff.ts';
import { readEntries, readTyped, sha1 } from './object-store.ts';
import type { ObjectStore, ReadObject } from './object-store.ts';
import { checkPath, collisions } from './paths.ts';
import type { PathProblem } from './paths.ts';
import type { PathRefusal, Pin, PinRefusalCode, ReadRefusal, TreeFile } from './port.ts';
import { checkSourceProof } from './source-proof.ts';
import type { SourceProof } from './source-proof.ts';
import { headCommit, openStudyRepository, readIndex } from './study-repository.ts';
import { decodeUtf8, MODES, objectId, parseTree, serialiseTree } from './tree-format.ts';
import { findDirt } from './work-tree.ts';

type Refused = PathRefusal<PinRefusalCode>;

const refuse = (
  code: PinRefusalCode,
  message: string,
  problems: readonly PathProblem[] = [],
): { ok: false; error: Refused } => refused({ code, message, problems });

const unreadable = (error: ReadRefusal): { ok: false; error: Refused } =>
  refuse(
    'unreadable-repository',
    `the study's repository cannot be read: ${error.message}; fetch what is missing (a partial clone) or clone anew`,
  );

/** The message, and every problem below it on a line of its own. */
const listing = (message: string, problems: readonly PathProblem[]): string =>
  [message, ...problems.map((problem) => `  ${problem.message} (${problem.code})`)].join('\n');

/** Reads down a path from the root tree and keeps every tree object on the way. */
const descend = async (
  read: ReadObject,
  rootTree: string,
  path: string,
): Promise<Result<{ trees: Uint8Array[]; tree: string } | null, ReadRefusal>> => {
  const trees: Uint8Array[] = [];
  let tree = rootTree;
  for (const part of path.split('/')) {
    const content = await readTyped(read, tree, 'tree');
    if (!content.ok) return content;
    trees.push(content.value);
    const parsed = parseTree(content.value);
    if (!parsed.ok) {
      return refused({
        code: 'bad-tree',
        message: `the tree ${tree} cannot be read: ${parsed.error}`,
      });
    }
    const entry = parsed.value.find(({ name }) => name === part);
    if (entry?.mode !== MODES.folder) return ok(null);
    tree = entry.oid;
  }
  return ok({ trees, tree });
};

/** What the commit holds at a path that is not a folder; null when there is nothing. */
const findFile = async (
  read: ReadObject,
  rootTree: string,
  path: string,
): Promise<Result<TreeFile | null, ReadRefusal>> => {
  const slash = path.lastIndexOf('/');
  let parent = rootTree;
  if (slash >= 0) {
    const folder = await descend(read, rootTree, path.slice(0, slash));
    if (!folder.ok) return folder;
    if (folder.value === null) return ok(null);
    parent = folder.value.tree;
  }
  const entries = await readTyped(read, parent, 'tree');
  if (!entries.ok) return entries;
  const parsed = parseTree(entries.value);
  const entry = parsed.ok
    ? parsed.value.find(({ name }) => name === path.slice(slash + 1))
    : undefined;
  return ok(entry === undefined ? null : { path, mode: entry.mode, oid: entry.oid });
};

/** Entries that a program of ours cannot have: they would not materialise, or not as what they are. */
const badEntries = (files: readonly TreeFile[], programPath: string): readonly PathProblem[] => {
  const problems: PathProblem[] = [];
  const names = new Map<string, Set<string>>();
  for (const { path, mode } of files) {
    const inside = path.slice(programPath.length + 1);
    problems.push(...checkPath(inside).map((problem) => ({ ...problem, path })));
    if (mode !== MODES.file && mode !== MODES.executable) {
      const what =
        mode === MODES.symlink
          ? 'a symlink'
          : mode === MODES.submodule
            ? 'a submodule'
            : `an entry of mode ${mode}`;
      problems.push({
        path,
        code: 'bad-entry',
        message: `${path}: ${what}; a program holds regular files only, so copy in what it stands for`,
      });
    }
    const parts = inside.split('/');
    for (const [depth, part] of parts.entries()) {
      const folder = [programPath, ...parts.slice(0, depth)].join('/');
      names.set(folder, (names.get(folder) ?? new Set()).add(part));
    }
  }
  return [...problems, ...[...names].flatMap(([folder, each]) => collisions(folder, each))];
};

/** Unix time of the commit's committer: the pin commit takes it over, so the same source gives the same pin. */
const committerSeconds = (commit: Uint8Array): number => {
  const head = Buffer.from(commit).toString('latin1').split('\n\n', 1)[0] ?? '';
  return Number(/^committer .* (\d{1,10}) [+-]\d{4}$/m.exec(head)?.[1] ?? 0);
};

const rootTreeOf = (commit: Uint8Array): string | null =>
  /^tree ([0-9a-f]{40})\n/.exec(Buffer.from(commit.subarray(0, 46)).toString('latin1'))?.[1] ??
  null;

const statOf = async (path: string): Promise<Stats | null> => fs.lstat(path).catch(() => null);

export const pinStudy = async (
  store: ObjectStore,
  study: { readonly folder: string; readonly program: string; readonly also?: readonly string[] },
): Promise<Result<Pin, Refused>> => {
  const also = study.also ?? [];
  const badPaths = [study.program, ...also].flatMap(checkPath);
  if (!isAbsolute(study.folder)) {
    const message = `${study.folder}: the study's folder must be an absolute path`;
    badPaths.unshift({ path: study.folder, code: 'bad-path', message });
  }
  if (badPaths.length > 0) {
    return refuse(
      'bad-path',
      listing('the study names paths that cannot be used:', badPaths),
      badPaths,
    );
  }
  const folder = await fs.realpath(study.folder).catch(() => null);
  if (folder === null) return refuse('bad-path', `there is no folder ${study.folder}`);

  const repository = await openStudyRepository(folder);
  if (!repository.ok) return refused({ ...repository.error, problems: [] });
  const { root, read } = repository.value;
  const head = await headCommit(repository.value);
  if (!head.ok) return refused({ ...head.error, problems: [] });
  const index = await readIndex(repository.value);
  if (!index.ok) return refused({ ...index.error, problems: [] });

  const below = relative(root, folder).split(sep).join('/');
  const inRepository = (path: string): string => (below === '' ? path : `${below}/${path}`);
  const path = inRepository(study.program);
  if (/\p{Cc}/u.test(path) || decodeUtf8(Buffer.from(path)) !== path) {
    return refuse(
      'bad-path',
      `${JSON.stringify(path)} holds control characters; rename the folder`,
    );
  }

  const commit = await readTyped(read, head.value, 'commit');
  if (!commit.ok) return unreadable(commit.error);
  const rootTree = rootTreeOf(commit.value);
  if (rootTree === null) {
    return refuse('unreadable-repository', `the commit ${head.value} does not name its tree`);
  }
  const program = await descend(read, rootTree, path);
  if (!program.ok) return unreadable(program.error);
  if (program.value === null) {
    const onDisk = (await statOf(join(root, path))) !== null;
    return refuse(
      'program-missing',
      `the commit ${head.value} has no folder ${path}` +
        (onDisk
          ? '; it is in the work tree: commit it'
          : '; name the folder that holds the training program'),
    );
  }
  const { tree, trees } = program.value;

  const files = await listFiles(read, tree, path);
  if (!files.ok) return unreadable(files.error);
  const others: TreeFile[] = [];
  for (const each of also.map(inRepository)) {
    const found = await findFile(read, rootTree, each);
    if (!found.ok) return unreadable(found.error);
    if (found.value !== null) others.push(found.value);
  }

  const entries = [
    ...badEntries(files.value, path),
    ...others
      .filter(({ mode }) => mode !== MODES.file && mode !== MODES.executable)
      .map((file) => ({
        path: file.path,
        code: 'bad-entry',
        message: `${file.path}: an entry of mode ${file.mode}, expected a regular file`,
      })),
  ];
  const dirt = await findDirt(
    repository.value,
    index.value,
    path,
    also.map(inRepository),
    [...files.value, ...others].filter(({ mode }) => mode.startsWith('100')),
  );
  const odd = new Set(entries.map((problem) => problem.path));
  const problems = [...entries, ...dirt.filter((problem) => !odd.has(problem.path))];
  if (entries.length > 0) {
    return refuse('bad-entry', listing(`${path} cannot be pinned:`, problems), problems);
  }
  if (dirt.length > 0) {
    const message = `the work tree is not what ${head.value} holds; commit or undo:`;
    return refuse('dirty-work-tree', listing(message, problems), problems);
  }

  const proof: SourceProof = { commit: commit.value, trees };
  const checked = checkSourceProof({ commit: head.value, path, tree, proof }, sha1);
  if (!checked.ok) {
    const reasons = checked.error.map(({ message }) => message).join('; ');
    return refuse('unreadable-repository', `the commit ${head.value} cannot be proved: ${reasons}`);
  }
  const copied = await copyProgram(store, read, tree, files.value);
  if (!copied.ok) return unreadable(copied.error);
  return ok({
    commit: head.value,
    tree,
    path,
    ...(await writePin(store, head.value, path, tree, proof)),
  });
};

/** Copies the program's blobs and trees as they are: their names are the same in both repositories. */
const copyProgram = async (
  store: ObjectStore,
  read: ReadObject,
  tree: string,
  files: readonly TreeFile[],
): Promise<Result<null, ReadRefusal>> =>
  store.write(async ({ put }) => {
    for (const oid of new Set(files.map((file) => file.oid))) {
      const content = await readTyped(read, oid, 'blob');
      if (!content.ok) return content;
      put('blob', content.value);
    }
    const copyTree = async (oid: string): Promise<Result<null, ReadRefusal>> => {
      const entries = await readEntries(read, oid);
      if (!entries.ok) return entries;
      for (const entry of entries.value.filter(({ mode }) => mode === MODES.folder)) {
        const copied = await copyTree(entry.oid);
        if (!copied.ok) return copied;
      }
      put('tree', serialiseTree(entries.value));
      return ok(null);
    };
    return copyTree(tree);
  });

/** Stores the proof and our own commit of the program, and holds both by refs. */
const writePin = (
  store: ObjectStore,
  sourceCommit: string,
  path: string,
  tree: string,
  proof: SourceProof,
): Promise<{ pinCommit: string; proof: string }> =>
  store.write(({ put, setRef }) => {
    const blobs = [
      { name: 'commit', content: proof.commit },
      ...proof.trees.map((content, depth) => ({ name: `tree-${depth}`, content })),
    ];
    for (const { content } of blobs) put('blob', content);
    const proofTree = put(
      'tree',
      serialiseTree(
        blobs.map(({ name, content }) => ({
          name,
          mode: MODES.file,
          oid: objectId('blob', content, sha1),
        })),
      ),
    );
    const pinCommit = put(
      'commit',
      serialiseCommit({
        tree,
        parents: [],
        seconds: committerSeconds(proof.commit),
        message: `Pin ${path}`,
        trailers: {
          'Holdfast-Source-Commit': sourceCommit,
          'Holdfast-Source-Path': path,
          'Holdfast-Source-Proof': proofTree,
        },
      }),
    );
    setRef(`pins/${pinCommit}/proof`, proofTree);
    setRef(`pins/${pinCommit}/commit`, pinCommit);
    return { pinCommit, proof: proofTree };
  });
