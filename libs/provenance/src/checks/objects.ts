import { counted } from '#libs/kernel';
import type { ArtefactRef } from '#libs/kernel';
import type { RunCheck, RunContext } from '../check.ts';
import { collectFaults } from '../faults.ts';
import type { Faults } from '../faults.ts';
import { BLOBS, commitTree, FOLDER, treeEntries } from '../git-objects.ts';

/** Objects remembered as sound, so that trees that share most of their files aren't read again and again. */
const REMEMBERED = 50_000;

interface Inspector {
  /** One that knows what this one knows, and tells it nothing. */
  readonly copy: (faults: Faults) => Inspector;
  readonly commit: (oid: string, tree: string, what: string) => Promise<void>;
  readonly tree: (oid: string, what: string) => Promise<void>;
  readonly artefact: (ref: ArtefactRef, what: string) => Promise<void>;
  readonly count: () => number;
}

/** Reads, hashes and follows objects, each once as long as it is remembered. */
const inspector = (
  context: RunContext,
  faults: Faults,
  sound = new Set<string>(),
  count = 0,
): Inspector => {
  const { inspect, sha256 } = context;

  const remember = (key: string): void => {
    if (sound.size >= REMEMBERED) sound.clear();
    sound.add(key);
    count += 1;
  };

  /** The bytes of an object that hashes to its name, or null. */
  const read = async (
    type: 'blob' | 'tree' | 'commit',
    oid: string,
    what: string,
  ): Promise<Uint8Array | null> => {
    const object = await inspect(type, oid, what);
    if (object.ok) return object.content;
    faults.add(object.fault);
    return null;
  };

  const blob = async (oid: string, what: string): Promise<boolean> => {
    if (sound.has(`blob ${oid}`)) return true;
    if ((await read('blob', oid, what)) === null) return false;
    remember(`blob ${oid}`);
    return true;
  };

  const wholeTree = async (oid: string, what: string): Promise<boolean> => {
    if (sound.has(`tree ${oid}`)) return true;
    const content = await read('tree', oid, what);
    if (content === null) return false;
    const entries = treeEntries(content);
    let whole = entries !== null;
    if (!whole) faults.add(`${what} (tree ${oid}) is altered: it is no tree`);
    for (const { mode, name, oid: child } of entries ?? []) {
      // Most files of most trees are those of the tree before: nothing is to be waited for.
      if (BLOBS.includes(mode) && sound.has(`blob ${child}`)) continue;
      const inside = `${name} in ${what}`;
      if (mode === FOLDER) whole = (await wholeTree(child, inside)) && whole;
      else if (BLOBS.includes(mode)) whole = (await blob(child, inside)) && whole;
      else {
        faults.add(`${inside} has mode ${mode}, which can't be followed`);
        whole = false;
      }
    }
    if (whole) remember(`tree ${oid}`);
    return whole;
  };

  return {
    copy: (others) => inspector(context, others, new Set(sound), count),
    count: () => count,
    tree: async (oid, what) => {
      await wholeTree(oid, what);
    },
    commit: async (oid, tree, what) => {
      const key = `commit ${oid} ${tree}`;
      if (sound.has(key)) return;
      const content = await read('commit', oid, what);
      if (content === null) return;
      const found = commitTree(content);
      faults.differ(`the tree of ${what} (commit ${oid})`, found, tree);
      if (found === tree) remember(key);
    },
    artefact: async ({ oid, sha256: expected, bytes, path }, what) => {
      const key = `artefact ${oid} ${expected} ${String(bytes)}`;
      if (sound.has(key)) return;
      const content = await read('blob', oid, `${path} of ${what}`);
      if (content === null) return;
      const found = sha256(content);
      faults.differ(`SHA-256 of ${path} of ${what}`, found, expected);
      faults.differ(`the size of ${path} of ${what}`, content.length, bytes);
      if (found === expected && content.length === bytes) remember(key);
    },
  };
};

/** Whatever the chain names is there and is what it was: discarded attempts too. */
export const objects: RunCheck = {
  of: 'run',
  row: 'objects',
  expected:
    'each tree (with every file in it), commit and artefact that the chain names is present and hashes to its name',
  start: (run) => {
    const faults = collectFaults();
    if (!run.hasObjects)
      return { conclude: () => ({ passed: false, found: 'there are no objects at hand' }) };
    const look = inspector(run, faults);
    let queue: (() => Promise<void>)[] = [];

    const commit = (oid: string, tree: string, what: string): void => {
      queue.push(
        () => look.commit(oid, tree, what),
        () => look.tree(tree, `the tree of ${what}`),
      );
    };
    const tree = (oid: string, what: string): void => {
      queue.push(() => look.tree(oid, what));
    };
    const artefact = (ref: ArtefactRef, what: string): void => {
      queue.push(() => look.artefact(ref, what));
    };
    const settle = async (): Promise<void> => {
      const named = queue;
      queue = [];
      for (const inspectObject of named) await inspectObject();
    };

    return {
      run: {
        RunOpened: ({ pins, cohorts, forkedFrom }) => {
          commit(pins.pinCommit, pins.tree, 'the source');
          tree(pins.proof, 'the source proof');
          if (forkedFrom !== null) commit(forkedFrom.commit, forkedFrom.tree, 'the fork point');
          if (cohorts === null) return;
          tree(cohorts.tree, 'the cohort release');
          artefact(cohorts.table, 'the cohort release');
          artefact(cohorts.cells, 'the cohort release');
        },
        MutationProposed: ({ mutationId, proposedCommit, proposedTree }) => {
          commit(proposedCommit, proposedTree, `the attempt ${mutationId}`);
        },
        RestorePointTaken: (data) => {
          commit(data.commit, data.tree, `the restore point of ${data.mutationId}`);
        },
        TrainingCompleted: ({ trainingId, artefacts, predictions, log }) => {
          tree(artefacts, `the artefacts of training ${trainingId}`);
          artefact(predictions, `training ${trainingId}`);
          artefact(log, `training ${trainingId}`);
        },
        TrainingFailed: ({ trainingId, artefacts, log }) => {
          tree(artefacts, `the artefacts of training ${trainingId}`);
          artefact(log, `training ${trainingId}`);
        },
        TrainingTimedOut: ({ trainingId, artefacts, log }) => {
          tree(artefacts, `the artefacts of training ${trainingId}`);
          artefact(log, `training ${trainingId}`);
        },
      },
      settle,
      conclude: async () => {
        await settle();
        return faults.outcome(counted(look.count(), 'object'));
      },
      concludeFor: async (context) => {
        await settle();
        const all = faults.copy();
        const its = look.copy(all);
        const { sourceTree, fromTree, toTree } = context.finding.chain;
        await its.tree(sourceTree, 'the source tree of the finding');
        await its.tree(fromTree, 'the compared program');
        await its.tree(toTree, 'the claimed program');
        for (const ref of context.finding.predictions) await its.artefact(ref, 'the finding');
        return all.outcome(counted(its.count(), 'object'));
      },
    };
  },
};
