import { withoutKey, type PrivateText } from '#libs/kernel';
import type { LoopEnded, RunHalted } from '#libs/run';
import { decided, notTried } from './iterations.ts';
import { labelled } from './opening.ts';
import { budgetBar, spentShare, totalOf, type Handlers, type Page } from './page.ts';
import { heading } from './style.ts';
import {
  clean,
  fit,
  metric,
  padEnd,
  percent,
  short,
  signedPercent,
  units,
  widthOf,
  wrap,
} from './text.ts';

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

const budgetLine = (page: Page): string => {
  const { paint, width } = page.style;
  const total = totalOf(page);
  const label = '  budget       ';
  const words = `  ${units(total - page.now.left)} of ${units(total)} spent, ${percent(spentShare(page), 0)} used`;
  const room = Math.min(40, width - widthOf(label) - widthOf(words));
  return `${paint.dim(label)}${budgetBar(page, room)}${words}`;
};

const tallyLines = ({ style, now }: Page): readonly string[] => {
  const { iterations, kept, discarded, failed, diverged } = now.tally;
  const parts = [
    `${kept} kept and standing`,
    `${discarded} discarded`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(diverged > 0 ? [`${diverged} diverged`] : []),
  ];
  return [
    ...labelled(style, 'iterations', `${iterations}: ${parts.join(', ')}`),
    ...(kept > 0 && now.baseline !== null && now.line !== null
      ? labelled(style, 'line', lineThatStands(now.baseline, now.line))
      : []),
  ];
};

const lineThatStands = (baseline: number, line: number): string => {
  const gain = baseline === 0 ? '' : ` (gain ${signedPercent((baseline - line) / baseline)})`;
  return `log-loss ${metric(line)}, baseline ${metric(baseline)}${gain}`;
};

const whereNext = ({ style, now }: Page, findingIds: readonly string[]): readonly string[] => {
  const { paint, width } = style;
  const runId = now.opened?.runId ?? '';
  const commands: readonly (readonly [command: string, why: string])[] = [
    [`npx holdfast show ${runId}`, 'the run, iteration by iteration'],
    [`npx holdfast audit --run ${runId}`, 'every attempt, restore point and charge'],
    ...findingIds
      .slice(0, POINTED_AT)
      .map((id) => [`npx holdfast verify ${id}`, 'the chain again, row by row'] as const),
    ...findingIds
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
      ([command, why]) =>
        `  ${paint.cyan(padEnd(command, column))}  ${paint.dim(fit(why, width - column - 4))}`,
    ),
    '',
  ];
};

/** What the harness says, and what a human said. */
const because = (message: string, note: PrivateText | null): string =>
  note === null ? message : `${message}: ${withoutKey(note)}`;

/** The loop's end, a halt, the close. */
/** How a loop ended, before the words of whoever ended it; the budget speaks for itself. */
const ENDED: Readonly<Record<LoopEnded['data']['reason'], string>> = {
  exhausted: '',
  finished: 'The agent is finished: ',
  stopped: 'Stopped by a human: ',
  refusals: 'The loop ended: ',
};

export const ending = (page: Page): Handlers => {
  const { style, now, print } = page;
  const { paint, width } = style;
  const message = (text: string, tone: (text: string) => string): readonly string[] =>
    wrap(clean(text), width - 4).map((line) => `  ${tone(line)}`);
  return {
    RunHalted: ({ data }) => {
      now.training = null;
      decided(page, 'halted', HALTED_BY[data.by]);
      const places = data.breaches.flatMap(({ rule, file, line }) =>
        file === null ? [] : [`${rule} at ${clean(file)}${line === null ? '' : `:${line}`}`],
      );
      print(
        '',
        ...message(because(data.message, data.note), paint.bold.red),
        ...places.map((place) => `  ${paint.red(fit(clean(place), width - 4))}`),
        `  ${paint.dim('A halt is final: nothing resumes this run, and it yields no findings.')}`,
        '',
        budgetLine(page),
        ...tallyLines(page),
      );
      now.next = whereNext(page, []);
    },
    LoopEnded: ({ data }) => {
      now.training = null;
      notTried(page);
      if (now.said !== data.message)
        print(
          '',
          ...message(
            data.note === null
              ? `${ENDED[data.reason]}${data.message}`
              : `${ENDED[data.reason]}${withoutKey(data.note)}`,
            paint.bold,
          ),
        );
      print('', budgetLine(page), ...tallyLines(page));
    },
    RunHeadSigned: ({ data }) =>
      print(
        ...labelled(
          style,
          'head',
          `revision ${data.revision}, hash ${short(data.hash)}, signed by key ${short(data.signature.keyId)}`,
        ),
      ),
    RunClosed: ({ data }) => {
      if (data.findings.length === 0)
        print(
          '',
          `  ${paint.dim('No finding: nothing that stands could be told from the baseline.')}`,
        );
      print('');
      now.next = whereNext(
        page,
        data.findings.map(({ findingId }) => findingId),
      );
    },
  };
};
