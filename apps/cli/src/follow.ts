import { studyOf, type Home } from '#apps/runner';
import { shownEvent } from '#libs/erasable';
import type { RecordedEvent } from '#libs/kernel';
import type { RunCounted, StudyEvent } from '#libs/studies';
import { eventJson, jsonLine, type Output } from './output.ts';
import { runPresenter } from './present/run-presenter.ts';

/** Shows a run's and its findings' events, what people wrote in clear where it is no JSON of what is hashed; `progress` and `end` are for a live terminal. */
export interface RunView {
  readonly event: (event: RecordedEvent) => Promise<void>;
  readonly progress: (progress: { readonly step: number; readonly of: number }) => void;
  readonly end: () => void;
}

export const runView = (output: Output, { erasables }: Pick<Home, 'erasables'>): RunView => {
  if (output.json)
    return {
      event: async (event) => {
        jsonLine(output, eventJson(event));
      },
      progress: () => undefined,
      end: () => undefined,
    };
  const { style, width, live, write } = output;
  const presenter = runPresenter({ colour: style.paint.level > 0, width, live, write });
  return {
    event: async (event) => {
      presenter.event(await shownEvent(erasables, event));
    },
    progress: presenter.trainingProgress,
    end: presenter.end,
  };
};

/** Where to read from, so that a run's and its findings' events are all there and a long log before them is passed over. */
export const beforeRun = async (home: Home, runId: string): Promise<{ after?: number }> => {
  // A run is counted before anything else is said of it.
  for await (const { type, data, position } of home.log.readStream<StudyEvent>(
    `study-${studyOf(runId)}`,
  ))
    if (type === 'RunCounted' && (data as RunCounted['data']).runId === runId)
      return { after: position };
  return {};
};

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
  let previous = '';
  for await (const event of home.log.subscribe({
    ...(await beforeRun(home, runId)),
    signal: AbortSignal.any([signal, stopped.signal]),
  })) {
    if (event.metadata.correlationId !== runId) continue;
    await view.event(event);
    if (event.stream !== `run-${runId}`) continue;
    // A run's stream ends with its head signed after the close or the halt.
    if (event.type === 'RunHeadSigned' && ['RunClosed', 'RunHalted'].includes(previous))
      stopped.abort();
    previous = event.type;
  }
};
