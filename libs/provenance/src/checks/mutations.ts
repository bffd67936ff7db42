import { midLoopGate } from '#libs/harness';
import type { FileChange } from '#libs/harness';
import { counted, reasonOf } from '#libs/kernel';
import type { ChangedFile, MutationProposed } from '#libs/run';
import type { RunCheck, RunContext } from '../check.ts';
import { collectFaults } from '../faults.ts';
import type { Faults } from '../faults.ts';
import { BLOBS, commitParents, commitTree, textOf } from '../git-objects.ts';
import { followStanding } from '../standing.ts';
import { compareTrees } from '../tree-changes.ts';
import type { CompareTrees, TreeChange } from '../tree-changes.ts';

type Proposal = MutationProposed['data'];

const spelled = ({ path, kind, before, after }: Omit<ChangedFile, 'language' | 'domain'>): string =>
  `${path} ${kind} (${before ?? 'nothing'} → ${after ?? 'nothing'})`;

/** The files that the event names are those that the trees differ by, no more and no fewer. */
const compareFiles = (
  { mutationId, files }: Proposal,
  changes: readonly TreeChange[],
  faults: Faults,
): void => {
  const named = new Set(files.map(spelled));
  const found = new Set(
    changes.map(({ path, kind, before, after }) =>
      spelled({ path, kind, before: before?.oid ?? null, after: after?.oid ?? null }),
    ),
  );
  for (const file of found)
    if (!named.has(file)) faults.add(`the trees of ${mutationId} differ by ${file}, not named`);
  for (const file of named)
    if (!found.has(file))
      faults.add(`${mutationId} names ${file}, by which its trees don't differ`);
  if (named.size !== files.length) faults.add(`${mutationId} names a file twice`);
};

/** The attempt's commit holds the proposed tree and follows the base commit, and that alone. */
const compareCommit = async (
  { inspect }: RunContext,
  { mutationId, baseCommit, proposedCommit, proposedTree }: Proposal,
  faults: Faults,
): Promise<void> => {
  const what = `the commit of ${mutationId}`;
  const commit = await inspect('commit', proposedCommit, what);
  if (!commit.ok) {
    faults.add(commit.fault);
    return;
  }
  faults.differ(`${what}: tree`, commitTree(commit.content), proposedTree);
  faults.differ(`${what}: parent`, commitParents(commit.content)?.join(', '), baseCommit);
};

/** The files as the mid-loop gate has to have seen them. */
const readChanges = (
  { inspect }: RunContext,
  changes: readonly TreeChange[],
): Promise<readonly FileChange[]> =>
  Promise.all(
    changes.map(async ({ path, kind, before, after }) => {
      const read = async (side: TreeChange['after']): Promise<string | null> => {
        if (side === null || !BLOBS.includes(side.mode)) return null;
        const blob = await inspect('blob', side.oid, path);
        if (!blob.ok) throw new Error(blob.fault);
        return textOf(blob.content);
      };
      return {
        path,
        kind,
        before: before?.oid ?? null,
        after: after?.oid ?? null,
        mode: after?.mode ?? null,
        textBefore: await read(before),
        text: await read(after),
      };
    }),
  );

const compareTreesOf = async (
  context: RunContext,
  compare: CompareTrees,
  proposal: Proposal,
  wasCutOver: boolean,
  faults: Faults,
): Promise<void> => {
  const { mutationId, baseTree, proposedTree, measuredDomain } = proposal;
  const named = new Map(proposal.files.map((file) => [file.path, file]));
  const changes = await compare(baseTree, proposedTree);
  compareFiles(proposal, changes, faults);
  const { domain, breaches, unreadable, files } = midLoopGate(
    context.opened().policy,
    await readChanges(context, changes),
  );
  faults.differ(`the domain of ${mutationId}, by its trees`, measuredDomain, domain);
  for (const file of files ?? []) {
    const event = named.get(file.path);
    if (event === undefined) continue;
    const of = `${file.path} of ${mutationId}, by its trees`;
    faults.differ(`the language of ${of}`, event.language, file.language);
    faults.differ(`the domain of ${of}`, event.domain, file.domain);
  }
  if (!wasCutOver) return;
  for (const { file, line, message } of unreadable)
    faults.add(`${mutationId} proposes ${file}, which can't be read: line ${line}: ${message}`);
  for (const { rule, found, expected } of breaches)
    faults.add(`${mutationId} breaches ${rule}: found ${found}, expected ${expected}`);
};

/** What a mutation was gated and charged for is what its trees differ by, whatever the event says of them. */
export const mutations: RunCheck = {
  of: 'run',
  row: 'mutations',
  expected:
    "each mutation's commit holds the proposed tree and follows the commit that stood, and no other; its files and its measured domain are what the two trees differ by; the mid-loop gate, run again on their contents, passes each that was cut over",
  start: (context) => {
    if (!context.hasObjects)
      return { conclude: () => ({ passed: false, found: 'there are no objects at hand' }) };
    const faults = collectFaults();
    const standing = followStanding();
    const compare = compareTrees(context.inspect);
    /** The newest proposal, until it shows whether it was cut over. */
    let latest: Proposal | null = null;
    let queue: (() => Promise<void>)[] = [];
    let proposed = 0;

    const enqueue = (proposal: Proposal, wasCutOver: boolean): void => {
      queue.push(async () => {
        await compareCommit(context, proposal, faults);
        try {
          await compareTreesOf(context, compare, proposal, wasCutOver, faults);
        } catch (error) {
          const why = reasonOf(error);
          faults.add(`the trees of ${proposal.mutationId} can't be compared: ${why}`);
        }
      });
    };
    const dismiss = (): void => {
      if (latest !== null) enqueue(latest, false);
      latest = null;
    };
    const settle = async (): Promise<void> => {
      const waiting = queue;
      queue = [];
      for (const look of waiting) await look();
    };

    return {
      run: {
        ...standing.run,
        MutationProposed: (data) => {
          dismiss();
          proposed += 1;
          faults.differ(
            `the base commit of ${data.mutationId}`,
            data.baseCommit,
            standing.now()?.commit,
          );
          latest = data;
        },
        MutationCutOver: ({ mutationId }) => {
          if (latest?.mutationId !== mutationId) return;
          enqueue(latest, true);
          latest = null;
        },
      },
      settle,
      conclude: async () => {
        dismiss();
        await settle();
        return faults.outcome(`${counted(proposed, 'mutation')}, each as its trees show it`);
      },
    };
  },
};
