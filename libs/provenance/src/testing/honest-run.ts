import canonicalize from 'canonicalize';
import { jointInterval, lookOf, statementOf } from '#libs/findings';
import type { Claim, FindingProposed } from '#libs/findings';
import { fairnessOfCounts, leastTold } from '#libs/evaluator';
import {
  favourableLabel,
  POLICY_VERSION,
  preLoopRules,
  protectedGroups,
  upgradePolicy,
} from '#libs/harness';
import type {
  Estimate,
  FileDomain,
  HarnessPolicy,
  Observation,
  PolicyOfVersion1,
} from '#libs/harness';
import { deriveId } from '#libs/kernel';
import type { Fact, Signature } from '#libs/kernel';
import { candidate, commandIds, runDecider } from '#libs/run';
import type {
  ForkPoint,
  MutationKept,
  RunCommand,
  RunKeys,
  RunOpened,
  RunState,
  TrainingCompleted,
  TrainingResult,
  WorkerEnlisted,
} from '#libs/run';
import { examplePolicy } from '../../../harness/src/testing/policy.ts';
import { runHeadAttestation, trainingAttestation } from '../attestations.ts';
import type { AttestationContext } from '../attestations.ts';
import { newestVersion } from '../event-versions.ts';
import { treeEntries } from '../git-objects.ts';
import { pinnedDigest } from '../pinned-digest.ts';
import type { Hash, StoredBytes } from '../ports.ts';
import { gitStore } from './git-store.ts';
import type { GitStore } from './git-store.ts';

/** What becomes of one iteration. */
export type Iteration =
  | 'kept'
  /** Kept with a gain that the gain chart doesn't forget. */
  | 'kept-large'
  /** Kept, with a result that another worker signed. */
  | 'kept-elsewhere'
  /** Kept, with a result that a re-measurement, where it is the stability chart's turn, does not find again. */
  | 'kept-unstable'
  | 'discarded'
  | 'crashed'
  | 'timed-out'
  | 'diverged'
  | 'refused'
  | 'metric';

export interface Workshop {
  readonly sha256: Hash;
  readonly sha1: Hash;
  readonly keys: RunKeys;
  /** A worker that the run does not pin. */
  readonly other: WorkerEnlisted['data'];
  readonly sign: (
    who: 'runner' | 'worker' | 'other',
    context: AttestationContext,
    value: unknown,
  ) => Signature;
}

/** A fact, and the version of its type in which it was written where that is not the newest. */
export type WrittenFact = Fact & {
  readonly schemaVersion?: number;
  readonly actor?: { readonly role: string; readonly id: string };
};

/** The streams of a finding as facts, and the objects that they name: what an honest run leaves behind. */
export interface HonestRun {
  readonly runId: string;
  readonly studyId: string;
  readonly findingId: string;
  /** The study's nth run. */
  readonly number: number;
  /** Units that the study's runs spent, this one and those before. */
  readonly totalSpent: number;
  /** Up to the loop's end; the signed head comes with {@link sealed}. */
  readonly run: readonly WrittenFact[];
  readonly study: readonly Fact[];
  /** The stream of its data, which another study looked at before. */
  readonly data: readonly Fact[];
  /** Its `chain.runHead` is filled in by {@link sealed}. */
  readonly finding: FindingProposed;
  readonly git: GitStore;
}

const STUDY_ID = 'pay';
const SEED = 7;
/** Three charts: re-measurements too, so that an honest run holds all that a run can. */
const POLICY: HarnessPolicy = {
  ...examplePolicy,
  sandbox: { minimum: ['no-network', 'seccomp'] },
  charts: [
    ...examplePolicy.charts,
    { kind: 'stability', allowance: 0.5, decisionInterval: 5, every: 3 },
  ],
};
/** What a seed adds to a metric, by the seed's distance from the run's own. */
const OF_SEED = [0, 0.0001, 0.00006, 0.00003, 0.00008, 0.00005];
const EFFECT: Readonly<Record<string, number>> = {
  kept: -0.01,
  'kept-large': -0.04,
  'kept-elsewhere': -0.01,
  'kept-unstable': -0.01,
  discarded: 0.001,
  diverged: -0.2,
};
const DOMAINS: readonly FileDomain[] = ['hyperparameter', 'feature', 'architecture'];
const FILES: Readonly<Record<FileDomain, string>> = {
  hyperparameter: 'hyperparameters.json',
  feature: 'features.json',
  architecture: 'architecture.json',
};

const estimate = (name: string, value: number, standardError: number) => ({
  name,
  value,
  standardError,
  n: 2000,
});

const observation = (value: number, difference: number | null): Observation => ({
  metric: estimate('log-loss', value, 0.01),
  auc: estimate('auc', 0.8, 0.01),
  secondary: [],
  difference: difference === null ? null : estimate('log-loss', difference, 0.001),
  check: estimate('log-loss', value + 0.002, 0.015),
  gapChange: difference === null ? null : estimate('gap', 0.001, 0.002),
  cells: { scored: 16, suppressed: 1 },
});

/** 24,000 people, shared out evenly between the groups; each decides favourably on about half. */
const countsOf = (at: number, groups: readonly string[]) => {
  const people = 24_000 / groups.length;
  const [first, last] = [at === 0, at === groups.length - 1];
  const more = people / 100;
  return {
    people,
    favoured: people / 2 + (first ? more : 0) - (last ? more : 0),
    deserving: people / 2,
    deservingFavoured: (people * 2) / 5,
  };
};

/** The study's repository: a root tree with the program's folder, and the proof that leads to it. */
const pinSource = (git: GitStore, files: Readonly<Record<string, string>>) => {
  const tree = git.tree(files);
  const studies = git.tree({ 'program/': tree, 'holdfast.yaml': 'version: 1\n' });
  const root = git.tree({ 'pay/': studies, 'README.md': '# Studies\n' });
  const commit = git.commit(root, null, 'Add the study');
  const proofFiles = [
    ['commit', git.content(commit)],
    ['tree-0', git.content(root)],
    ['tree-1', git.content(studies)],
  ] as const;
  const proof = git.raw(
    'tree',
    Uint8Array.from(
      proofFiles.flatMap(([name, content]) => {
        const oid = git.raw('blob', content);
        return [
          ...new TextEncoder().encode(`100644 ${name}\0`),
          ...(oid.match(/../g) ?? []).map((byte) => parseInt(byte, 16)),
        ];
      }),
    ),
  );
  // The study's own objects stay in its repository; only the proof of them is kept.
  const policy = git.blob('version: 1\n');
  for (const oid of [commit, root, studies, git.blob('# Studies\n'), policy])
    git.objects.delete(oid);
  return { commit, tree, path: 'pay/program', pinCommit: git.commit(tree, null, 'Pin'), proof };
};

/** The state that a run's finding leads to, after the last of its mutations. */
const forkPointOf = ({ runId, run, finding }: HonestRun): ForkPoint => {
  const { mutations, toTree: tree } = finding.data.chain;
  const mutationId = mutations.at(-1) ?? null;
  const kept = run
    .filter(({ type }) => type === 'MutationKept')
    .map(({ data }) => data as MutationKept['data'])
    .find((each) => each.mutationId === mutationId);
  if (kept === undefined) throw new Error(`the finding of ${runId} leads nowhere`);
  return { runId, mutationId, commit: kept.commit, tree };
};

/** A program's files, from its tree without folders. */
const filesOf = (git: GitStore, tree: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (treeEntries(git.content(tree)) ?? []).map(({ name, oid }) => [
      name,
      new TextDecoder().decode(git.content(oid)),
    ]),
  );

/**
 * Runs the real decider through these iterations, with measurements made up so that each turns out as asked, and
 * with every object that the events name in memory.
 */
export const honestRun = (
  workshop: Workshop,
  iterations: readonly Iteration[],
  policy: HarnessPolicy = POLICY,
  /** The policy as it was written, which is what a run pins. */
  written: HarnessPolicy | PolicyOfVersion1 = policy,
  /** The run whose claimed state this one is forked from, with its study's and its data's events. */
  forkedFrom: HonestRun | null = null,
): HonestRun => {
  const { sha256, sha1, sign, keys, other } = workshop;
  const git = gitStore(sha1, sha256);
  const nth = (forkedFrom?.number ?? 0) + 1;
  const [runId, findingId] = [`r${nth}`, `f${nth}`];
  const files: Readonly<Record<string, string>> = {
    'architecture.json': '{"layers":1}\n',
    'features.json': '["education"]\n',
    'hyperparameters.json': '{"rate":0.1}\n',
    'train.js': '// trains\n',
  };
  const contents = new Map<string, Readonly<Record<string, string>>>();
  const source = pinSource(git, files);
  contents.set(source.tree, files);
  const point = forkedFrom === null ? null : forkPointOf(forkedFrom);
  for (const [oid, object] of forkedFrom?.git.objects ?? []) git.objects.set(oid, object);
  if (point !== null) contents.set(point.tree, filesOf(git, point.tree));

  const environment = {
    holdfast: '0.1.0',
    runtime: { name: 'node', version: '24.0.0', sha256: sha256(new Uint8Array()) },
    platform: 'linux',
    architecture: 'x64',
  };
  const dataDigest = sha256(new TextEncoder().encode('data'));
  const splitCommitment = sha256(new TextEncoder().encode('split key'));
  const released = {
    'cells.csv': 'cell,region\n0,n\n1,s\n',
    'train.csv': 'cell,region,n,positive\n0,n,3000,900\n1,s,2000,500\n',
  };
  const table = git.artefact('train.csv', released['train.csv']);
  const cells = git.artefact('cells.csv', released['cells.csv']);
  const opened: RunOpened['data'] = {
    runId,
    studyId: STUDY_ID,
    number: nth,
    pins: {
      ...source,
      policyDigest: pinnedDigest(written, sha256),
      dataDigest,
      environmentDigest: pinnedDigest(environment, sha256),
      splitCommitment,
    },
    policy,
    environment,
    keys,
    seed: SEED,
    governance: { governed: true, reason: 'the agent runs as a user of its own' },
    cohorts: {
      tree: git.tree(released),
      table,
      cells,
      minimumCell: policy.data.minimumCell,
      dimensions: [{ name: 'region', labels: ['n', 's'] }],
      coarsened: 0,
      audit: { totals: 'told', complementary: 0, kinds: 0 },
      released: { cells: 2, people: 5000 },
      suppressed: { cells: 0, people: 0 },
      people: { train: 5000, dev: 2000, check: 1500, sealed: 1000 },
    },
    forkedFrom: point,
  };

  const facts: Fact[] = [];
  let state: RunState = runDecider.initialState;
  let commands = 0;
  const send = (make: (id: string) => RunCommand): void => {
    commands += 1;
    const id = deriveId(forkedFrom === null ? 'command' : `command ${runId}`, commands);
    const decided = runDecider.decide(state, make(id));
    if (!decided.ok) throw new Error(decided.error.message);
    for (const one of decided.value) {
      // No run is opened under version 1 any more: one that was goes on from what its upcaster makes of it.
      const event = one.type === 'RunOpened' ? { ...one, data: opened } : one;
      state = runDecider.evolve(state, event);
      facts.push(event);
    }
  };
  const running = (): boolean => state.node !== 'ended';
  const mutationId = (): string => candidate(state).mutationId;
  const trainingId = (): string => {
    if (state.training === null) throw new Error('no training is under way');
    return state.training.trainingId;
  };

  const isolation = { kind: 'bubblewrap', user: 65534, layers: 'no-network seccomp time-limit' };
  const signed = <Data extends object>(
    data: Data,
    who: 'worker' | 'other' = 'worker',
  ): Data & { signature: Signature } => {
    const unsigned = { ...data, signature: { keyId: '', value: '' } };
    return { ...data, signature: sign(who, 'training', trainingAttestation(unsigned)) };
  };
  const artefacts = (): string =>
    git.tree({ 'log.txt': 'trained\n', 'predictions.csv': `0.5,${trainingId()}\n` });
  const complete = (who: 'worker' | 'other' = 'worker'): void => {
    const data = signed(
      {
        trainingId: trainingId(),
        steps: 2000,
        durationMs: 1200,
        artefacts: artefacts(),
        predictions: git.artefact('predictions.csv', `0.5,${trainingId()}\n`),
        log: git.artefact('log.txt', 'trained\n'),
        selfReported: null,
        isolation,
      },
      who,
    );
    send((id) => ({
      type: 'RecordTraining',
      id,
      data: {
        result: { type: 'TrainingCompleted', data },
        worker: who === 'other' ? other : null,
      },
    }));
  };
  const fail = (): TrainingResult => ({
    type: 'TrainingFailed',
    data: {
      ...signed({
        trainingId: trainingId(),
        failure: 'crashed' as const,
        detail: 'TypeError: x is not a function',
        errorClass: 'TypeError',
        errorFile: 'features.json',
        errorLine: 3,
        durationMs: 90,
        artefacts: artefacts(),
        log: git.artefact('log.txt', 'trained\n'),
        isolation,
      }),
      note: null,
    },
  });
  const timeOut = (): TrainingResult => ({
    type: 'TrainingTimedOut',
    data: signed({
      trainingId: trainingId(),
      seconds: policy.training.seconds,
      durationMs: 5000,
      artefacts: artefacts(),
      log: git.artefact('log.txt', 'trained\n'),
      isolation,
    }),
  });
  const observe = (
    value: number,
    difference: number | null,
    overSeeds: Estimate | null = null,
  ): void => {
    send((id) => ({
      type: 'ObserveMetric',
      id,
      data: { trainingId: trainingId(), observation: observation(value, difference), overSeeds },
    }));
  };
  const ofSeed = (): number => OF_SEED[((state.training?.seed ?? SEED) - SEED) % 6] ?? 0;

  /** The trainings with other seeds that a decision asks for, each as good as the first but for its seed. */
  const again = (difference: number): void => {
    while (state.node === 'training') {
      complete();
      // A candidate's seeds differ from one another by a little more than the incumbent's.
      const found = difference + ofSeed() / 10;
      const all = [...state.seeds.map(({ observation: one }) => one.difference?.value ?? 0), found];
      const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
      observe(
        (state.line.last()?.metric ?? 0.6) + found + ofSeed(),
        found,
        estimate('log-loss', mean, 0.001),
      );
    }
  };

  const remeasure = (iteration: Iteration): void => {
    if (state.node !== 'training') return;
    complete();
    const drift = iteration === 'kept-unstable' ? 0.2 : 0;
    observe((state.line.last()?.metric ?? 0.6) + ofSeed() + drift, null);
  };

  send((id) => ({
    type: 'OpenRun',
    id,
    data: {
      opened: { ...opened, policy: { ...policy, version: POLICY_VERSION } },
      checks: preLoopRules(opened.policy).map((rule) => ({
        ...{ rule, passed: true },
        ...{ found: 'what the rule asks', expected: 'what the rule asks' },
      })),
    },
  }));
  for (let replicate = 0; replicate < policy.replicates; replicate += 1) {
    send((id) => ({ type: 'LaunchBaseline', id, data: {} }));
    complete();
    observe(0.6 + ofSeed(), null);
  }

  const propose = (number: number): void => {
    const domain = DOMAINS[number % DOMAINS.length] ?? 'feature';
    const path = FILES[domain];
    const base = state.line.last();
    if (base === undefined) throw new Error('no baseline');
    const before = contents.get(base.tree) ?? {};
    // No fork repeats what stands already.
    const text = `{"attempt":${number + 100 * (nth - 1)}}\n`;
    const after = { ...before, [path]: text };
    const tree = git.tree(after);
    contents.set(tree, after);
    send((id) => ({
      type: 'ProposeMutation',
      id,
      data: {
        summary: `change ${domain} setting, attempt ${number}`,
        declaredDomain: domain,
        baseTree: base.tree,
        commit: git.commit(tree, base.commit, `Mutation ${commandIds.mutation(id)}`),
        tree,
        changes: [
          {
            path,
            kind: 'modified',
            before: git.blob(before[path] ?? ''),
            after: git.blob(text),
            mode: '100644',
            textBefore: before[path] ?? null,
            text,
          },
        ],
      },
    }));
  };

  const judge = (): void => {
    send((id) => ({
      type: 'Judge',
      id,
      data: {
        mutationId: mutationId(),
        fairness: fairnessOfCounts(
          protectedGroups(policy.data.protected, policy.gates.postLoop.intersections).map(
            ({ attribute, groups }) => ({
              attribute,
              groups: groups.map((group, at) => ({ attribute, group, ...countsOf(at, groups) })),
            }),
          ),
          {
            policy: policy.gates.postLoop,
            label: favourableLabel(policy),
            leastTold: leastTold(policy.data),
          },
        ),
      },
    }));
  };

  const iterate = (iteration: Iteration, number: number): void => {
    send((id) => ({
      type: 'ProposeHypothesis',
      id,
      data: {
        statement: `setting ${number} lowers the log-loss of all cohorts`,
        expectedEffect: 0.02,
      },
    }));
    if (!running()) return;
    if (iteration === 'metric') {
      send((id) => ({
        type: 'ProposeSecondaryMetric',
        id,
        data: { name: `metric-${number}`, available: [`metric-${number}`] },
      }));
      return;
    }
    if (iteration === 'refused')
      send((id) => ({ type: 'RefuseProposal', id, data: { reason: 'the edit does not apply' } }));
    propose(number);
    if (!running()) return;
    send((id) => ({ type: 'CutOver', id, data: { mutationId: mutationId() } }));
    if (iteration === 'crashed' || iteration === 'timed-out') {
      const result = iteration === 'crashed' ? fail() : timeOut();
      send((id) => ({ type: 'RecordTraining', id, data: { result, worker: null } }));
      return;
    }
    complete(iteration === 'kept-elsewhere' ? 'other' : 'worker');
    const difference = EFFECT[iteration] ?? 0.001;
    observe(
      (state.line.last()?.metric ?? 0.6) + difference,
      difference,
      estimate('log-loss', difference, 0.001),
    );
    again(difference);
    if (state.node === 'observed') judge();
  };

  for (const [at, iteration] of iterations.entries()) {
    if (!running()) break;
    iterate(iteration, at + 1);
    remeasure(iteration);
  }
  if (running())
    send((id) => ({ type: 'FinishLoop', id, data: { reason: 'nothing is left to try' } }));

  const mutations = [...state.line].flatMap(({ mutationId }) => mutationId ?? []);
  const summaries = new Map(
    facts
      .filter(({ type }) => type === 'MutationProposed')
      .map(({ data }) => data as { mutationId: string; summary: string })
      .map(({ mutationId, summary }) => [mutationId, summary]),
  );
  const spent = state.budget.total - state.budget.remaining;
  const totalSpent = spent + (forkedFrom?.totalSpent ?? 0);
  const look = lookOf({
    ...{ dataDigest, ofStudy: nth, ofData: nth + 1, runs: nth, spent: totalSpent },
    claims: mutations.length > 1 ? mutations.length + 1 : 1,
  });
  const measured = { estimate: 0.02, standardError: 0.004 };
  const claim: Claim = {
    kind: 'line',
    cohort: { description: 'region', outcome: 'high pay' },
    statistic: 'log-loss-reduction',
    ...measured,
    interval: jointInterval(measured, look),
    relative: 0.033,
    n: 1000,
    changes: mutations.map((mutationId) => summaries.get(mutationId) ?? ''),
    planted: [],
    look: policy.version === 1 ? null : look,
  };
  const standing = [state.line.first(), state.line.last()].map((kept) => kept?.trainingId);
  const scored = facts
    .filter(({ type }) => type === 'TrainingCompleted')
    .map(({ data }) => data as TrainingCompleted['data'])
    .filter((result) => standing.includes(result.trainingId))
    .map(({ predictions }) => predictions);
  return {
    runId,
    studyId: STUDY_ID,
    findingId,
    number: nth,
    totalSpent,
    run: facts,
    study: [
      ...(forkedFrom?.study ?? [
        { type: 'StudyRegistered', data: { studyId: STUDY_ID, title: 'Pay' } },
        { type: 'SplitCommitted', data: { dataDigest, commitment: splitCommitment } },
      ]),
      { type: 'RunCounted', data: { runId, number: nth, seed: SEED } },
      { type: 'SpendCounted', data: { runId, spent, totalSpent } },
      { type: 'SealedRowsOpened', data: { runId, look: nth } },
    ],
    data: [
      ...(forkedFrom?.data ?? [
        {
          type: 'SplitFixed',
          data: {
            ...{ dataDigest, commitment: splitCommitment },
            ...{ rowId: policy.data.rowId, split: policy.data.split },
          },
        },
        {
          type: 'TableFixed',
          data: {
            ...{ dataDigest, commitment: splitCommitment, studyId: STUDY_ID, runId },
            table: table.sha256,
          },
        },
        {
          type: 'LookCounted',
          data: { dataDigest, studyId: 'other', runId: 'other-1', look: 1 },
        },
      ]),
      { type: 'LookCounted', data: { dataDigest, studyId: STUDY_ID, runId, look: nth + 1 } },
    ],
    finding: {
      type: 'FindingProposed',
      data: {
        findingId,
        number: 1,
        statement: statementOf(claim),
        claim,
        chain: {
          runId,
          studyId: STUDY_ID,
          runHead: { revision: -1, hash: '' },
          sourceCommit: source.commit,
          sourceTree: source.tree,
          fromTree: point?.tree ?? source.tree,
          toTree: state.line.last()?.tree ?? source.tree,
          mutations,
        },
        sealedLook: nth,
        predictions: scored,
      },
    },
    git,
  };
};

const without = <T extends object, Key extends keyof T>(from: T, ...keys: Key[]): Omit<T, Key> =>
  Object.fromEntries(
    Object.entries(from).filter(([key]) => !keys.includes(key as Key)),
  ) as unknown as Omit<T, Key>;

/** A run that was opened when policies were at version 1, and went on until today. */
export const oldRun = (workshop: Workshop, iterations: readonly Iteration[]): HonestRun => {
  const { keep, data, gates, ...policy } = without(examplePolicy, 'version', 'sandbox');
  const written: PolicyOfVersion1 = {
    ...policy,
    version: 1,
    keep: without(keep, 'effect'),
    data: {
      ...without(data, 'coarsen', 'magnitudes', 'disclosure', 'pii'),
      outcome: without(data.outcome, 'labels'),
    },
    gates: { ...gates, postLoop: without(gates.postLoop, 'decide', 'level', 'intersections') },
  };
  const honest = honestRun(workshop, iterations, upgradePolicy(written), written);
  const writtenThen = (fact: WrittenFact): WrittenFact => {
    if (fact.type !== 'RunOpened') return fact;
    const { cohorts, ...opened } = without(fact.data as RunOpened['data'], 'forkedFrom');
    const released = cohorts && without(cohorts, 'dimensions', 'coarsened', 'audit');
    return {
      type: 'RunOpened',
      schemaVersion: 1,
      data: { ...opened, policy: written, cohorts: released },
    };
  };
  return { ...honest, run: honest.run.map(writtenThen) };
};

const utf8 = new TextEncoder();

/** Facts as a stream of stored events, each with its hash and that of the one before it. */
const RUNNER = { role: 'harness', id: 'runner' };

export const chained = (
  stream: string,
  facts: readonly WrittenFact[],
  sha256: Hash,
  from: { readonly position: number; readonly prev: string | null } = { position: 0, prev: null },
  revision = 0,
): readonly StoredBytes[] => {
  let prev = from.prev;
  return facts.map(({ type, data, schemaVersion = newestVersion(type), actor = RUNNER }, at) => {
    const body = {
      stream,
      revision: revision + at,
      id: deriveId(stream, revision + at),
      type,
      data,
      metadata: {
        correlationId: stream,
        causationId: deriveId('command', at),
        actor,
        time: '2026-01-01T00:00:00.000Z',
        schemaVersion,
        prev,
      },
    };
    const canonical = utf8.encode(canonicalize(body));
    prev = sha256(canonical);
    const { id } = body;
    return {
      position: from.position + at,
      stream,
      revision: revision + at,
      id,
      type,
      hash: prev,
      canonical,
    };
  });
};

/** A finding's four streams as a log holds them. */
export interface Sealed {
  readonly events: readonly StoredBytes[];
  readonly studyEvents: readonly StoredBytes[];
  readonly dataEvents: readonly StoredBytes[];
  readonly findingEvents: readonly StoredBytes[];
}

/** Hashes and signs what an operator with all keys would: whatever the facts say, the chain around them is sound. */
export const sealed = (workshop: Workshop, honest: HonestRun): Sealed => {
  const { sha256, sign } = workshop;
  const stream = `run-${honest.runId}`;
  // What is fixed for the data is said before the run is opened, and looks are counted after its loop.
  const first = honest.data.length;
  const loop = chained(stream, honest.run, sha256, { position: first, prev: null });
  const after = first + loop.length + 1;
  const last = loop.at(-1);
  const head = { revision: loop.length - 1, hash: last?.hash ?? '' };
  const signature = sign(
    'runner',
    'run-head',
    runHeadAttestation({ runId: honest.runId, ...head }),
  );
  const signedHead = { type: 'RunHeadSigned', data: { ...head, signature } };
  const study = chained(`study-${honest.studyId}`, honest.study, sha256, {
    position: after,
    prev: null,
  });
  const { look } = honest.finding.data.claim;
  const ofData = chained(`data-${look?.dataDigest ?? ''}`, honest.data, sha256, {
    position: after + study.length,
    prev: null,
  }).map((event, at) => (event.type === 'LookCounted' ? event : { ...event, position: at }));
  const { data } = honest.finding;
  const proposed = {
    ...honest.finding,
    data: { ...data, chain: { ...data.chain, runHead: head } },
  };
  return {
    events: [
      ...loop,
      ...chained(
        stream,
        [signedHead],
        sha256,
        { position: first + loop.length, prev: head.hash },
        loop.length,
      ),
    ],
    studyEvents: study,
    dataEvents: ofData,
    findingEvents: chained(`finding-${honest.findingId}`, [proposed], sha256, {
      position: after + study.length + ofData.length,
      prev: null,
    }),
  };
};
