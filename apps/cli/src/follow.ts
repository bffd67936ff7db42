import type { Home } from '#apps/runner';
import type { RecordedEvent } from '#libs/kernel';
import { eventJson, jsonLine, type Output } from './output.ts';
import { runPresenter } from './present/run-presenter.ts';

/** Shows a run's and its findings' events; `progress` and `end` are for a live terminal. */
export interface RunView {
  readonly event: (event: RecordedEvent) => void;
  readonly progress: (progress: { readonly step: number; readonly of: number }) => void;
  readonly end: () => void;
}

export const runView = (output: Output): RunView => {
  if (output.json)
    return {
      event: (event) => {
        jsonLine(output, eventJson(event));
      },
      progress: () => undefined,
      end: () => undefined,
    };
  const { style, width, live, write } = output;
  const presenter = runPresenter({ colour: style.paint.level > 0, width, live, write });
  return {
    event: presenter.event,
    progress: presenter.trainingProgress,
    end: presenter.end,
  };
};

/** The last event that a run's stream ever gets: its head is signed after the close or the halt. */
const ends = (events: readonly string[]): boolean =>
  events.at(-1) === 'RunHeadSigned' && ['RunClosed', 'RunHalted'].includes(events.at(-2) ?? '');

/**
 * Gives every event of a run and of its findings to the view, in log order, from the first one to the last one ever
 * or until the signal.
 */
export const followRun = async (
  home: Home,
  runId: string,
  view: RunView,
  signal: AbortSignal,
): Promise<void> => {
  const stopped = new AbortController();
  const own: string[] = [];
  for await (const event of home.log.subscribe({
    signal: AbortSignal.any([signal, stopped.signal]),
  })) {
    if (event.metadata.correlationId !== runId) continue;
    view.event(event);
    if (event.stream === `run-${runId}`) own.push(event.type);
    if (ends(own)) stopped.abort();
  }
};
