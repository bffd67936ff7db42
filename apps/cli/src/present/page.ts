import {
  chartsOf as candidateCharts,
  type ChartReading,
  type DivergenceDetected,
} from '#libs/divergence';
import type { FindingEvent, FindingProposed } from '#libs/findings';
import type { Fact, RecordedEvent } from '#libs/kernel';
import type { RunEvent, RunOpened, TrainingLaunched } from '#libs/run';
import type { Iteration } from './iteration.ts';
import { paintBar, type Style } from './style.ts';
import { bar, callPlanted, clean } from './text.ts';

type Recorded<E extends Fact> = E extends Fact ? RecordedEvent<E> : never;

type Shown = RunEvent | FindingEvent;

/** What a phase prints on the events that it knows; the others are passed over. */
export type Handlers = {
  readonly [Type in Shown['type']]?: (
    event: Recorded<Extract<Shown, { readonly type: Type }>>,
  ) => void;
};

/** What has to be remembered between events to print the next line. */
export interface Progress {
  opened: RunOpened['data'] | null;
  left: number;
  baselineTrainings: number;
  baseline: number | null;
  /** The log-loss of the line that stands. */
  line: number | null;
  iteration: Iteration | null;
  /** What is being trained. */
  training: string | null;
  /** The newest training: what for, and with which seed. */
  launched: Pick<TrainingLaunched['data'], 'purpose' | 'seed'> | null;
  readonly mutations: Map<string, { readonly number: number; readonly summary: string }>;
  divergence: DivergenceDetected['data'] | null;
  readonly tally: {
    iterations: number;
    kept: number;
    discarded: number;
    failed: number;
    diverged: number;
  };
  /** The end's message, if it was printed already. */
  said: string | null;
  readonly findings: FindingProposed['data'][];
  /** Findings whose verdict was printed. */
  verdicts: number;
  /** Where to look next; said once nothing more comes. */
  next: readonly string[];
}

/** The page that a run is printed on, shared by its phases. */
export interface Page {
  readonly style: Style;
  readonly now: Progress;
  readonly print: (...lines: readonly string[]) => void;
}

export const progressAtFirst = (): Progress => ({
  opened: null,
  left: 0,
  baselineTrainings: 0,
  baseline: null,
  line: null,
  iteration: null,
  training: null,
  launched: null,
  mutations: new Map(),
  divergence: null,
  tally: { iterations: 0, kept: 0, discarded: 0, failed: 0, diverged: 0 },
  said: null,
  findings: [],
  verdicts: 0,
  next: [],
});

/** What an agent wrote, on one line, with what was planted called so. */
export const saidBy = ({ now }: Page, text: string): string =>
  callPlanted(clean(text), now.opened?.policy.data.planted ?? []);

/** The run's charts that read its candidates, in the order of its policy; re-measurements have lines of their own. */
export const chartsOf = ({ now }: Page): readonly ChartReading['chart'][] =>
  now.opened === null
    ? []
    : candidateCharts(now.opened.policy, 'candidate').map(({ kind }) => kind);

export const totalOf = ({ now }: Page): number => now.opened?.policy.budget.total ?? 0;

export const spentShare = (page: Page): number => {
  const total = totalOf(page);
  return total === 0 ? 0 : (total - page.now.left) / total;
};

export const budgetBar = (page: Page, columns: number): string => {
  const share = spentShare(page);
  return paintBar(page.style.paint, bar(share, columns), share);
};
