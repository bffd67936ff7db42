import type { DivergenceDetected } from '#libs/divergence';
import type { FindingEvent, FindingProposed } from '#libs/findings';
import type { Fact, RecordedEvent } from '#libs/kernel';
import type { Decision } from '#libs/read-models';
import type {
  LoopEnded,
  RunEvent,
  RunHalted,
  RunOpened,
  RunReverted,
  TrainingFailed,
} from '#libs/run';
import { iterationHeader, iterationLine, type Iteration } from './iteration.ts';
import { liveLine, plainLines } from './live-line.ts';
import { baselineLine, labelled, openingLines } from './opening.ts';
import { heading, outcomeOf, paintBar, styleOf, type Outcome } from './style.ts';
import {
  bar,
  callPlanted,
  clean,
  count,
  fit,
  metric,
  padEnd,
  percent,
  short,
  plural,
  signedPercent,
  sum,
  units,
  widthOf,
  wrap,
} from './text.ts';
import { findingLines } from './verdict.ts';

export interface RunPresenterOptions {
  readonly colour: boolean;
  /** Columns of the terminal; for a pipe 120 reads well. */
  readonly width: number;
  /** Whether the last line may be redrawn in place. */
  readonly live: boolean;
  readonly write: (text: string) => void;
}

/** Prints a run as it happens. */
export interface RunPresenter {
  /** The run's and its findings' events, each once, in the order of the log. Others are passed over. */
  readonly event: (event: RecordedEvent) => void;
  /** Steps of the training under way; shown on a live terminal only. */
  readonly trainingProgress: (progress: { readonly step: number; readonly of: number }) => void;
  /** Gives the terminal back. Call it also when following the run is broken off. */
  readonly end: () => void;
}

type Recorded<E extends Fact> = E extends Fact ? RecordedEvent<E> : never;

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const INDENT = '     ';
/** Findings that get a command of their own at the end. */
const POINTED_AT = 3;

const HALTED_BY: Readonly<Record<RunHalted['data']['by'], string>> = {
  'pre-loop': 'stopped at the pre-loop gate',
  'mid-loop': 'stopped at the mid-loop gate',
  'post-loop': 'stopped at the post-loop gate',
  mandate: 'stopped by the human mandate',
  'data-request': 'stopped at a request for data',
  baseline: 'the baseline does not run',
  human: 'stopped by a human',
};

/** What has to be remembered between events to print the next line. */
interface Progress {
  opened: RunOpened['data'] | null;
  left: number;
  baselineTrainings: number;
  baseline: number | null;
  line: number | null;
  iteration: Iteration | null;
  training: string | null;
  mutations: Map<string, { readonly number: number; readonly summary: string }>;
  divergence: DivergenceDetected['data'] | null;
  tally: { iterations: number; kept: number; discarded: number; failed: number; diverged: number };
  /** The end's message, if it was printed already. */
  said: string | null;
  findings: FindingProposed['data'][];
  frame: number;
}

export const runPresenter = (options: RunPresenterOptions): RunPresenter => {
  const style = styleOf(options);
  const { paint, width } = style;
  const terminal = options.live
    ? liveLine(options.write, options.width)
    : plainLines(options.write);
  const now: Progress = {
    opened: null,
    left: 0,
    baselineTrainings: 0,
    baseline: null,
    line: null,
    iteration: null,
    training: null,
    mutations: new Map(),
    divergence: null,
    tally: { iterations: 0, kept: 0, discarded: 0, failed: 0, diverged: 0 },
    said: null,
    findings: [],
    frame: 0,
  };

  const planted = (): readonly string[] => now.opened?.policy.data.planted ?? [];
  const said = (text: string): string => callPlanted(clean(text), planted());
  const charts = (): readonly RunOpened['data']['policy']['charts'][number]['kind'][] =>
    now.opened?.policy.charts.map(({ kind }) => kind) ?? [];
  const total = (): number => now.opened?.policy.budget.total ?? 0;

  const print = (...lines: readonly string[]): void => terminal.print(lines);
  const update = (change: Partial<Iteration>): void => {
    if (now.iteration !== null) now.iteration = { ...now.iteration, ...change };
  };

  /** Prints the iteration's line, once. */
  const decided = (outcome: Decision | Outcome): void => {
    if (now.iteration === null) return;
    const shown = typeof outcome === 'string' ? outcomeOf(paint, outcome) : outcome;
    print(iterationLine(style, charts(), now.iteration, shown));
    now.iteration = null;
  };

  const budgetBar = (columns: number): string => {
    const share = total() === 0 ? 0 : (total() - now.left) / total();
    return paintBar(paint, bar(share, columns), share);
  };

  const drawTraining = (progress: { readonly step: number; readonly of: number } | null): void => {
    if (!options.live || now.training === null) return;
    now.frame = (now.frame + 1) % FRAMES.length;
    const share = progress === null || progress.of === 0 ? 0 : progress.step / progress.of;
    const roomy = options.width >= 104;
    const { filled, empty } = bar(share, roomy ? 20 : 10);
    const label = padEnd(`training ${now.training}`, roomy ? Math.min(44, options.width - 80) : 20);
    const steps = progress === null ? '' : `${count(progress.step)}/${count(progress.of)} steps`;
    terminal.draw(
      [
        paint.cyan(FRAMES[now.frame]),
        label,
        paint.cyan(filled) + paint.dim(empty),
        padEnd(steps, 16),
        ...(roomy ? [paint.dim('budget'), budgetBar(12)] : []),
        `${units(now.left)} of ${units(total())} left`,
      ].join(' '),
    );
  };

  const failureNote = (data: TrainingFailed['data']): string => {
    const { failure, errorClass, errorFile, errorLine } = data;
    const place =
      errorFile === null ? '' : ` in ${errorFile}${errorLine === null ? '' : `:${errorLine}`}`;
    return clean(`${failure}${errorClass === null ? '' : `: ${errorClass}`}${place}`);
  };

  const failed = (note: string): void => {
    now.training = null;
    if (now.iteration === null) print(...labelled(style, 'baseline', paint.yellow(note)));
    update({ note });
  };

  const naming = (mutationId: string): string => {
    const known = now.mutations.get(mutationId);
    return known === undefined ? clean(mutationId) : `#${known.number} ${known.summary}`;
  };

  const reverted = (data: RunReverted['data']): void => {
    now.tally.diverged += 1;
    now.tally.kept -= data.undone.length - 1;
    now.line = data.toMetric;
    const fired = (now.divergence?.fired ?? [])
      .map((chart) => `${chart.chart} ${sum(chart.sum)} > h ${chart.decisionInterval}`)
      .join(', ');
    const undone = data.undone.map(naming).join('; ');
    const title = '↺ DIVERGENCE';
    const body = wrap(
      `${fired}. Back to the last stable state (tree ${short(data.toTree)}, log-loss ${metric(data.toMetric)}); ` +
        `undone: ${undone}.`,
      width - INDENT.length - widthOf(title) - 2,
    );
    print(
      ...body.map((text, index) =>
        index === 0
          ? `${INDENT}${paint.bold.magenta(title)}  ${paint.magenta(text)}`
          : `${INDENT}${' '.repeat(widthOf(title) + 2)}${paint.magenta(text)}`,
      ),
    );
    now.divergence = null;
  };

  const budgetLines = (): readonly string[] => {
    const spent = total() - now.left;
    const share = total() === 0 ? 0 : spent / total();
    return [
      `  ${paint.dim('budget       ')}${budgetBar(40)}  ${units(spent)} of ${units(total())} spent, ${percent(share, 0)} used`,
    ];
  };

  const tallyLines = (): readonly string[] => {
    const { iterations, kept, discarded, failed: crashed, diverged } = now.tally;
    const parts = [
      `${kept} kept and standing`,
      `${discarded} discarded`,
      ...(crashed > 0 ? [`${crashed} failed`] : []),
      ...(diverged > 0 ? [`${diverged} diverged`] : []),
    ];
    const gain =
      now.baseline === null || now.line === null || now.baseline === 0
        ? null
        : (now.baseline - now.line) / now.baseline;
    return [
      ...labelled(style, 'iterations', `${iterations}: ${parts.join(', ')}`),
      ...(kept === 0 || now.line === null || now.baseline === null || gain === null
        ? []
        : labelled(
            style,
            'line',
            `log-loss ${metric(now.line)}, baseline ${metric(now.baseline)} (gain ${signedPercent(gain)})`,
          )),
    ];
  };

  const haltLines = (message: string): readonly string[] => [
    '',
    ...wrap(clean(message), width - 4).map((text) => `  ${paint.bold.red(text)}`),
  ];

  const halted = (data: RunHalted['data']): void => {
    now.training = null;
    update({ note: HALTED_BY[data.by] });
    decided('halted');
    const places = data.breaches.flatMap(({ rule, file, line }) =>
      file === null ? [] : [`${rule} at ${clean(file)}${line === null ? '' : `:${line}`}`],
    );
    print(
      ...haltLines(data.message),
      ...places.map((place) => `  ${paint.red(fit(clean(place), width - 4))}`),
      `  ${paint.dim('A halt is final: nothing resumes this run, and it yields no findings.')}`,
      '',
      ...budgetLines(),
      ...tallyLines(),
      ...whereNext([]),
    );
  };

  const loopEnded = (data: LoopEnded['data']): void => {
    now.training = null;
    decided({ text: '– not tried', paint: paint.dim });
    if (now.said !== data.message) {
      print('', ...wrap(clean(data.message), width - 4).map((text) => `  ${paint.bold(text)}`));
    }
    print('', ...budgetLines(), ...tallyLines());
  };

  const whereNext = (findings: readonly string[]): readonly string[] => {
    const runId = now.opened?.runId ?? '';
    const commands: readonly (readonly [command: string, why: string])[] = [
      [`npx holdfast show ${runId}`, 'the run, iteration by iteration'],
      [`npx holdfast audit --run ${runId}`, 'every attempt, restore point and charge'],
      ...findings
        .slice(0, POINTED_AT)
        .map((id) => [`npx holdfast verify ${id}`, 'the chain again, row by row'] as const),
      ...findings
        .slice(0, 1)
        .map(
          (id) => [`npx holdfast replay ${id}`, 'train the pinned tree again and compare'] as const,
        ),
    ];
    const column = Math.max(...commands.map(([command]) => widthOf(command)));
    return [
      '',
      heading(style, 'WHERE TO LOOK NEXT'),
      ...commands.map(
        ([command, why]) => `  ${paint.cyan(padEnd(command, column))}  ${paint.dim(why)}`,
      ),
      '',
    ];
  };

  const runEvent = (event: Recorded<RunEvent>): void => {
    switch (event.type) {
      case 'RunOpened':
        now.opened = event.data;
        now.left = total();
        return print(...openingLines(style, event));
      case 'GatePassed':
        if (event.data.gate !== 'pre-loop') return;
        return print(
          ...labelled(
            style,
            'gate',
            `pre-loop: ${plural(event.data.checks.length, 'check')} passed`,
          ),
        );
      case 'TrainingLaunched':
        if (event.data.purpose === 'baseline') now.baselineTrainings += 1;
        now.training =
          event.data.purpose === 'baseline'
            ? `baseline ${now.baselineTrainings} of ${now.opened?.policy.replicates ?? 1}`
            : `#${now.iteration?.number ?? '?'} ${now.iteration?.summary ?? ''}`;
        return drawTraining(null);
      case 'TrainingCompleted':
        now.training = null;
        return;
      case 'TrainingFailed':
        return failed(failureNote(event.data));
      case 'TrainingTimedOut':
        return failed(`did not end within ${event.data.seconds} s`);
      case 'MetricObserved':
        return update({ observation: event.data.observation, charts: event.data.charts });
      case 'BaselineEstablished':
        now.baseline = event.data.metric;
        now.line = event.data.metric;
        return print(...baselineLine(style, event.data), '', iterationHeader(style, charts()));
      case 'HypothesisProposed':
        // A hypothesis that led to nothing, before this one.
        decided({ text: '– not tried', paint: paint.dim });
        now.tally.iterations += 1;
        now.iteration = {
          number: event.data.number,
          hypothesis: said(event.data.statement),
          summary: null,
          domain: null,
          cost: 0,
          left: now.left,
          observation: null,
          charts: [],
          note: null,
        };
        return;
      case 'BudgetCharged':
        now.left = event.data.remaining;
        update({ cost: (now.iteration?.cost ?? 0) + event.data.cost, left: now.left });
        if (event.data.charge !== 'metric') return;
        update({ note: 'measured from now on, never decides' });
        return decided({ text: '+ measured', paint: paint.cyan });
      case 'MutationProposed': {
        const summary = said(event.data.summary);
        now.mutations.set(event.data.mutationId, { number: now.iteration?.number ?? 0, summary });
        return update({ summary, domain: event.data.measuredDomain ?? event.data.declaredDomain });
      }
      case 'SecondaryMetricProposed':
        return update({ summary: `measure ${clean(event.data.name)} as well`, domain: 'metric' });
      case 'ProposalRefused':
        return print(
          `${INDENT}${paint.yellow(fit(`proposal of #${now.iteration?.number ?? '?'} refused (${event.data.inARow} in a row): ${said(event.data.reason)}`, width - 8))}`,
        );
      case 'CohortsServed':
        return print(
          `${INDENT}${paint.dim(fit(`the agent was given cohorts by ${event.data.dimensions.map(said).join(' × ')}: ${count(event.data.cells)} cells, ${count(event.data.people)} people`, width - 8))}`,
        );
      case 'MutationKept':
        now.tally.kept += 1;
        now.line = event.data.metric;
        return decided('kept');
      case 'MutationReverted':
        if (event.data.reason === 'post-loop-gate') return decided('halted');
        if (event.data.reason === 'not-better-than-noise') {
          now.tally.discarded += 1;
          return decided('discarded');
        }
        now.tally.failed += 1;
        return decided(event.data.reason === 'timed-out' ? 'timed-out' : 'failed');
      case 'DivergenceDetected':
        now.divergence = event.data;
        return decided('reverted');
      case 'RunReverted':
        return reverted(event.data);
      case 'BudgetExhausted':
        update({ note: `${units(event.data.asked)} asked, ${units(event.data.remaining)} left` });
        decided({ text: '– not paid', paint: paint.red });
        now.said = event.data.message;
        return print(...haltLines(event.data.message));
      case 'RunHalted':
        return halted(event.data);
      case 'LoopEnded':
        return loopEnded(event.data);
      case 'RunHeadSigned':
        return print(
          ...labelled(
            style,
            'head',
            `revision ${event.data.revision}, hash ${short(event.data.hash)}, signed by key ${short(event.data.signature.keyId)}`,
          ),
        );
      case 'RunClosed':
        if (event.data.findings.length === 0) {
          print(
            '',
            `  ${paint.dim('No finding: nothing that stands could be told from the baseline.')}`,
          );
        }
        return print(...whereNext(event.data.findings.map(({ findingId }) => findingId)));
      default:
        return;
    }
  };

  const findingEvent = (event: Recorded<FindingEvent>): void => {
    switch (event.type) {
      case 'FindingProposed':
        if (now.findings.length === 0) {
          print(
            '',
            `${heading(style, 'FINDINGS')}  ${paint.dim(`scored once on the sealed rows (look ${event.data.sealedLook})`)}`,
          );
        }
        now.findings.push(event.data);
        return;
      case 'FindingVerified': {
        const { findingId } = event.data;
        const finding = now.findings.find((one) => one.findingId === findingId);
        if (finding === undefined) return;
        return print(
          '',
          ...findingLines(style, { ...finding, ...finding.claim }, event.data, 'names'),
        );
      }
      case 'AcceptedLineReverted':
        return print(
          `         ${paint.red(`accepted line taken back to tree ${short(event.data.toTree)}`)}`,
        );
      case 'FindingReviewed':
        return print(
          `  ${event.data.findingId}: ${event.data.decision} by a reviewer: ${said(event.data.reason)}`,
        );
      case 'FindingAccepted':
        return print(
          `  ${event.data.findingId}: the accepted line now is tree ${short(event.data.tree)}`,
        );
      default:
        return;
    }
  };

  return {
    event: (event) => {
      if (event.stream.startsWith('run-')) runEvent(event as Recorded<RunEvent>);
      else if (event.stream.startsWith('finding-')) findingEvent(event as Recorded<FindingEvent>);
      drawTraining(null);
    },
    trainingProgress: drawTraining,
    end: () => {
      now.training = null;
      terminal.clear();
    },
  };
};
