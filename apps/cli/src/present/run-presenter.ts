import type { RecordedEvent } from '#libs/kernel';
import { ending } from './ending.ts';
import { findings } from './findings.ts';
import { iterations } from './iterations.ts';
import { liveLine, plainLines } from './live-line.ts';
import { opening } from './opening.ts';
import { progressAtFirst, type Handlers, type Page } from './page.ts';
import { styleOf } from './style.ts';
import { trainingLine, type TrainingProgress } from './training-line.ts';

export interface RunPresenterOptions {
  readonly colour: boolean;
  /** Columns of the terminal; for a pipe 132 read well. */
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
  readonly trainingProgress: (progress: TrainingProgress) => void;
  /** Says where to look next and gives the terminal back. Call it also when following the run is broken off. */
  readonly end: () => void;
}

export const runPresenter = (options: RunPresenterOptions): RunPresenter => {
  const terminal = options.live
    ? liveLine(options.write, options.width)
    : plainLines(options.write);
  const page: Page = {
    style: styleOf(options),
    now: progressAtFirst(),
    print: (...lines) => terminal.print(lines),
  };
  const phases: Handlers = {
    ...opening(page),
    ...iterations(page),
    ...ending(page),
    ...findings(page),
  };
  const training = trainingLine(page);
  const draw = (progress: TrainingProgress | null): void => {
    const line = options.live ? training(progress) : null;
    if (line !== null) terminal.draw(line);
  };
  return {
    event: (event) => {
      if (!/^(?:run|finding)-/u.test(event.stream)) return;
      const handle = phases[event.type as keyof Handlers] as
        ((event: RecordedEvent) => void) | undefined;
      handle?.(event);
      draw(null);
    },
    trainingProgress: draw,
    end: () => {
      page.now.training = null;
      page.print(...page.now.next);
      page.now.next = [];
      terminal.clear();
    },
  };
};
