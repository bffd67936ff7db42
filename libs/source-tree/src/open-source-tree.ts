import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { diffTrees, listFiles } from './diff.ts';
import { materialise } from './materialise.ts';
import { openObjectStore, readEntries, readText, readTyped } from './object-store.ts';
import type { ReadObject } from './object-store.ts';
import { isRefName } from './paths.ts';
import { pinStudy } from './pin-study.ts';
import type { ReadRefusal, SourceTree, TreeFileContent } from './port.ts';
import type { SourceProof } from './source-proof.ts';
import { MODES } from './tree-format.ts';
import { writeArtefacts } from './write-artefacts.ts';
import { writeAttempt } from './write-attempt.ts';

const readFiles = async (
  read: ReadObject,
  tree: string,
): Promise<Result<readonly TreeFileContent[], ReadRefusal>> => {
  const files = await listFiles(read, tree);
  if (!files.ok) return files;
  const contents: TreeFileContent[] = [];
  for (const file of files.value) {
    if (file.mode !== MODES.file && file.mode !== MODES.executable) {
      return refused({
        code: 'wrong-type',
        message: `${file.path} has mode ${file.mode}, expected a regular file`,
      });
    }
    const content = await readTyped(read, file.oid, 'blob');
    if (!content.ok) return content;
    contents.push({ ...file, content: content.value });
  }
  return ok(contents);
};

const readSourceProof = async (
  read: ReadObject,
  proof: string,
): Promise<Result<SourceProof, ReadRefusal>> => {
  const entries = await readEntries(read, proof);
  if (!entries.ok) return entries;
  const oids = new Map(entries.value.map(({ name, oid }) => [name, oid]));
  const blob = (name: string): Promise<Result<Uint8Array, ReadRefusal>> => {
    const oid = oids.get(name);
    return oid === undefined
      ? Promise.resolve(
          refused({ code: 'bad-tree', message: `the proof ${proof} holds no ${name}` }),
        )
      : readTyped(read, oid, 'blob');
  };
  const commit = await blob('commit');
  if (!commit.ok) return commit;
  const trees: Uint8Array[] = [];
  for (let depth = 0; depth < oids.size - 1; depth++) {
    const tree = await blob(`tree-${depth}`);
    if (!tree.ok) return tree;
    trees.push(tree.value);
  }
  return ok({ commit: commit.value, trees });
};

/**
 * Opens the source tree that is kept in the bare repository at `dir`, making it when it is not there.
 *
 * Several processes may have the same one open: objects are named by their content, and a ref is replaced whole.
 *
 * @example
 * const trees = await openSourceTree({ dir: '/home/me/.holdfast/objects.git' });
 * const pin = await trees.pinStudy({ folder: '/studies/pay', program: 'program', also: ['holdfast.yaml'] });
 */
export const openSourceTree = async (options: { readonly dir: string }): Promise<SourceTree> => {
  const store = await openObjectStore(options.dir);
  return {
    pinStudy: (study) => pinStudy(store, study),
    readSourceProof: (proof) => readSourceProof(store.reader(), proof),
    writeAttempt: (request) => writeAttempt(store, request),
    writeArtefacts: (request) => writeArtefacts(store, request),
    diffTrees: (a, b) => diffTrees(store.reader(), a, b),
    readTree: (tree) => listFiles(store.reader(), tree),
    readFiles: (tree) => readFiles(store.reader(), tree),
    readFile: (oid) => readTyped(store.reader(), oid, 'blob'),
    readText: (oid) => readText(store.reader(), oid),
    readObject: (oid) => store.reader()(oid),
    readObjects: async (oids) => {
      const read = store.reader();
      const found = [];
      for (const oid of oids) found.push(await read(oid));
      return found;
    },
    materialise: (tree, folder) => materialise(store.reader(), tree, folder),
    setRef: async (name, oid) => {
      if (!isRefName(name)) {
        return refused({
          code: 'bad-ref-name',
          message: `${JSON.stringify(name)} cannot be a ref's name below refs/holdfast/`,
        });
      }
      const object = await store.reader()(oid);
      if (object.state !== 'present') {
        const why =
          object.state === 'corrupt' ? `is damaged: ${object.reason}` : 'is not in the repository';
        return refused({ code: `object-${object.state}`, message: `${oid} ${why}` });
      }
      const before = store.readRef(name);
      const conflict = before === null ? await store.conflictingRef(name) : null;
      if (conflict !== null) {
        return refused({
          code: 'ref-conflict',
          message: `the ref ${conflict} stands in the way of ${name}`,
        });
      }
      if (before !== oid) await store.write((writer) => writer.setRef(name, oid));
      return ok({ before });
    },
    readRef: (name) => Promise.resolve(isRefName(name) ? store.readRef(name) : null),
    listRefs: async (prefix = '') => {
      const under = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
      return (await store.listRefs()).filter(({ name }) => name.startsWith(under));
    },
  };
};
