import { createHash } from 'node:crypto';
import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { applyEdits } from './edits.ts';
import { sha1 } from './object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { isRefName } from './paths.ts';
import type { PathProblem } from './paths.ts';
import type { Artefacts, PathRefusal } from './port.ts';
import { comparePaths, objectId } from './tree-format.ts';
import { setRefKeepingFormer } from './write-attempt.ts';

type ArtefactRefusalCode = 'bad-path' | 'bad-ref-name' | 'ref-conflict';

export const writeArtefacts = async (
  store: ObjectStore,
  request: { readonly ref: string; readonly files: Readonly<Record<string, Uint8Array>> },
): Promise<Result<Artefacts, PathRefusal<ArtefactRefusalCode>>> => {
  const refuse = (
    code: ArtefactRefusalCode,
    message: string,
    problems: readonly PathProblem[] = [],
  ): { ok: false; error: PathRefusal<ArtefactRefusalCode> } => refused({ code, message, problems });

  if (!isRefName(request.ref)) {
    return refuse(
      'bad-ref-name',
      `${JSON.stringify(request.ref)} cannot be a ref's name below refs/holdfast/`,
    );
  }
  const conflict = await store.conflictingRef(request.ref);
  if (conflict !== null) {
    return refuse('ref-conflict', `the ref ${conflict} stands in the way of ${request.ref}`);
  }
  const files = Object.entries(request.files).sort(([a], [b]) => comparePaths(a, b));
  const edits = files.map(([path, content]) => ({ path, content }));
  const edited = await applyEdits(store.reader(), null, edits, Infinity);
  if (!edited.ok) {
    if ('code' in edited.error) throw new Error(edited.error.message);
    const messages = edited.error.map(({ message }) => message).join('; ');
    return refuse('bad-path', `the artefacts' names cannot be stored: ${messages}`, edited.error);
  }
  const { tree, objects } = edited.value;
  await store.write((writer) => {
    for (const { type, content } of objects) writer.put(type, content);
    setRefKeepingFormer(store, writer, request.ref, tree);
  });
  return ok({
    tree,
    files: files.map(([path, content]) => ({
      path,
      oid: objectId('blob', content, sha1),
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: content.length,
    })),
  });
};
