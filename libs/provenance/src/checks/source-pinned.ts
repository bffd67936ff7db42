import type { Check, Context } from '../check.ts';
import { collectFaults } from '../faults.ts';
import { commitTree, FOLDER, objectId, treeEntries } from '../git-objects.ts';
import type { Faults } from '../faults.ts';

/** The files of the proof's tree: the source commit, and each tree from its root down to the program's parent. */
const readProof = async (
  { inspect }: Context,
  faults: Faults,
  oid: string,
): Promise<ReadonlyMap<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>();
  const tree = await inspect('tree', oid, 'the source proof');
  if (!tree.ok) {
    faults.add(tree.fault);
    return files;
  }
  for (const { name, oid: blob } of treeEntries(tree.content) ?? []) {
    const file = await inspect('blob', blob, `${name} of the source proof`);
    if (file.ok) files.set(name, file.content);
    else faults.add(file.fault);
  }
  return files;
};

/** Walks git's own hashes from the source commit down to the program's tree. */
const walkProof = (
  { sha1, opened }: Context,
  faults: Faults,
  files: ReadonlyMap<string, Uint8Array>,
): void => {
  const { commit, path, tree } = opened().pins;
  const raw = files.get('commit');
  if (raw === undefined) {
    faults.add('the source commit is absent from the source proof');
    return;
  }
  faults.differ('the hash of the source commit', objectId('commit', raw, sha1), commit);
  let expected = commitTree(raw);
  const parts = path.split('/');
  for (const [depth, part] of parts.entries()) {
    const bytes = files.get(`tree-${String(depth)}`);
    if (bytes === undefined) {
      faults.add(`tree-${String(depth)} is absent from the source proof`);
      return;
    }
    faults.differ(`the hash of tree-${String(depth)}`, objectId('tree', bytes, sha1), expected);
    const folder = treeEntries(bytes)?.find(({ name, mode }) => name === part && mode === FOLDER);
    if (folder === undefined) {
      faults.add(`the source commit has no folder ${parts.slice(0, depth + 1).join('/')}`);
      return;
    }
    expected = folder.oid;
  }
  faults.differ(`the tree of ${path} in the source commit`, expected, tree);
};

/** The tree that everything starts from is a folder of a commit that exists, by git's own hashes. */
export const sourcePinned: Check = {
  of: 'finding',
  row: 'source-pinned',
  expected:
    "the run's first event pins the source, once; the source commit's own bytes lead to the pinned tree; the pin commit holds that tree; the finding names both",
  start: (context) => {
    const { finding, opened, inspect } = context;
    const faults = collectFaults();
    return {
      run: {
        RunOpened: (data, { index }) => {
          if (index > 0) faults.add(`RunOpened is event ${String(index)}, expected event 0 alone`);
          faults.differ('the run', data.runId, finding.chain.runId);
          faults.differ('the study', data.studyId, finding.chain.studyId);
        },
      },
      conclude: async () => {
        const { pins } = opened();
        faults.differ("the finding's source commit", finding.chain.sourceCommit, pins.commit);
        faults.differ("the finding's source tree", finding.chain.sourceTree, pins.tree);
        walkProof(context, faults, await readProof(context, faults, pins.proof));
        const pin = await inspect('commit', pins.pinCommit, 'the pin commit');
        if (!pin.ok) faults.add(pin.fault);
        else faults.differ("the pin commit's tree", commitTree(pin.content), pins.tree);
        return faults.outcome(`${pins.path} of commit ${pins.commit} is tree ${pins.tree}`);
      },
    };
  },
};
