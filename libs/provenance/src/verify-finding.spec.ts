import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateKey, sign, verify } from '#libs/signatures';
import type { Fact } from '#libs/kernel';
import {
  jointInterval,
  lookOf,
  statementOf,
  type CountedLook,
  type FindingProposed,
} from '#libs/findings';
import type { RunEvent, RunOpened, TrainingPurpose } from '#libs/run';
import { replayAttestation, verdictAttestation } from './attestations.ts';
import { treeEntries } from './git-objects.ts';
import { pinnedDigest } from './pinned-digest.ts';
import { chained, honestRun, oldRun, sealed } from './testing/honest-run.ts';
import type { HonestRun, Iteration, Sealed, Workshop } from './testing/honest-run.ts';
import { CHECKS } from './verification.ts';
import { verifyFinding, verifyFindings } from './verify-finding.ts';
import type { Verdict } from './verify-finding.ts';
import { REPLAYED_ON } from '../../../test/support/environment.ts';

const runner = generateKey();
const worker = generateKey();
const other = generateKey();
const named = ({ keyId, publicKey }: typeof runner) => ({ keyId, publicKey });
const workshop: Workshop = {
  sha256: (bytes) => hash('sha256', bytes, 'hex'),
  sha1: (bytes) => hash('sha1', bytes, 'hex'),
  keys: { runner: named(runner), worker: named(worker) },
  other: named(other),
  sign: (who, context, value) => sign({ runner, worker, other }[who], context, value),
};

const EVERYTHING: readonly Iteration[] = [
  'kept',
  'crashed',
  'discarded',
  'kept-large',
  'diverged',
  'metric',
  'refused',
  'timed-out',
  'kept-elsewhere',
  'kept',
  'discarded',
  'discarded',
  'discarded',
  'discarded',
];

/**
 * Observations by their place among all: two of the baseline, then the first candidate, its replicate, the third
 * mutation's (the second crashed) and the re-measurement after it; then the large gain.
 */
const FIRST_CANDIDATE = 2;
const FIRST_REPLICATE = 3;
const FIRST_REMEASUREMENT = 5;
const LARGE = 6;

const make = (): HonestRun => honestRun(workshop, EVERYTHING);

const verdictOn = (streams: Sealed, { git }: HonestRun): Promise<Verdict> =>
  verifyFinding({
    ...streams,
    dataEvents: () => streams.dataEvents,
    readObject: git.readObject,
    sha256: workshop.sha256,
    sha1: workshop.sha1,
    verifySignature: verify,
  });

const failing = ({ rows }: Verdict): readonly string[] =>
  rows.filter(({ passed }) => !passed).map(({ row }) => row);

type DataOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>['data'];

/** The nth fact of a type, with some of its data replaced. */
const change =
  <Type extends RunEvent['type']>(
    type: Type,
    replace: (data: DataOf<Type>) => Partial<DataOf<Type>>,
    nth = 0,
  ) =>
  (honest: HonestRun): HonestRun => {
    const at = place(honest.run, type, nth);
    return {
      ...honest,
      run: honest.run.map((fact, index) =>
        index === at
          ? {
              ...fact,
              data: { ...(fact.data as DataOf<Type>), ...replace(fact.data as DataOf<Type>) },
            }
          : fact,
      ),
    };
  };

const place = (facts: readonly Fact[], type: string, nth: number): number => {
  const places = facts.flatMap((fact, index) => (fact.type === type ? [index] : []));
  const at = places.at(nth);
  if (at === undefined) throw new Error(`the run has no ${type} number ${nth}`);
  return at;
};

const remove =
  (type: RunEvent['type'], nth = 0) =>
  (honest: HonestRun): HonestRun => ({
    ...honest,
    run: honest.run.toSpliced(place(honest.run, type, nth), 1),
  });

const insertAfter =
  (type: RunEvent['type'], fact: RunEvent, nth = 0) =>
  (honest: HonestRun): HonestRun => ({
    ...honest,
    run: honest.run.toSpliced(place(honest.run, type, nth) + 1, 0, fact),
  });

const repeat =
  (type: RunEvent['type'], nth = 0) =>
  (honest: HonestRun): HonestRun => {
    const at = place(honest.run, type, nth);
    return { ...honest, run: honest.run.toSpliced(at, 0, ...honest.run.slice(at, at + 1)) };
  };

const claim =
  (replace: (data: FindingProposed['data']) => Partial<FindingProposed['data']>) =>
  (honest: HonestRun): HonestRun => ({
    ...honest,
    finding: {
      ...honest.finding,
      data: { ...honest.finding.data, ...replace(honest.finding.data) },
    },
  });

/** Another count in the claim's look, with everything that follows from it: share, multiplier, interval, statement. */
const looked = (counted: Partial<CountedLook>): ((honest: HonestRun) => HonestRun) =>
  claim((data) => {
    if (data.claim.look === null) throw new Error('the claim rests on no look');
    const look = lookOf({ ...data.claim.look, ...counted });
    const changed = { ...data.claim, look, interval: jointInterval(data.claim, look) };
    return { claim: changed, statement: statementOf(changed) };
  });

/** Something else in the claim, in a statement that says it. */
const claimed = (
  replace: (claim: FindingProposed['data']['claim']) => Partial<FindingProposed['data']['claim']>,
): ((honest: HonestRun) => HonestRun) =>
  claim((data) => {
    const changed = { ...data.claim, ...replace(data.claim) };
    return { claim: changed, statement: statementOf(changed) };
  });

const ofData =
  (replace: (facts: readonly Fact[]) => readonly Fact[]) =>
  (honest: HonestRun): HonestRun => ({ ...honest, data: replace(honest.data) });

const study =
  (replace: (facts: readonly Fact[]) => readonly Fact[]) =>
  (honest: HonestRun): HonestRun => ({ ...honest, study: replace(honest.study) });

const opened = (honest: HonestRun): RunOpened['data'] => honest.run[0]?.data as RunOpened['data'];
const dataOf = <Type extends RunEvent['type']>(honest: HonestRun, type: Type, nth = 0) =>
  honest.run[place(honest.run, type, nth)]?.data as DataOf<Type>;

/** The place among all launches of the first one for this. */
const nthLaunch = (honest: HonestRun, purpose: TrainingPurpose): number =>
  honest.run
    .filter(({ type }) => type === 'TrainingLaunched')
    .findIndex(({ data }) => (data as DataOf<'TrainingLaunched'>).purpose === purpose);

/** The first training for this, with its result and its metric, never happened. */
const withoutTraining =
  (purpose: TrainingPurpose) =>
  (honest: HonestRun): HonestRun => ({
    ...honest,
    run: honest.run.toSpliced(place(honest.run, 'TrainingLaunched', nthLaunch(honest, purpose)), 3),
  });

/** Takes an object out of the store, or puts other bytes under its name. */
const lose =
  (which: (honest: HonestRun) => string) =>
  (honest: HonestRun): HonestRun => {
    if (!honest.git.objects.delete(which(honest))) throw new Error('nothing was lost');
    return honest;
  };
const alter =
  (which: (honest: HonestRun) => string) =>
  (honest: HonestRun): HonestRun => {
    const oid = which(honest);
    const object = honest.git.objects.get(oid);
    if (object === undefined) throw new Error('nothing to alter');
    const content = Uint8Array.from([...object.content.slice(0, -1), 0x21]);
    honest.git.objects.set(oid, { ...object, content });
    return honest;
  };
const firstFile = (tree: (honest: HonestRun) => string) => (honest: HonestRun) =>
  treeEntries(honest.git.content(tree(honest)))?.[0]?.oid ?? '';

/** The files of a flat tree by name, as text. */
const filesOf = ({ git }: HonestRun, tree: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (treeEntries(git.content(tree)) ?? []).map(({ name, oid }) => [
      name,
      new TextDecoder().decode(git.content(oid)),
    ]),
  );

/** Every mention of some names, replaced by others: what somebody does who writes the whole log anew. */
const renamed = (honest: HonestRun, names: Readonly<Record<string, string>>): HonestRun => {
  const swap = <T>(value: T): T =>
    JSON.parse(
      Object.entries(names).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        JSON.stringify(value),
      ),
    ) as T;
  return { ...honest, run: swap(honest.run), finding: swap(honest.finding) };
};

/** The commit that the last kept mutation made, and the trees before and after it. */
const lastKept = (honest: HonestRun) => {
  const { mutationId } = dataOf(honest, 'MutationKept', -1);
  const proposals = honest.run.filter(({ type }) => type === 'MutationProposed');
  const proposed = proposals
    .map(({ data }) => data as DataOf<'MutationProposed'>)
    .find((data) => data.mutationId === mutationId);
  if (proposed === undefined) throw new Error('the kept mutation was never proposed');
  return proposed;
};

/** Puts another tree into the last kept mutation, with a commit of its own, wherever the log names either. */
const retree =
  (make: (honest: HonestRun, tree: string) => string) =>
  (honest: HonestRun): HonestRun => {
    const { proposedTree, proposedCommit, baseCommit } = lastKept(honest);
    const tree = make(honest, proposedTree);
    const commit = honest.git.commit(tree, baseCommit, 'Mutation');
    return renamed(honest, { [proposedTree]: tree, [proposedCommit]: commit });
  };

/** Writes other text into a file of the last kept mutation, and says so in the event. */
const rewrite =
  (text: string) =>
  (honest: HonestRun): HonestRun => {
    const [file] = lastKept(honest).files;
    if (typeof file?.after !== 'string') throw new Error('the kept mutation changed no file');
    const { path, after } = file;
    return renamed(
      retree((run, tree) => run.git.tree({ ...filesOf(run, tree), [path]: text }))(honest),
      { [after]: honest.git.blob(text) },
    );
  };

/** Other bytes as the tree of the last kept mutation. */
const rebyte = (from: string, to: string): ((honest: HonestRun) => HonestRun) =>
  retree(({ git }, tree) => {
    const bytes = Buffer.from(git.content(tree)).toString('latin1');
    if (!bytes.includes(from)) throw new Error(`the tree holds no ${from}`);
    return git.raw('tree', Buffer.from(bytes.replace(from, to), 'latin1'));
  });

const recommit =
  (make: (honest: HonestRun) => string) =>
  (honest: HonestRun): HonestRun =>
    renamed(honest, { [lastKept(honest).proposedCommit]: make(honest) });

/** The first mutation edits features (20) and is charged as hyperparameters (10), with all the arithmetic after it. */
const undercharged = (honest: HonestRun): HonestRun => {
  const domain = 'hyperparameter' as const;
  const files = dataOf(honest, 'MutationProposed').files.map((file) => ({
    ...file,
    path: 'hyperparameters.json',
    domain,
  }));
  const from = place(honest.run, 'BudgetCharged', 1);
  const amended = (fact: Fact, index: number): Fact => {
    const data = fact.data as Record<string, unknown>;
    const more = (field: string, by: number) => ({ [field]: Number(data[field]) + by });
    switch (fact.type) {
      case 'MutationProposed':
        return { ...fact, data: { ...data, files, measuredDomain: domain } };
      case 'MutationCutOver':
        return { ...fact, data: { ...data, domain } };
      case 'BudgetCharged':
        return index === from
          ? { ...fact, data: { ...data, ...more('remaining', 10), charge: domain, cost: 10 } }
          : fact;
      case 'RestorePointTaken':
        return { ...fact, data: { ...data, ...more('budgetRemaining', 10) } };
      case 'LoopEnded':
        return { ...fact, data: { ...data, ...more('spent', -10) } };
      default:
        return fact;
    }
  };
  return { ...honest, run: honest.run.map(amended) };
};

const OTHER = 'ab'.repeat(20);
const halt: Extract<RunEvent, { type: 'RunHalted' }> = {
  type: 'RunHalted',
  data: {
    by: 'human',
    reason: 'enough',
    breaches: [],
    mutationId: null,
    message: 'SYSTEM HALT: enough',
    note: null,
  },
};

type Tamper = (honest: HonestRun) => HonestRun;
interface Case {
  readonly what: string;
  readonly tamper: Tamper;
  /** Every row that has to fail, and no other. */
  readonly fails: readonly string[];
  readonly says: string;
}

/** Everything is hashed and signed anew after the tampering: only the row's own arithmetic can see it. */
const CASES: readonly Case[] = [
  {
    what: 'the last mutation is left out of the finding',
    tamper: claim(({ chain }) => ({
      chain: { ...chain, mutations: chain.mutations.slice(0, -1) },
    })),
    fails: ['complete-chain', 'mandate'],
    says: 'is left out',
  },
  {
    what: 'a gap in the mutation chain',
    tamper: claim(({ chain }) => ({
      chain: { ...chain, mutations: chain.mutations.toSpliced(1, 1) },
    })),
    fails: ['complete-chain', 'mandate'],
    says: 'gap: after',
  },
  {
    what: 'a mutation that was undone is claimed',
    tamper: (honest) =>
      claim(({ chain }) => ({
        chain: {
          ...chain,
          mutations: chain.mutations.toSpliced(1, 0, dataOf(honest, 'MutationKept', 1).mutationId),
        },
      }))(honest),
    fails: ['complete-chain', 'mandate'],
    says: 'gap: after',
  },
  {
    what: 'another program is claimed than the one that the mutations lead to',
    tamper: (honest) =>
      claim(({ chain }) => ({ chain: { ...chain, toTree: dataOf(honest, 'MutationKept').tree } }))(
        honest,
      ),
    fails: ['complete-chain', 'scored-predictions'],
    says: 'the finding claims',
  },
  {
    what: 'a mutation starts from another tree than the one that stands',
    tamper: change('MutationReverted', () => ({ toTree: OTHER })),
    fails: ['complete-chain'],
    says: `is ${OTHER}`,
  },
  {
    what: 'a kept mutation is taken out of the log',
    tamper: remove('MutationKept', -1),
    fails: [
      'complete-chain',
      'restore-points',
      'training-signatures',
      'mutations',
      'monitor',
      'sealed-look',
      'scored-predictions',
    ],
    says: 'has no decision',
  },
  {
    what: 'a restore point is absent',
    tamper: remove('RestorePointTaken', -1),
    fails: ['restore-points', 'cutover-audit'],
    says: 'has no restore point',
  },
  {
    what: 'a restore point is of another state',
    tamper: (honest) =>
      change(
        'RestorePointTaken',
        () => ({
          tree: opened(honest).pins.tree,
          commit: opened(honest).pins.pinCommit,
        }),
        -1,
      )(honest),
    fails: ['restore-points'],
    says: 'the restore point of',
  },
  {
    what: "a restore point's snapshot is absent",
    tamper: lose((honest) => dataOf(honest, 'RestorePointTaken', -1).commit),
    fails: ['objects', 'mutations'],
    says: 'is absent',
  },
  {
    what: 'the source proof is absent',
    tamper: lose((honest) => opened(honest).pins.proof),
    fails: ['source-pinned', 'objects'],
    says: 'is absent',
  },
  {
    what: 'the source tree is not that of the pinned commit',
    tamper: change('RunOpened', ({ pins }) => ({ pins: { ...pins, commit: OTHER } })),
    fails: ['source-pinned'],
    says: 'the hash of the source commit',
  },
  {
    what: 'the program is at another path of the source commit',
    tamper: change('RunOpened', ({ pins }) => ({ pins: { ...pins, path: 'pay/other' } })),
    fails: ['source-pinned'],
    says: 'has no folder pay/other',
  },
  {
    what: 'the pin commit is absent',
    tamper: lose((honest) => opened(honest).pins.pinCommit),
    fails: ['source-pinned', 'objects'],
    says: 'the pin commit',
  },
  {
    what: 'the finding names another source',
    tamper: claim(({ chain }) => ({ chain: { ...chain, sourceCommit: OTHER } })),
    fails: ['source-pinned'],
    says: "the finding's source commit",
  },
  {
    what: 'the run is opened twice',
    tamper: (honest) => ({ ...honest, run: [...honest.run.slice(0, 1), ...honest.run] }),
    fails: ['source-pinned', 'gates'],
    says: 'expected event 0 alone',
  },
  {
    what: 'a cutover entry is missing',
    tamper: remove('MutationCutOver', -1),
    fails: ['complete-chain', 'cutover-audit', 'training-signatures', 'keep-rulings'],
    says: 'without a cutover entry',
  },
  {
    what: 'a cutover entry points to another restore point',
    tamper: change('MutationCutOver', () => ({ restorePointId: 'elsewhere' })),
    fails: ['cutover-audit'],
    says: 'restore point is elsewhere',
  },
  {
    what: 'a cutover entry says another change',
    tamper: change('MutationCutOver', () => ({ summary: 'nothing much' })),
    fails: ['cutover-audit'],
    says: 'what changed',
  },
  {
    what: 'a file of the source tree is absent',
    tamper: lose(firstFile((honest) => opened(honest).pins.tree)),
    fails: ['objects', 'mutations'],
    says: 'architecture.json in the tree of the source (blob',
  },
  {
    what: 'a file of the claimed program is altered',
    tamper: alter(firstFile((honest) => honest.finding.data.chain.toTree)),
    fails: ['objects', 'mutations'],
    says: 'is altered: it hashes to',
  },
  {
    what: 'the commit of a discarded attempt is absent',
    tamper: lose((honest) => dataOf(honest, 'MutationProposed', 2).proposedCommit),
    fails: ['objects', 'mutations'],
    says: 'the attempt',
  },
  {
    what: 'predictions are altered',
    tamper: alter((honest) => dataOf(honest, 'TrainingCompleted', -1).predictions.oid),
    fails: ['objects'],
    says: 'is altered',
  },
  {
    what: 'the scored predictions hash to something else',
    tamper: claim(({ predictions }) => ({
      predictions: predictions.map((ref) => ({ ...ref, sha256: 'cd'.repeat(32) })),
    })),
    fails: ['objects', 'scored-predictions'],
    says: 'SHA-256 of predictions.csv of the finding',
  },
  {
    what: 'the scored predictions are of another training',
    tamper: (honest) =>
      claim(() => ({ predictions: [dataOf(honest, 'TrainingCompleted', 2).predictions] }))(honest),
    fails: ['scored-predictions'],
    says: 'are of neither program',
  },
  {
    what: "the claimed program's predictions were not scored",
    tamper: claim(({ predictions }) => ({ predictions: predictions.slice(0, 1) })),
    fails: ['scored-predictions'],
    says: 'were not scored',
  },
  {
    what: 'a training ran with another seed than its turn',
    // The launch of the first replicate stands between the first two candidates'.
    tamper: change('TrainingLaunched', ({ seed }) => ({ seed: seed + 1 }), 2),
    fails: ['training-signatures'],
    says: 'seed is 8, expected 7',
  },
  {
    what: 'two mutations share a hypothesis',
    tamper: (honest) =>
      change(
        'MutationProposed',
        () => ({ hypothesisId: dataOf(honest, 'MutationProposed', 0).hypothesisId }),
        1,
      )(honest),
    fails: ['charges'],
    says: 'was not paid or was used before',
  },
  {
    what: 'a restore point says another budget',
    tamper: change('RestorePointTaken', () => ({ budgetRemaining: 300 }), 1),
    fails: ['charges'],
    says: 'the budget at the restore point',
  },
  {
    what: 'a charge is cheaper than the policy',
    tamper: change('BudgetCharged', () => ({ cost: 1 })),
    fails: ['charges'],
    says: 'cost is 1, expected 5',
  },
  {
    what: 'a charge leaves more than it should',
    tamper: change('BudgetCharged', ({ remaining }) => ({ remaining: remaining + 5 }), 3),
    fails: ['charges'],
    says: 'remaining is',
  },
  {
    what: 'a charge is left out',
    tamper: remove('BudgetCharged', 1),
    fails: ['charges'],
    says: 'was not charged',
  },
  {
    what: 'a charge stands twice',
    tamper: repeat('BudgetCharged', 2),
    fails: ['charges'],
    says: 'pays for nothing',
  },
  {
    what: 'a mutation is charged for a cheaper domain than it touches',
    tamper: change('MutationProposed', () => ({ measuredDomain: 'hyperparameter' as const })),
    fails: ['cutover-audit', 'mutations', 'charges'],
    says: 'the measured domain',
  },
  {
    what: 'a changed file is said to be classified as another domain',
    tamper: change('MutationProposed', ({ files }) => ({
      files: files.map((file) => ({ ...file, domain: 'hyperparameter' as const })),
    })),
    fails: ['mutations', 'charges'],
    says: 'of features.json of',
  },
  {
    what: 'a changed file is said to be of another language',
    tamper: change('MutationProposed', ({ files }) => ({
      files: files.map((file) => ({ ...file, language: 'text' as const })),
    })),
    fails: ['mutations'],
    says: 'the language of features.json',
  },
  {
    what: 'a kept file holds no JSON',
    tamper: rewrite('{"seed":'),
    fails: ['mutations'],
    says: "which can't be read: line 1",
  },
  {
    what: 'the tree changes a fixed file that the event does not name',
    tamper: retree((honest, tree) =>
      honest.git.tree({ ...filesOf(honest, tree), 'train.js': '// scores well\n' }),
    ),
    fails: ['mutations'],
    says: 'differ by train.js modified',
  },
  {
    what: 'the tree holds a file more than the event names',
    tamper: retree((honest, tree) =>
      honest.git.tree({
        ...filesOf(honest, tree),
        'lib/': honest.git.tree({ 'more.js': '// more\n' }),
      }),
    ),
    fails: ['mutations'],
    says: 'differ by lib/more.js added (nothing → ',
  },
  {
    what: 'the tree lacks a file that the event does not name',
    tamper: retree((honest, tree) => {
      const { 'train.js': _, ...rest } = filesOf(honest, tree);
      return honest.git.tree(rest);
    }),
    fails: ['mutations'],
    says: 'differ by train.js deleted',
  },
  {
    what: 'the event names a file that the trees share',
    tamper: (honest) =>
      change('MutationProposed', ({ files }) => ({
        files: files.map((file) => ({ ...file, before: OTHER })),
      }))(honest),
    fails: ['mutations'],
    says: "by which its trees don't differ",
  },
  {
    what: 'the event names a file twice',
    tamper: change('MutationProposed', ({ files }) => ({ files: [...files, ...files] })),
    fails: ['mutations'],
    says: 'names a file twice',
  },
  {
    what: 'a feature is charged as a hyperparameter, by every event that speaks of it',
    tamper: () => undercharged(honestRun(workshop, ['kept'])),
    fails: ['mutations', 'keep-rulings'],
    says: 'differ by features.json modified',
  },
  {
    what: 'a kept file sets a protected parameter',
    tamper: rewrite('{"seed":4}\n'),
    fails: ['mutations'],
    says: 'breaches protected-parameters: found features.json:1 sets seed',
  },
  {
    what: 'a kept file is longer than the policy allows',
    tamper: rewrite(' '.repeat(70_000)),
    fails: ['mutations'],
    says: 'breaches bounded-size',
  },
  {
    what: 'a kept file is runnable',
    tamper: rebyte('100644 features.json', '100755 features.json'),
    fails: ['mutations'],
    says: 'breaches regular-files-only: found features.json with mode 100755',
  },
  {
    what: 'a tree holds a name twice',
    tamper: retree(({ git }, tree) => {
      const bytes = Buffer.from(git.content(tree));
      const at = bytes.indexOf('100644 train.js');
      return git.raw('tree', Buffer.concat([bytes, bytes.subarray(at)]));
    }),
    fails: ['mutations'],
    says: 'is none that git writes',
  },
  {
    what: 'the commit of an attempt follows another commit',
    tamper: recommit((honest) =>
      honest.git.commit(
        lastKept(honest).proposedTree,
        opened(honest).pins.pinCommit,
        'from the source',
      ),
    ),
    fails: ['mutations'],
    says: 'parent is ',
  },
  {
    what: 'the commit of an attempt holds another tree',
    tamper: recommit((honest) => {
      const { baseTree, baseCommit } = lastKept(honest);
      return honest.git.commit(baseTree, baseCommit, 'nothing');
    }),
    fails: ['objects', 'mutations'],
    says: 'tree is ',
  },
  {
    what: 'an attempt says another base commit',
    tamper: change('MutationProposed', () => ({ baseCommit: OTHER })),
    fails: ['mutations'],
    says: `the base commit of`,
  },
  {
    what: 'a breach is charged',
    tamper: (honest) => {
      const { mutationId } = dataOf(honest, 'MutationProposed');
      const breach = { ...halt.data, by: 'mid-loop' as const, mutationId };
      return insertAfter('BudgetCharged', { type: 'RunHalted', data: breach }, 1)(honest);
    },
    fails: ['charges', 'not-halted'],
    says: 'was charged for a breach',
  },
  {
    what: 'the loop says that it spent less',
    tamper: change('LoopEnded', ({ spent }) => ({ spent: spent - 5 })),
    fails: ['charges'],
    says: 'what the loop says it spent',
  },
  {
    what: "a chart's sum is smaller than it recomputes to",
    tamper: change(
      'MetricObserved',
      ({ charts }) => ({ charts: charts.map((reading) => ({ ...reading, upper: 0 })) }),
      LARGE,
    ),
    fails: ['monitor'],
    says: 'upper of gain is 0',
  },
  {
    what: 'what was charted is not what was observed',
    tamper: change(
      'MetricObserved',
      ({ charts }) => ({ charts: charts.map((reading) => ({ ...reading, x: 0 })) }),
      2,
    ),
    fails: ['monitor'],
    says: 'x of gain is 0',
  },
  {
    what: 'a trigger is left unresolved',
    tamper: (honest) => remove('RunReverted')(remove('DivergenceDetected')(honest)),
    fails: [
      'complete-chain',
      'restore-points',
      'training-signatures',
      'mutations',
      'monitor',
      'sealed-look',
    ],
    says: 'is unresolved',
  },
  {
    what: 'a revert goes back less far than to the last stable state',
    tamper: (honest) => {
      const { tree, commit, trainingId, metric } = dataOf(honest, 'MutationKept', 1);
      return change('RunReverted', ({ undone }) => ({
        toTree: tree,
        toCommit: commit,
        toTrainingId: trainingId,
        toMetric: metric,
        undone: undone.slice(1),
      }))(honest);
    },
    fails: [
      'complete-chain',
      'restore-points',
      'training-signatures',
      'mutations',
      'monitor',
      'sealed-look',
    ],
    says: 'the last stable state: tree',
  },
  {
    what: 'a divergence is made up',
    tamper: repeat('DivergenceDetected'),
    fails: ['monitor'],
    says: 'unresolved: DivergenceDetected follows',
  },
  {
    what: "a ruling's threshold is lowered",
    tamper: change('MutationKept', ({ ruling }) => ({ ruling: { ...ruling, threshold: 1 } })),
    fails: ['keep-rulings'],
    says: 'threshold is 1',
  },
  {
    what: 'noise is kept',
    tamper: (honest) => {
      const at = place(honest.run, 'MutationKept', -1);
      const { mutationId } = dataOf(honest, 'MutationKept', -1);
      const run = honest.run.map((fact, index) => {
        if (index >= at || fact.type !== 'MetricObserved') return fact;
        const data = fact.data as DataOf<'MetricObserved'>;
        const { difference } = data.observation;
        if (data.mutationId !== mutationId || difference === null) return fact;
        if (data.purpose !== 'replicate' || data.overSeeds === null) return fact;
        const noisy = { ...data.overSeeds, standardError: 1 };
        return {
          ...fact,
          data: {
            ...data,
            overSeeds: noisy,
          },
        };
      });
      return { ...honest, run };
    },
    fails: ['keep-rulings'],
    says: 'was kept with z',
  },
  {
    what: 'the first look at a kept mutation shows noise',
    tamper: change(
      'MetricObserved',
      ({ overSeeds }) => ({ overSeeds: overSeeds && { ...overSeeds, standardError: 1 } }),
      FIRST_CANDIDATE,
    ),
    fails: ['keep-rulings'],
    says: 'trained with another seed, which its first look did not ask for',
  },
  {
    what: "a replicate's difference is flipped",
    tamper: change(
      'MetricObserved',
      ({ observation }) => ({
        observation: {
          ...observation,
          difference: observation.difference && {
            ...observation.difference,
            value: -observation.difference.value,
          },
        },
      }),
      FIRST_REPLICATE,
    ),
    fails: ['keep-rulings'],
    says: 'over 2 seeds is -0.0',
  },
  {
    what: 'the difference over seeds is better than that of the seeds',
    tamper: change(
      'MetricObserved',
      ({ overSeeds }) => ({ overSeeds: overSeeds && { ...overSeeds, value: -0.05 } }),
      FIRST_REPLICATE,
    ),
    fails: ['keep-rulings'],
    says: 'over 2 seeds is -0.05, expected -0.009995',
  },
  {
    what: 'the difference that a keep rests on is surer than it can be',
    tamper: change(
      'MetricObserved',
      ({ overSeeds }) => ({ overSeeds: overSeeds && { ...overSeeds, standardError: 0.0009 } }),
      FIRST_CANDIDATE,
    ),
    fails: ['keep-rulings'],
    says: 'over 1 seed: its standard error is 0.0009, expected at least 0.001',
  },
  {
    what: 'a replicate is dropped',
    tamper: withoutTraining('replicate'),
    fails: ['monitor', 'keep-rulings'],
    says: 'was ruled on after 1 of 2 seeds',
  },
  {
    what: "a replicate's metric is dropped, its training is not",
    tamper: remove('MetricObserved', FIRST_REPLICATE),
    fails: ['training-signatures', 'monitor', 'keep-rulings'],
    says: 'was never measured',
  },
  {
    what: 'a replicate ran with a seed that was chosen',
    tamper: change('TrainingLaunched', () => ({ seed: 99 }), 3),
    fails: ['training-signatures'],
    says: 'seed is 99, expected 8',
  },
  {
    what: 'a re-measurement ran with a seed that was chosen',
    tamper: (honest) =>
      change('TrainingLaunched', () => ({ seed: 99 }), nthLaunch(honest, 'remeasurement'))(honest),
    fails: ['training-signatures'],
    says: 'seed is 99, expected 9',
  },
  {
    what: 'a re-measurement is of another program than the one that stands',
    tamper: (honest) =>
      change(
        'TrainingLaunched',
        () => ({ tree: opened(honest).pins.tree }),
        nthLaunch(honest, 'remeasurement'),
      )(honest),
    fails: ['training-signatures'],
    says: 'tree is',
  },
  {
    what: 'a re-measurement that was due is skipped',
    tamper: withoutTraining('remeasurement'),
    fails: ['training-signatures', 'monitor'],
    says: 'a re-measurement of the incumbent was due after 3 decided mutations',
  },
  {
    what: "a re-measurement's reading is dropped, its training is not",
    tamper: remove('MetricObserved', FIRST_REMEASUREMENT),
    fails: ['training-signatures'],
    says: 'was never measured',
  },
  {
    what: 'a re-measurement is made up where none was due',
    tamper: (honest) => {
      const at = nthLaunch(honest, 'remeasurement');
      const from = place(honest.run, 'TrainingLaunched', at);
      return {
        ...honest,
        run: honest.run.toSpliced(from, 0, ...honest.run.slice(from, from + 3)),
      };
    },
    fails: ['training-signatures', 'monitor'],
    says: 'which was not due',
  },
  {
    what: 'a re-measurement reads calmer than it was',
    tamper: change(
      'MetricObserved',
      ({ charts }) => ({ charts: charts.map((reading) => ({ ...reading, x: 0 })) }),
      FIRST_REMEASUREMENT,
    ),
    fails: ['monitor'],
    says: 'x of stability is 0',
  },
  {
    what: 'a re-measurement is passed off as a replicate',
    tamper: change(
      'MetricObserved',
      () => ({ purpose: 'replicate' as const }),
      FIRST_REMEASUREMENT,
    ),
    fails: ['training-signatures', 'monitor', 'keep-rulings'],
    says: 'is replicate, expected remeasurement',
  },
  {
    what: 'the seeds are said to move the metric less',
    tamper: change('BaselineEstablished', () => ({ seedDeviation: 0 })),
    fails: ['keep-rulings'],
    says: 'deviation between seeds',
  },
  {
    what: 'the pre-loop gate is missing',
    tamper: remove('GatePassed'),
    fails: ['gates'],
    says: 'the pre-loop gate passed 0 times',
  },
  {
    what: 'the pre-loop gate left a rule of the policy out',
    tamper: change('GatePassed', ({ checks }) => ({ checks: checks.slice(1) }), 0),
    fails: ['gates'],
    says: 'the pre-loop gate: rules',
  },
  {
    what: 'a mid-loop gate is missing',
    tamper: remove('GatePassed', 1),
    fails: ['charges', 'gates'],
    says: 'without its mid-loop gate',
  },
  {
    what: 'a post-loop gate is missing',
    tamper: (honest) => ({
      ...honest,
      run: honest.run.filter(
        ({ type, data }) =>
          type !== 'GatePassed' || (data as DataOf<'GatePassed'>).gate !== 'post-loop',
      ),
    }),
    fails: ['gates'],
    says: 'without its post-loop gate',
  },
  {
    what: 'a run of today was driven by the rules of version 1 from its first event on',
    tamper: (honest) => honestRun(workshop, ['kept'], { ...opened(honest).policy, version: 1 }),
    fails: ['gates'],
    says: 'the version of the policy in a RunOpened of version 2 is 1, expected 2',
  },
  ...[0, 1.5, 3].map((version): Case => ({
    what: `a run of today pins a policy of version ${version}`,
    tamper: (honest) => {
      const policy = { ...opened(honest).policy, version: version as 1 };
      const policyDigest = pinnedDigest(policy, workshop.sha256);
      const pinned = change('RunOpened', ({ pins }) => ({
        policy,
        pins: { ...pins, policyDigest },
      }))(honest);
      return {
        ...pinned,
        run: pinned.run.map((fact) =>
          fact.type === 'GatePassed'
            ? { ...fact, data: { ...(fact.data as object), policyDigest } }
            : fact,
        ),
      };
    },
    fails: version < 1 ? ['gates', 'sealed-look'] : ['gates'],
    says: `the version of the policy in a RunOpened of version 2 is ${version}, expected 2`,
  })),
  {
    what: 'a run that was opened under version 1 pins a policy of version 2',
    tamper: () => {
      const old = oldRun(workshop, ['kept']);
      const policy = { ...opened(old).policy, version: 2 as const };
      const policyDigest = pinnedDigest(policy, workshop.sha256);
      return change('RunOpened', ({ pins }) => ({ policy, pins: { ...pins, policyDigest } }))(old);
    },
    fails: ['data-pinned', 'mutations', 'charges', 'keep-rulings', 'gates', 'sealed-look'],
    says: 'the version of the policy in a RunOpened of version 1 is 2, expected 1',
  },
  {
    what: 'a gate passed under another policy',
    tamper: change('GatePassed', () => ({ policyDigest: 'cd'.repeat(32) }), 1),
    fails: ['gates'],
    says: 'the mid-loop gate of',
  },
  {
    what: 'a gate passed with a failed check',
    tamper: change(
      'GatePassed',
      ({ checks }) => ({ checks: checks.map((check) => ({ ...check, passed: false })) }),
      1,
    ),
    fails: ['gates'],
    says: 'mutable-files-only failed',
  },
  {
    what: 'the fairness report does not carry the post-loop gate',
    tamper: change('FairnessMeasured', ({ report }) => ({
      report: {
        ...report,
        measures: report.measures.map((one) => ({ ...one, value: 0.2, passed: false })),
      },
    })),
    fails: ['gates'],
    says: 'the post-loop gate of',
  },
  {
    what: 'the figures of the fairness report do not follow from its counts',
    tamper: change('FairnessMeasured', ({ report }) => ({
      report: {
        ...report,
        groups: report.groups.map((group, at) => (at === 0 ? { ...group, favoured: 6000 } : group)),
      },
    })),
    fails: ['gates'],
    says: 'the counts give',
  },
  {
    what: 'the interval of the fairness report is narrower than its counts allow',
    tamper: change('FairnessMeasured', ({ report }) => ({
      report: {
        ...report,
        measures: report.measures.map((one) => ({
          ...one,
          interval: one.interval && { ...one.interval, lower: one.value ?? 0 },
        })),
      },
    })),
    fails: ['gates'],
    says: 'the counts give',
  },
  {
    what: 'the fairness report is of another training',
    tamper: change('FairnessMeasured', () => ({ trainingId: 'another-training' })),
    fails: ['gates'],
    says: 'the training of the fairness report of',
  },
  {
    what: 'a protected group is left out of the fairness report',
    tamper: change('FairnessMeasured', ({ report }) => ({
      report: { ...report, groups: report.groups.slice(1) },
    })),
    fails: ['gates'],
    says: 'expected those of the policy',
  },
  {
    what: 'the fairness report counts more favoured people than there are',
    tamper: change('FairnessMeasured', ({ report }) => ({
      report: {
        ...report,
        groups: report.groups.map((group) => ({ ...group, people: 10 })),
      },
    })),
    fails: ['gates'],
    says: 'that no people can have',
  },
  {
    what: 'the policy is not the pinned one',
    tamper: change('RunOpened', ({ policy }) => ({
      policy: { ...policy, study: { ...policy.study, title: 'x' } },
    })),
    fails: ['gates'],
    says: 'the digest of the policy',
  },
  {
    what: 'the environment is not the pinned one',
    tamper: change('RunOpened', ({ environment }) => ({
      environment: { ...environment, platform: 'x' },
    })),
    fails: ['environment-pinned'],
    says: 'the digest of the environment',
  },
  {
    what: 'the run says that it was forked from one that nobody knows',
    tamper: change('RunOpened', ({ pins }) => ({
      forkedFrom: { runId: 'r0', mutationId: null, commit: pins.pinCommit, tree: pins.tree },
    })),
    fails: ['fork-point'],
    says: 'the study counted no run r0 before this one',
  },
  {
    what: 'the run was forked from a state that no finding leads to',
    tamper: (honest) =>
      study(([registered, ...more]) => [
        ...(registered === undefined ? [] : [registered]),
        { type: 'RunCounted', data: { runId: 'r0', number: 1, seed: 7 } },
        ...more,
      ])(
        looked({ runs: 2 })(
          change('RunOpened', ({ pins }) => ({
            forkedFrom: { runId: 'r0', mutationId: 'm0', commit: pins.pinCommit, tree: pins.tree },
          }))(honest),
        ),
      ),
    fails: ['fork-point'],
    says: 'no finding of r0 leads to',
  },
  {
    what: 'a fork of the source starts elsewhere',
    tamper: change('RunOpened', ({ pins }) => ({
      forkedFrom: { runId: 'r0', mutationId: null, commit: pins.pinCommit, tree: OTHER },
    })),
    fails: ['fork-point', 'complete-chain', 'objects', 'training-signatures'],
    says: 'the tree of a fork from the source is',
  },
  {
    what: 'the data is not what the study committed',
    tamper: change('RunOpened', ({ pins }) => ({ pins: { ...pins, dataDigest: 'cd'.repeat(32) } })),
    fails: ['data-pinned', 'sealed-look'],
    says: 'committed no split',
  },
  {
    what: 'the split is another',
    tamper: change('RunOpened', ({ pins }) => ({
      pins: { ...pins, splitCommitment: 'cd'.repeat(32) },
    })),
    fails: ['data-pinned'],
    says: 'the split commitment',
  },
  {
    what: 'the split was committed after the run',
    tamper: study(([a, split, counted, ...rest]) => [a, counted, split, ...rest] as Fact[]),
    fails: ['data-pinned'],
    says: 'after the run was counted',
  },
  {
    what: 'the split was ground: committed twice',
    tamper: study(([a, split, ...rest]) => [a, split, split, ...rest] as Fact[]),
    fails: ['data-pinned'],
    says: 'committed twice',
  },
  {
    what: 'fewer people left the vault than the base table holds',
    tamper: change('RunOpened', ({ cohorts }) => ({
      cohorts: cohorts && {
        ...cohorts,
        released: { cells: 2, people: 4000 },
        people: { train: 4000, dev: 2000, check: 1500, sealed: 1000 },
      },
    })),
    fails: ['data-pinned'],
    says: 'the released people is 5000, expected 4000',
  },
  {
    what: 'nobody was set on the release',
    tamper: change('RunOpened', ({ cohorts }) => ({
      cohorts: cohorts && { ...cohorts, audit: null },
    })),
    fails: ['data-pinned'],
    says: 'the release was not audited',
  },
  {
    what: "a training's result is not what its worker signed",
    tamper: change('TrainingCompleted', () => ({ steps: 9 })),
    fails: ['training-signatures'],
    says: 'the signature of training',
  },
  {
    what: 'a failure is not what its worker signed',
    tamper: change('TrainingFailed', () => ({ durationMs: 1 })),
    fails: ['training-signatures'],
    says: 'the signature of training',
  },
  {
    what: 'a training has a second result',
    tamper: repeat('TrainingCompleted', 3),
    fails: ['training-signatures'],
    says: 'which was not under way',
  },
  {
    what: 'a metric is of no training',
    tamper: remove('TrainingCompleted', 3),
    fails: ['training-signatures'],
    says: 'not the one just completed',
  },
  {
    what: 'the key of an enlisted worker is taken out of the log',
    tamper: remove('WorkerEnlisted'),
    fails: ['training-signatures'],
    says: 'which is neither pinned nor enlisted',
  },
  {
    what: 'an enlisted worker gets another key under its id',
    tamper: change('WorkerEnlisted', () => ({ publicKey: named(generateKey()).publicKey })),
    fails: ['training-signatures'],
    says: "the id of the enlisted worker's key",
  },
  {
    what: 'what is enlisted is no key',
    tamper: change('WorkerEnlisted', () => ({ publicKey: 'AAAA' })),
    fails: ['training-signatures'],
    says: 'with what is no public key',
  },
  {
    what: 'another worker is enlisted than the one that signed',
    tamper: change('WorkerEnlisted', () => named(generateKey())),
    fails: ['training-signatures'],
    says: 'enlisted for it',
  },
  {
    what: 'a worker is enlisted only after its result',
    tamper: (honest) => {
      const at = place(honest.run, 'WorkerEnlisted', 0);
      const [enlisted, result] = honest.run.slice(at, at + 2) as [Fact, Fact];
      return { ...honest, run: honest.run.toSpliced(at, 2, result, enlisted) };
    },
    fails: ['training-signatures'],
    says: 'is enlisted with no training under way',
  },
  {
    what: 'the pinned worker is enlisted under another key',
    tamper: (honest) =>
      insertAfter('TrainingLaunched', {
        type: 'WorkerEnlisted',
        data: {
          keyId: opened(honest).keys.worker.keyId,
          publicKey: named(generateKey()).publicKey,
        },
      })(honest),
    fails: ['training-signatures'],
    says: 'was known when it was enlisted',
  },
  {
    what: 'a worker is enlisted that signs nothing',
    tamper: insertAfter(
      'MetricObserved',
      {
        type: 'WorkerEnlisted',
        data: named(generateKey()),
      },
      -1,
    ),
    fails: ['training-signatures'],
    says: 'is enlisted and signs nothing',
  },
  {
    what: 'the policy demands a layer that no training had',
    tamper: change('RunOpened', ({ policy }) => ({
      policy: { ...policy, sandbox: { minimum: [...policy.sandbox.minimum, 'landlock'] as const } },
    })),
    fails: ['isolation', 'gates'],
    says: 'ran without landlock',
  },
  {
    what: 'a training ran without a layer that the policy demands',
    tamper: change('TrainingCompleted', () => ({ isolation: { layers: 'no-network' } }), 1),
    fails: ['isolation', 'training-signatures'],
    says: 'ran without seccomp',
  },
  {
    what: "a training's record names no layers",
    tamper: change('TrainingTimedOut', () => ({ isolation: {} })),
    fails: ['isolation', 'training-signatures'],
    says: 'ran without no-network, seccomp',
  },
  {
    what: 'a program that ran is said to have been none',
    tamper: change('TrainingCompleted', () => ({ isolation: { executor: 'none' } })),
    fails: ['isolation', 'training-signatures'],
    says: 'ran without no-network, seccomp',
  },
  {
    what: 'the sealed rows were not opened for this run',
    tamper: study((facts) => facts.slice(0, -1)),
    fails: ['sealed-look'],
    says: 'counted no look',
  },
  {
    what: 'the sealed rows were opened twice for this run',
    tamper: study((facts) => [
      ...facts,
      { type: 'SealedRowsOpened', data: { runId: 'r1', look: 2 } },
    ]),
    fails: ['sealed-look'],
    says: 'opened twice',
  },
  {
    what: 'the finding says another look',
    tamper: claim(() => ({ sealedLook: 2 })),
    fails: ['sealed-look'],
    says: "the finding's look is 2, expected 1",
  },
  {
    what: 'a look says that it was the first at the data, and its interval is narrower',
    tamper: looked({ ofData: 1 }),
    fails: ['sealed-look'],
    says: "the claim's look at the data is 1, expected 2",
  },
  {
    what: 'a look says another number in its study',
    tamper: looked({ ofStudy: 2 }),
    fails: ['sealed-look'],
    says: "the claim's look of the study is 2, expected 1",
  },
  {
    what: 'a look says more runs than were counted',
    tamper: looked({ runs: 4 }),
    fails: ['sealed-look'],
    says: "the study's runs by then is 4, expected 1",
  },
  {
    what: 'a look says less spend than was counted',
    tamper: looked({ spent: 0 }),
    fails: ['sealed-look'],
    says: "the study's spend by then is 0, expected",
  },
  {
    what: 'a look says fewer claims than share it',
    tamper: looked({ claims: 1 }),
    fails: ['sealed-look'],
    says: 'the claims of the look is 1, expected 4',
  },
  {
    what: 'a look is at other data',
    tamper: looked({ dataDigest: 'cd'.repeat(32) }),
    fails: ['sealed-look'],
    says: `the claim's data is ${'cd'.repeat(32)}`,
  },
  {
    what: 'the interval is narrower than its look asks for',
    tamper: claimed(({ interval }) => ({
      interval: { ...interval, lower: interval.lower + 1e-6 },
    })),
    fails: ['sealed-look'],
    says: "the interval's lower end is",
  },
  {
    what: 'the interval is said to hold at another level',
    tamper: claimed(({ interval }) => ({ interval: { ...interval, level: 0.99 } })),
    fails: ['sealed-look'],
    says: "the interval's level is 0.99, expected 0.95",
  },
  {
    what: 'the multiplier is another',
    tamper: claimed(({ look }) => ({ look: look && { ...look, multiplier: 1.96 } })),
    fails: ['sealed-look'],
    says: 'the multiplier is 1.96',
  },
  {
    what: 'the share of the look is another',
    tamper: claimed(({ look }) => ({ look: look && { ...look, share: 1 } })),
    fails: ['sealed-look'],
    says: 'the share of the look is 1',
  },
  {
    what: 'the look has a field for an individual',
    tamper: claimed(({ look }) => ({ look: look && { ...look, person: 'p1' } })),
    fails: ['mandate'],
    says: 'the look has a field person',
  },
  {
    what: 'the claim goes back to the rule of version 1',
    tamper: claimed(() => ({ look: null })),
    fails: ['data-pinned', 'sealed-look'],
    says: 'the claim says no look that its interval is corrected for',
  },
  {
    what: "another study's look at the same data is taken out",
    tamper: ofData(([split, table, , ours]) => [split, table, ours].flatMap((fact) => fact ?? [])),
    fails: ['sealed-look'],
    says: 'the number of look 1 at the data is 2, expected 1',
  },
  {
    what: 'no look was counted for the data',
    tamper: ofData((facts) => facts.slice(0, -1)),
    fails: ['sealed-look'],
    says: 'no look of this run was counted for its data',
  },
  {
    what: 'the data were looked at twice for this run',
    tamper: ofData((facts) => [
      ...facts,
      { type: 'LookCounted', data: { ...(facts.at(-1)?.data as object), look: 3 } },
    ]),
    fails: ['sealed-look'],
    says: 'two looks of this run were counted for its data',
  },
  {
    what: 'the stream of the data is gone',
    tamper: ofData(() => []),
    fails: ['hash-chain', 'data-pinned', 'sealed-look'],
    says: 'has no events',
  },
  {
    what: 'a study spent more than it said when it looked',
    tamper: study((facts) => facts.filter(({ type }) => type !== 'SpendCounted')),
    fails: ['sealed-look'],
    says: "the study's spend by then is",
  },
  {
    what: 'another base table of the same rows left before',
    tamper: ofData(([split, table, ...looks]) => [
      ...[split, table].flatMap((fact) => fact ?? []).slice(0, 1),
      {
        type: 'TableFixed',
        data: { ...(table?.data as object), runId: 'r0', table: 'f'.repeat(64) },
      },
      ...[table, ...looks].flatMap((fact) => fact ?? []),
    ]),
    fails: ['data-pinned'],
    says: 'run r0 released another base table of the same rows before',
  },
  {
    what: 'no split was fixed for the data',
    tamper: ofData((facts) => facts.filter(({ type }) => type !== 'SplitFixed')),
    fails: ['data-pinned'],
    says: 'no split was fixed for the data',
  },
  {
    what: 'the split of the data was fixed twice',
    tamper: ofData(([split, ...rest]) => [split, split, ...rest].flatMap((fact) => fact ?? [])),
    fails: ['data-pinned'],
    says: 'the split of the data was fixed twice',
  },
  {
    what: 'the base table was not said before it left',
    tamper: ofData((facts) => facts.filter(({ type }) => type !== 'TableFixed')),
    fails: ['data-pinned'],
    says: 'was not said before it was released',
  },
  {
    what: 'the shares of the split are not those that were fixed for the data',
    tamper: ofData(([split, ...looks]) => [
      {
        type: 'SplitFixed',
        data: {
          ...(split?.data as object),
          split: { train: 10, dev: 10, check: 10, sealed: 70 },
        },
      },
      ...looks,
    ]),
    fails: ['data-pinned'],
    says: 'the split fixed for the data is',
  },
  {
    what: 'the run was halted',
    tamper: insertAfter('BaselineEstablished', halt),
    fails: ['not-halted'],
    says: 'SYSTEM HALT: enough',
  },
  {
    what: 'the agent was not kept apart',
    tamper: change('RunOpened', () => ({ governance: { governed: false, reason: 'same user' } })),
    fails: ['governed'],
    says: 'ungoverned: same user; not accepted',
  },
  {
    what: 'the claim has a field for an individual',
    tamper: claim((data) => ({ claim: { ...data.claim, person: 'p1' } as typeof data.claim })),
    fails: ['mandate'],
    says: 'the claim has a field person',
  },
  {
    what: 'the claim rests on too few people',
    tamper: claim((data) => ({ claim: { ...data.claim, n: 10 } })),
    fails: ['mandate'],
    says: 'n is 10, expected at least 11',
  },
  {
    what: 'the statement says more than the claim',
    tamper: claim((data) => ({ statement: `${data.statement} Deploy it.` })),
    fails: ['mandate'],
    says: 'the statement is',
  },
  {
    what: 'an event is of an unknown type',
    tamper: (honest) => ({
      ...honest,
      run: honest.run.toSpliced(place(honest.run, 'HypothesisProposed', 0), 0, {
        type: 'Blessed',
        data: {},
      }),
    }),
    fails: ['known-events'],
    says: 'Blessed, which is no event of a run',
  },
  {
    what: 'the study is empty',
    tamper: study(() => []),
    fails: ['hash-chain', 'data-pinned', 'sealed-look'],
    says: 'study-pay has no events',
  },
];

describe('verifying an honest finding', () => {
  it('passes every row, and says what it found', async () => {
    const honest = make();
    const verdict = await verdictOn(sealed(workshop, honest), honest);
    expect(verdict.rows.filter(({ passed }) => !passed)).toEqual([]);
    expect(verdict.verdict).toBe('PASS');
    expect(verdict.rows.map(({ row }) => row)).toEqual(CHECKS.map(({ row }) => row));
    expect(verdict.rows.every(({ found, expected }) => found !== '' && expected !== '')).toBe(true);
    expect(verdict.trust).toBe('self-signed, unanchored');
  });

  it('holds every kind of decision, so that the cases below are not about nothing', () => {
    const types = new Set(make().run.map(({ type }) => type));
    for (const type of [
      'MutationKept',
      'MutationReverted',
      'RunReverted',
      'TrainingFailed',
      'WorkerEnlisted',
    ])
      expect(types).toContain(type);
    const purposes = make().run.flatMap(({ type, data }) =>
      type === 'TrainingLaunched' ? [(data as DataOf<'TrainingLaunched'>).purpose] : [],
    );
    for (const purpose of ['baseline', 'candidate', 'replicate', 'remeasurement'])
      expect(purposes).toContain(purpose);
    for (const type of [
      'TrainingTimedOut',
      'ProposalRefused',
      'SecondaryMetricProposed',
      'BudgetExhausted',
    ])
      expect(types).toContain(type);
  });

  it('says how often each chart could be measured', async () => {
    const honest = make();
    const foundIn = async (run: HonestRun) =>
      (await verdictOn(sealed(workshop, run), run)).rows.find(({ row }) => row === 'monitor');
    expect((await foundIn(honest))?.found).toMatch(
      /^(\d+) observations: gain took \1 \(0 not measurable\), gap took \1 \(0 not measurable\), stability took 3 \(0 trainings failed\); 1 trigger,/,
    );
    // The gap's sums stand at zero in this run, so that nothing else follows from its absence.
    const blind = honest.run.map((fact) => {
      if (fact.type !== 'MetricObserved') return fact;
      const data = fact.data as DataOf<'MetricObserved'>;
      return {
        ...fact,
        data: {
          ...data,
          observation: { ...data.observation, gapChange: null },
          charts: data.charts.filter(({ chart }) => chart !== 'gap'),
        },
      };
    });
    expect(await foundIn({ ...honest, run: blind })).toMatchObject({
      passed: true,
      found: expect.stringMatching(/gap took 0 \([1-9]\d* not measurable\)/) as string,
    });
  });

  it('passes a run whose stability chart undid what was kept, and that kept more later', async () => {
    const honest = honestRun(workshop, ['kept', 'kept', 'kept-unstable', 'kept', 'kept']);
    const { run, finding } = honest;
    const reverts = run.flatMap(({ type, data }) =>
      type === 'RunReverted' ? [data as DataOf<'RunReverted'>] : [],
    );
    expect(reverts).toMatchObject([{ mutationId: null }]);
    const undone = reverts[0]?.undone ?? [];
    expect(undone).not.toEqual([]);
    const kept = run.filter(({ type }) => type === 'MutationKept').length;
    expect(finding.data.chain.mutations).toHaveLength(kept - undone.length);
    expect(run.map(({ type }) => type).lastIndexOf('MutationKept')).toBeGreaterThan(
      place(run, 'RunReverted', 0),
    );
    const { verdict, rows } = await verdictOn(sealed(workshop, honest), honest);
    expect(rows.filter(({ passed }) => !passed)).toEqual([]);
    expect(verdict).toBe('PASS');
  });

  it('passes an ungoverned run that the policy accepts', async () => {
    const honest = honestRun(workshop, ['kept'], {
      ...opened(make()).policy,
      governance: { acceptUngoverned: true },
    });
    const ungoverned = change('RunOpened', () => ({
      governance: { governed: false, reason: 'same user' },
    }))(honest);
    const { verdict, rows } = await verdictOn(sealed(workshop, ungoverned), ungoverned);
    expect(verdict).toBe('PASS');
    expect(rows.find(({ row }) => row === 'governed')?.found).toContain('accepted by the policy');
  });

  it('judges a run under version 1 by its rule: no look in the claim, no stream of the data', async () => {
    const old = oldRun(workshop, ['kept', 'discarded', 'kept']);
    expect(old.finding.data.claim.look).toBeNull();
    const streams = { ...sealed(workshop, old), dataEvents: [] };
    const { verdict, rows } = await verdictOn(streams, old);
    expect(rows.filter(({ passed }) => !passed)).toEqual([]);
    expect(verdict).toBe('PASS');
    const newer = claim(({ claim: one }) => {
      const { dataDigest } = opened(old).pins;
      const look = lookOf({
        ...{ dataDigest, ofStudy: 1, ofData: 1, runs: 1, spent: 0 },
        claims: 1,
      });
      const changed = { ...one, look };
      return { claim: changed, statement: statementOf(changed) };
    })(old);
    expect(failing(await verdictOn(sealed(workshop, newer), newer))).toEqual(['sealed-look']);
  });

  it('passes a step, compared with what stood before it', async () => {
    const honest = make();
    const stepped = claim((data) => {
      const { mutations } = data.chain;
      const before = honest.run.find(
        ({ type, data: one }) =>
          type === 'MutationKept' &&
          (one as DataOf<'MutationKept'>).mutationId === mutations.at(-2),
      )?.data as DataOf<'MutationKept'>;
      return {
        chain: { ...data.chain, fromTree: before.tree },
        claim: { ...data.claim, kind: 'step' },
      };
    })(honest);
    const { rows } = await verdictOn(sealed(workshop, stepped), stepped);
    expect(rows.find(({ row }) => row === 'complete-chain')).toMatchObject({ passed: true });
  });
});

describe('verifying a finding again', () => {
  const again = async (who: 'runner' | 'worker', claimed: (text: string) => string) => {
    const honest = make();
    const streams = sealed(workshop, honest);
    const { rows, verdict, trust } = await verdictOn(streams, honest);
    const proposed = streams.findingEvents[0];
    if (proposed === undefined) throw new Error('nothing was proposed');
    const { chain } = (JSON.parse(new TextDecoder().decode(proposed.canonical)) as FindingProposed)
      .data;
    const unsigned = { findingId: honest.findingId, verdict, rows, trust };
    const attested = verdictAttestation(unsigned, chain.runHead, claimed(proposed.hash));
    const data = { ...unsigned, signature: workshop.sign(who, 'verdict', attested) };
    const recorded = chained(
      'finding-f1',
      [{ type: 'FindingVerified', data }],
      workshop.sha256,
      { position: proposed.position + 1, prev: proposed.hash },
      1,
    );
    return verdictOn({ ...streams, findingEvents: [proposed, ...recorded] }, honest);
  };

  it('passes with the verdict that the runner signed', async () => {
    expect((await again('runner', (hash) => hash)).verdict).toBe('PASS');
  });

  it.each([
    ['another key', 'worker', (text: string) => text],
    ['another claim', 'runner', () => 'cd'.repeat(32)],
  ] as const)('blocks with a verdict of %s', async (_, who, claimed) => {
    expect(failing(await again(who, claimed))).toEqual(['recorded-verdicts']);
  });
});

describe('verifying a finding that was replayed', () => {
  const replayed = async (
    who: 'runner' | 'worker',
    claimed: (text: string) => string,
    findingId = (own: string) => own,
    tamper = {},
  ) => {
    const honest = make();
    const streams = sealed(workshop, honest);
    const proposed = streams.findingEvents[0];
    if (proposed === undefined) throw new Error('nothing was proposed');
    const unsigned = {
      findingId: findingId(honest.findingId),
      trainingId: 'a training',
      tree: honest.finding.data.chain.toTree,
      steps: 200,
      class: 'bit-exact',
      rows: [
        { row: 'predictions', outcome: 'same', found: 'the same', expected: 'the recorded ones' },
      ],
      environment: REPLAYED_ON,
      predictions: { found: 'cd'.repeat(32), expected: 'cd'.repeat(32) },
    } as const;
    const attested = replayAttestation(unsigned, claimed(proposed.hash));
    const data = { ...unsigned, ...tamper, signature: workshop.sign(who, 'replay', attested) };
    const recorded = chained(
      'finding-f1',
      [{ type: 'FindingReplayed', data }],
      workshop.sha256,
      { position: proposed.position + 1, prev: proposed.hash },
      1,
    );
    return verdictOn({ ...streams, findingEvents: [proposed, ...recorded] }, honest);
  };

  it('passes with the replay that the runner signed', async () => {
    const verdict = await replayed('runner', (hash) => hash);
    expect(verdict.verdict).toBe('PASS');
    expect(verdict.rows.find(({ row }) => row === 'recorded-verdicts')?.found).toBe(
      '0 verdicts and 1 replay recorded before this one',
    );
  });

  it.each([
    ['another key', () => replayed('worker', (hash) => hash)],
    ['another claim', () => replayed('runner', () => 'cd'.repeat(32))],
    [
      'another finding',
      () =>
        replayed(
          'runner',
          (hash) => hash,
          () => 'f9',
        ),
    ],
    [
      'another class than was signed',
      () =>
        replayed(
          'runner',
          (hash) => hash,
          (own) => own,
          { class: 'within-tolerance' },
        ),
    ],
  ] as const)('blocks with a replay of %s', async (_, judged) => {
    expect(failing(await judged())).toEqual(['recorded-verdicts']);
  });
});

describe('verifying the findings of a run together', () => {
  const honest = make();
  const { chain, predictions } = honest.finding.data;
  const claiming = (data: Partial<FindingProposed['data']>): Sealed =>
    sealed(workshop, {
      ...honest,
      finding: { ...honest.finding, data: { ...honest.finding.data, ...data } },
    });
  const none = 'f'.repeat(40);
  const claims = {
    honest: sealed(workshop, honest),
    'another tree': claiming({ chain: { ...chain, toTree: none } }),
    'predictions that are not there': claiming({
      predictions: predictions.map((ref) => ({ ...ref, oid: none })),
    }),
    'no list of predictions': claiming({ predictions: null as never }),
    'nothing that can be read': { ...claiming({}), findingEvents: [] },
  };
  const names = Object.keys(claims) as (keyof typeof claims)[];

  it.each([names, names.toReversed(), ['another tree', 'another tree'] as const])(
    'gives each the verdict that it has alone: %s, %s, …',
    async (...of) => {
      let asked = 0;
      const verdicts = await verifyFindings({
        events: claims.honest.events,
        findings: of.map((name) => ({
          ...claims[name],
          dataEvents: () => claims[name].dataEvents,
        })),
        readObject: honest.git.readObject,
        sha256: workshop.sha256,
        sha1: workshop.sha1,
        verifySignature: (key, context, ...signed) => {
          if (context === 'training') asked += 1;
          return verify(key, context, ...signed);
        },
      });
      expect(verdicts).toEqual(
        await Promise.all(of.map((name) => verdictOn(claims[name], honest))),
      );
      expect(verdicts.map(({ verdict }) => verdict)).toEqual(
        of.map((name) => (name === 'honest' ? 'PASS' : 'BLOCK')),
      );
      // Whatever rests on the run alone is looked at once.
      expect(asked).toBe(honest.run.filter(({ type }) => /^Training[CFT]/.test(type)).length);
    },
  );
});

describe('verifying a finding that was tampered with, hashed and signed anew', () => {
  it.each(CASES)('blocks: $what', async ({ tamper, fails, says }) => {
    const honest = tamper(make());
    const verdict = await verdictOn(sealed(workshop, honest), honest);
    expect(verdict.verdict).toBe('BLOCK');
    expect(failing(verdict)).toEqual(
      CHECKS.map(({ row }) => row).filter((row) => fails.includes(row)),
    );
    const found = verdict.rows.filter(({ passed }) => !passed).map((row) => row.found);
    expect(found.join('\n')).toContain(says);
  });
});
