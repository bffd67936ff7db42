import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { messageProblems, serialiseCommit } from './commit-format.ts';
import { diffTrees } from './diff.ts';
import { applyEdits } from './edits.ts';
import { readTyped } from './object-store.ts';
import type { ObjectStore, ReadObject, Writer } from './object-store.ts';
import { isRefPartName } from './paths.ts';
import type { PathProblem } from './paths.ts';
import type { Attempt, AttemptRefusalCode, AttemptRequest, PathRefusal } from './port.ts';

const DEFAULT_MAX_FILE_BYTES = 1024 * 1024;

type Refused = PathRefusal<AttemptRefusalCode>;

const refuse = (
  code: AttemptRefusalCode,
  message: string,
  problems: readonly PathProblem[] = [],
): { ok: false; error: Refused } => refused({ code, message, problems });

const requestProblems = (request: AttemptRequest, seconds: number): readonly string[] => [
  ...(isRefPartName(request.runId)
    ? []
    : [`the run id ${JSON.stringify(request.runId)} cannot be part of a ref's name`]),
  ...(Number.isSafeInteger(request.number) && request.number >= 0
    ? []
    : [`the attempt's number is ${request.number}, expected a whole number from 0`]),
  ...(seconds >= 0 ? [] : [`the time ${JSON.stringify(request.time)} is not RFC 3339`]),
  ...messageProblems(request.message, request.trailers),
];

/** Why a commit cannot be the base; null when it is there and is of the tree. */
const baseProblem = async (
  read: ReadObject,
  base: AttemptRequest['base'],
): Promise<string | null> => {
  const commit = await readTyped(read, base.commit, 'commit');
  if (!commit.ok) return commit.error.message;
  const head = Buffer.from(commit.value.subarray(0, 46)).toString('latin1');
  return head === `tree ${base.tree}\n`
    ? null
    : `the base commit ${base.commit} starts with ${JSON.stringify(head)}, expected the tree ${base.tree}`;
};

/**
 * Points a ref at an object that is written once. Whatever else the ref held stays reachable: a process that was
 * killed before it could record an attempt makes another one under the same number.
 */
export const setRefKeepingFormer = (
  store: ObjectStore,
  { setRef }: Writer,
  name: string,
  oid: string,
): void => {
  const former = store.readRef(name);
  if (former === oid) return;
  if (former !== null) setRef(`superseded/${former}`, former);
  setRef(name, oid);
};

export const writeAttempt = async (
  store: ObjectStore,
  request: AttemptRequest,
): Promise<Result<Attempt, Refused>> => {
  const seconds = Math.floor(Date.parse(request.time) / 1000);
  const problems = requestProblems(request, seconds);
  if (problems.length > 0) return refuse('bad-name', problems.join('; '));

  const { base, edits } = request;
  const read = store.reader();
  const unusable = await baseProblem(read, base);
  if (unusable !== null) return refuse('bad-base', unusable);
  const edited = await applyEdits(
    read,
    base.tree,
    edits,
    request.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES,
  );
  if (!edited.ok) {
    if ('code' in edited.error) return refuse('bad-base', edited.error.message);
    const messages = edited.error.map(({ message }) => message).join('; ');
    return refuse('bad-edit', `the edits do not apply: ${messages}`, edited.error);
  }
  const { tree, objects } = edited.value;
  if (tree === base.tree) {
    return refuse(
      'no-change',
      `the edits leave the tree ${tree} as it was; send one that changes a file`,
    );
  }

  const commit = await store.write((writer) => {
    for (const { type, content } of objects) writer.put(type, content);
    const oid = writer.put(
      'commit',
      serialiseCommit({
        tree,
        parents: [base.commit],
        seconds,
        message: request.message,
        trailers: request.trailers,
      }),
    );
    const name = `runs/${request.runId}/attempts/${request.number}`;
    setRefKeepingFormer(store, writer, name, oid);
    return oid;
  });
  const changed = await diffTrees(store.reader(), base.tree, tree);
  // Both trees were read or written just now: if one can't be read any more, the disk is broken.
  if (!changed.ok)
    throw new Error(`attempt ${commit} cannot be read back: ${changed.error.message}`);
  return ok({ commit, tree, changed: changed.value });
};
