import { LAYER_MEANINGS, layersOfRecord } from '#libs/harness';
import { eventsOf, recorded } from '../../evidence.ts';
import type { Chain, Iteration } from '../chain.ts';
import { count, counted, decimal, listed, moment, percent, short, withError } from '../numbers.ts';
import {
  code,
  codes,
  gap,
  MOST_ROWS,
  note,
  say,
  statement,
  table,
  words,
  type DraftBlock,
  type Text,
} from '../report.ts';

/** Which study and run, from which source, to which program. */
export const identity = ({ opened, proposed, evidence }: Chain): readonly DraftBlock[] => {
  const { studyId, runId, number, pins, seed, forkedFrom } = opened.data;
  const { chain, claim } = proposed.data;
  const registered = eventsOf(evidence.study, 'StudyRegistered').at(0);
  return [
    statement(
      say`The finding ${code(proposed.data.findingId)} comes from run ${count(number)} (${code(runId)}) of the study ${code(studyId)}, called ${words(opened.data.policy.study.title)}. The run was opened on ${moment(opened.metadata.time)} with seed ${String(seed)}.`,
      opened,
      registered,
    ),
    statement(
      say`The program that the claim is about is the git tree ${code(chain.toTree)}. It was reached from the tree ${code(chain.fromTree)} by ${counted(claim.changes.length, 'kept change')}.`,
      proposed,
    ),
    statement(
      say`The run is pinned to the source commit ${code(pins.commit)}, whose folder ${code(pins.path)} is the tree ${code(pins.tree)}.`,
      opened,
    ),
    ...(forkedFrom === null
      ? []
      : [
          statement(
            say`The run was forked: it started from the tree ${code(forkedFrom.tree)}, a state of the earlier run ${code(forkedFrom.runId)}${forkedFrom.mutationId === null ? '' : say` after its kept change ${code(forkedFrom.mutationId)}`}.`,
            opened,
          ),
          gap(
            'How the forked state was reached',
            'The run started from a state of an earlier run. This document does not hold that run’s events: how that state was reached is told by the findings of the earlier run, and by a bundle of this one.',
          ),
        ]),
  ];
};

/** What the study asks. */
export const question = ({ opened }: Chain): DraftBlock =>
  statement(
    say`The question that the study asks: ${words(opened.data.policy.study.question)}`,
    opened,
  );

/** What the harness and the programs ran on. */
export const software = ({ opened }: Chain): readonly DraftBlock[] => {
  const { holdfast, runtime, platform, architecture } = opened.data.environment;
  return [
    statement(
      say`Trainings ran on ${words(runtime.name)} ${words(runtime.version)} (SHA-256 of its ${runtime.name === 'oci-image' ? 'manifest' : 'executable'} ${code(runtime.sha256)}) under Holdfast ${words(holdfast)}, on ${words(platform)} for ${words(architecture)}. The record is pinned by the digest ${code(opened.data.pins.environmentDigest)}.`,
      opened,
    ),
  ];
};

/** How much was computed. */
export const computing = ({ opened, trainings }: Chain): readonly DraftBlock[] => {
  const { training } = opened.data.policy;
  const ends = trainings.flatMap(({ ended }) => ended ?? []);
  const ended = (how: (typeof ends)[number]['type']): number =>
    ends.filter(({ type }) => type === how).length;
  const milliseconds = ends.reduce((sum, { data }) => sum + data.durationMs, 0);
  return [
    statement(
      say`A training may take ${counted(training.seconds, 'second')}, ${count(training.memoryMb)} MB of memory, ${count(training.outputMb)} MB of output and ${counted(training.processes, 'process', 'processes')}.`,
      opened,
    ),
    ...(ends.length === 0
      ? [gap('Trainings', 'The log holds no training that ended.')]
      : [
          statement(
            say`${counted(ended('TrainingCompleted'), 'training')} of the run completed, ${count(ended('TrainingFailed'))} failed and ${count(ended('TrainingTimedOut'))} ran out of time; together they took ${decimal(milliseconds / 1000, 1)} seconds.`,
            ...ends,
          ),
        ]),
    gap(
      'Machines and energy',
      'The log holds the kind of platform, the limits and the time of each training; it does not hold which machines were used or how much energy they took.',
    ),
  ];
};

/** How the program was developed: who proposed, what could change, how it was decided. */
export const method = (chain: Chain): readonly DraftBlock[] => {
  const { opened, iterations } = chain;
  const { policy, governance, pins } = opened.data;
  const { costs, total } = policy.budget;
  const proposers = Map.groupBy(
    iterations.map(({ hypothesis }) => hypothesis),
    ({ metadata }) => metadata.actor.id,
  );
  return [
    ...[...proposers].map(([id, proposed]) =>
      statement(
        say`The program was developed by an autonomous loop: the agent ${code(id)} proposed, and the harness decided, measured and recorded.`,
        opened,
        ...proposed,
      ),
    ),
    statement(
      say`The rules of the harness (its policy, version ${String(policy.version)}) were fixed before the run began and are pinned by the digest ${code(pins.policyDigest)}.`,
      opened,
    ),
    statement(
      governance.governed
        ? say`The agent was kept apart from the harness: ${words(governance.reason)}`
        : say`The agent was not kept apart from the harness: ${words(governance.reason)} ${policy.governance.acceptUngoverned ? "The study's human accepted that in the policy." : 'Nobody accepted that in the policy.'}`,
      opened,
    ),
    statement(
      say`Only these files could be changed: for hyperparameters ${filesOf(policy.program.mutable.hyperparameter)}, for features ${filesOf(policy.program.mutable.feature)}, for the architecture ${filesOf(policy.program.mutable.architecture)}. The program that is run is ${code(policy.program.entry)}.`,
      opened,
    ),
    statement(
      say`The run could spend ${counted(total, 'unit')}: ${count(costs.hypothesis)} for a hypothesis, ${count(costs.hyperparameter)} for a change of hyperparameters, ${count(costs.feature)} of features, ${count(costs.architecture)} of the architecture, ${count(costs.metric)} for a secondary metric.`,
      opened,
    ),
    statement(
      say`A change was kept only if it was better than noise: the chance that a run keeps any change that is no better is bounded by ${percent(policy.keep.falseKeeps)}. ${policy.version === 1 ? 'The bound was shared out evenly over the changes that the budget could buy.' : say`The bound was spent as the budget was, and a change had to be trained with ${counted(policy.replicates, 'seed')} before it could be kept.`}`,
      opened,
    ),
  ];
};

const filesOf = (files: readonly string[]): Text => (files.length === 0 ? ['none'] : codes(files));

const OUTCOMES: Readonly<Record<Iteration['outcome'], string>> = {
  kept: 'kept',
  undone: 'kept, undone later by a revert',
  diverged: 'diverged, reverted',
  discarded: 'not better than noise, reverted',
  failed: 'training failed, reverted',
  'timed-out': 'training timed out, reverted',
  unfair: 'failed the fairness gate, reverted',
  halted: 'halted the run',
  refused: 'the edit did not apply',
  metric: 'a secondary metric, measured from then on',
  'not-paid': 'not paid, the budget was exhausted',
  open: 'no decision recorded',
};

/** Improvement of an attempt, as the decision had it. */
const improvement = ({ attempt }: Iteration): string => {
  const ruling = attempt?.decided?.data.ruling ?? null;
  if (ruling !== null) return withError(ruling.improvement, ruling.standardError);
  const difference = attempt?.observed?.data.observation.difference ?? null;
  return difference === null
    ? 'not measured'
    : withError(-difference.value, difference.standardError);
};

const basisOf = ({ hypothesis, attempt, charges, decidedBy }: Iteration) =>
  recorded([
    hypothesis,
    attempt?.proposed,
    attempt?.restorePoint,
    attempt?.cutOver,
    attempt?.observed,
    ...charges,
    decidedBy,
  ]);

/** Every attempt of the run, the discarded ones too. */
export const attempts = (chain: Chain): readonly DraftBlock[] => {
  const { iterations: all, links, opened } = chain;
  if (all.length === 0) return [gap('Attempts', 'The log holds no hypothesis of this run.')];
  const shown =
    all.length <= MOST_ROWS
      ? all
      : all.filter((one) => links.includes(one) || one.outcome === 'diverged').slice(0, MOST_ROWS);
  const counts = Object.entries(OUTCOMES)
    .map(([outcome, text]) => [all.filter((one) => one.outcome === outcome).length, text] as const)
    .filter(([n]) => n > 0)
    .map(([n, text]) => `${count(n)} ${text}`);
  return [
    statement(
      say`The log holds ${counted(all.length, 'attempt')} of the run: ${counts.join('; ')}.`,
      opened,
      ...all.flatMap(({ hypothesis, decidedBy }) => [hypothesis, decidedBy]),
    ),
    ...(shown.length === all.length
      ? []
      : [
          statement(
            say`The table shows the ${counted(shown.length, 'attempt')} that the finding rests on or that diverged. The others are in the ledger of attempts of run ${code(opened.data.runId)}.`,
            opened,
          ),
        ]),
    ...(shown.length === 0
      ? []
      : [
          table(
            'Attempts of the run, in order',
            [
              '#No.',
              'Hypothesis',
              'Change',
              'Domain',
              '#Cost',
              '#Improvement ± standard error',
              'Outcome',
            ],
            shown.map((one) => ({
              cells: [
                say`${count(one.hypothesis.data.number)}`,
                [words(one.hypothesis.data.statement)],
                changeOf(one),
                say`${one.attempt?.proposed.data.measuredDomain ?? (one.metric === null ? 'none' : 'metric')}`,
                say`${count(one.charges.reduce((sum, { data }) => sum + data.cost, 0))}`,
                say`${improvement(one)}`,
                say`${OUTCOMES[one.outcome]}`,
              ],
              basis: basisOf(one),
            })),
          ),
          note(
            say`Improvement is the fall of the log-loss per person on the dev rows against what stood before, over all seeds that were trained; above 0 is better.`,
          ),
        ]),
  ];
};

const changeOf = ({ attempt, metric }: Iteration): Text => {
  if (attempt !== null) return [words(attempt.proposed.data.summary)];
  return metric === null ? ['none'] : say`metric ${words(metric.data.name)}`;
};

/** The changes that the finding rests on, from tree to tree, with the arithmetic of each decision. */
export const links = ({ links: all, proposed }: Chain): readonly DraftBlock[] => {
  const { mutations } = proposed.data.chain;
  const known = all.flatMap((one) => {
    const { proposed: mutation, restorePoint, cutOver, decided } = one.attempt ?? {};
    return mutation && restorePoint && cutOver && decided?.type === 'MutationKept'
      ? [{ one, files: mutation.data.files, cutOver: cutOver.data, ruling: decided.data.ruling }]
      : [];
  });
  return [
    ...(mutations.length === 0
      ? [
          statement(
            say`The finding names no kept change: the program is the one that the run started from.`,
            proposed,
          ),
        ]
      : []),
    ...(known.length === 0
      ? []
      : [
          table(
            'The kept changes that the finding rests on',
            [
              'Change',
              'Why',
              'Trees',
              'Files',
              '#Improvement ± standard error',
              '#z',
              '#z to exceed',
            ],
            known.map(({ one, files, cutOver, ruling }) => ({
              cells: [
                changeOf(one),
                [words(cutOver.why)],
                say`${code(short(cutOver.fromTree))} to ${code(short(cutOver.toTree))}`,
                filesOf(files.map(({ path }) => path)),
                say`${improvement(one)}`,
                say`${decimal(ruling.z, 2)}`,
                say`${decimal(ruling.threshold, 2)}`,
              ],
              basis: basisOf(one),
            })),
          ),
          note(
            say`z is the improvement divided by its standard error. A change is kept only if its z exceeds the threshold, strictly. Before a change is tried a restore point is taken, from which the state before it can be rebuilt.`,
          ),
        ]),
    ...(known.length < mutations.length
      ? [
          gap(
            'Kept changes without their record',
            `The finding names ${counted(mutations.length, 'kept change')}; the log holds the restore point, the cutover and the decision to keep of ${count(known.length)} of them.`,
          ),
        ]
      : []),
  ];
};

const CHARTS = {
  gain: 'gain (relative gain of a candidate over what stood)',
  gap: 'gap (how much more a step helps on dev rows than on check rows, in standard errors)',
  value: 'value (the metric against a fixed reference)',
  stability: 'stability (the kept program measured again, in units of its own noise)',
} as const;

/** The charts that watched the run, and when they fired. */
export const monitor = ({ opened, evidence: { run } }: Chain): readonly DraftBlock[] => {
  const { charts } = opened.data.policy;
  const divergences = eventsOf(run, 'DivergenceDetected');
  const reverts = eventsOf(run, 'RunReverted');
  const charted = eventsOf(run, 'MetricObserved').filter(({ data }) => data.charts.length > 0);
  return [
    ...(charts.length === 0
      ? [
          gap(
            'Monitoring during the run',
            'The policy of the run has no chart: nothing watched for divergence.',
          ),
        ]
      : [
          table(
            'The charts (CUSUM, Page 1954) that watched the run',
            ['Chart', '#k', '#h'],
            charts.map((chart) => ({
              cells: [
                say`${CHARTS[chart.kind]}`,
                say`${String(chart.allowance)}`,
                say`${String(chart.decisionInterval)}`,
              ],
              basis: [opened],
            })),
          ),
          note(
            say`A chart adds up what exceeds k at each observation; a sum above h, strictly, is a divergence, and the run goes back at once to the last stable state.`,
          ),
        ]),
    ...(divergences.length === 0
      ? charted.length === 0
        ? []
        : [
            statement(
              say`The charts took ${counted(charted.length, 'observation')}; none fired.`,
              ...charted,
            ),
          ]
      : [
          table(
            divergences.length <= MOST_ROWS
              ? 'Divergences and what was undone'
              : `The first ${count(MOST_ROWS)} of ${count(divergences.length)} divergences, and what was undone`,
            ['When', 'Charts that fired', 'Back to tree', '#Changes undone'],
            divergences.slice(0, MOST_ROWS).map((divergence) => {
              const revert = reverts.find(({ revision }) => revision > divergence.revision) ?? null;
              return {
                cells: [
                  say`${moment(divergence.metadata.time)}`,
                  say`${divergence.data.fired.map(({ chart, sum, decisionInterval }) => `${chart}: ${decimal(sum, 3)} above ${String(decisionInterval)}`).join('; ')}`,
                  revert === null
                    ? ['no revert recorded']
                    : say`${code(short(revert.data.toTree))}`,
                  say`${count(revert?.data.undone.length ?? 0)}`,
                ],
                basis: revert === null ? [divergence] : [divergence, revert],
              };
            }),
          ),
        ]),
  ];
};

/** How the loop ended, and whether a wall was hit. */
export const ending = ({ evidence: { run } }: Chain): readonly DraftBlock[] => {
  const halted = eventsOf(run, 'RunHalted').at(0);
  const ended = eventsOf(run, 'LoopEnded').at(0);
  return [
    ...(halted === undefined
      ? []
      : [
          statement(
            say`The run was halted on ${moment(halted.metadata.time)} by ${halted.data.by === 'human' ? 'a human' : `the ${halted.data.by} wall`}: ${words(halted.data.reason)}. A halted run yields no findings.`,
            halted,
          ),
        ]),
    ...(ended === undefined
      ? [
          gap(
            'The end of the loop',
            'The log holds no end of the loop: the run is not over, or it was halted.',
          ),
        ]
      : [
          statement(
            say`The loop ended on ${moment(ended.metadata.time)}: ${ENDINGS[ended.data.reason]}. ${count(ended.data.spent)} of ${counted(ended.data.total, 'unit')} were spent.`,
            ended,
          ),
        ]),
  ];
};

const ENDINGS = {
  exhausted: 'the mutation budget was exhausted',
  finished: 'nothing was left to try',
  stopped: 'a human stopped it',
  refusals: 'too many proposals in a row did not apply',
} as const;

/** What contained the trainings. */
export const containment = ({ opened, trainings: launched }: Chain): readonly DraftBlock[] => {
  const { minimum } = opened.data.policy.sandbox;
  const trainings = launched.flatMap(({ ended }) => ended ?? []);
  const layersOf = ({ data }: (typeof trainings)[number]) => layersOfRecord(data.isolation);
  const kinds = Map.groupBy(trainings, (training) => layersOf(training).join(' '));
  const layers = Object.entries(LAYER_MEANINGS).flatMap(([layer, meaning]) => {
    const first = trainings.find((training) => layersOf(training).some((one) => one === layer));
    return first === undefined ? [] : [{ cells: [say`${code(layer)}`, [meaning]], basis: [first] }];
  });
  return [
    statement(
      minimum.length === 0
        ? say`The policy demanded no particular layer of the sandbox.`
        : say`The policy demanded ${counted(minimum.length, 'layer')} of the sandbox for each training: ${listed(minimum)}.`,
      opened,
    ),
    ...(trainings.length === 0
      ? [gap('What contained the trainings', 'The log holds no training that ended.')]
      : []),
    ...[...kinds].map(([kind, by]) =>
      kind === ''
        ? gap(
            'What contained some of the trainings',
            `The records of ${counted(by.length, 'training')} name no layer of isolation.`,
          )
        : statement(
            say`${count(by.length)} of ${counted(trainings.length, 'training')} ran, by the records that their workers signed, under ${listed(kind.split(' '))}.`,
            ...by,
          ),
    ),
    ...(layers.length === 0
      ? []
      : [table('What these layers do', ['Layer', 'What it does'], layers)]),
  ];
};
