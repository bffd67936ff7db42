import { parseBody } from '#libs/event-log';
import type { FindingEvent } from '#libs/findings';
import type { StoredEvent } from '#libs/kernel';
import type { Home } from '../home.ts';

/** Where a study's accepted line stands, from the log alone. */
export interface AcceptedLine {
  /** The tree that it points at; null when nothing was ever accepted. */
  readonly tree: string | null;
  /** Accepted findings that were not discarded since, oldest first. */
  readonly standing: readonly { readonly findingId: string; readonly tree: string }[];
}

/**
 * Folds what people accepted and what verdicts took back. Reads the bytes as they are stored and passes over what
 * is no event: a damaged log must not keep a finding from being blocked.
 */
export const acceptedLine = async (
  { log }: Pick<Home, 'log'>,
  studyId: string,
): Promise<AcceptedLine> => {
  let tree: string | null = null;
  let standing: AcceptedLine['standing'] = [];
  for (const { canonical } of await findingEventsOf(log, studyId)) {
    const event = bodyOf(canonical);
    switch (event?.type) {
      case 'FindingAccepted':
        ({ tree } = event.data);
        standing = [...standing, event.data];
        break;
      case 'FindingDiscarded': {
        const { findingId } = event.data;
        standing = standing.filter((accepted) => accepted.findingId !== findingId);
        break;
      }
      case 'AcceptedLineReverted':
        tree = event.data.toTree;
        break;
      default:
    }
  }
  return { tree, standing };
};

/** Findings are numbered without holes; a few that somebody took out must not hide those behind them. */
const MOST_MISSING = 3;

/**
 * Every event of every finding of a study, in log order. The streams are found by their names: a run counts once in
 * its study's stream, so its number is no higher than that stream is long, whatever its events say.
 */
const findingEventsOf = async (
  log: Home['log'],
  studyId: string,
): Promise<readonly StoredEvent[]> => {
  const found: StoredEvent[] = [];
  const studyEvents = await all(log.readStored({ stream: `study-${studyId}` }));
  for (let run = 1; run <= studyEvents.length; run += 1)
    for (let number = 1, missing = 0; missing < MOST_MISSING; number += 1) {
      const events = await all(log.readStored({ stream: `finding-${studyId}-${run}-f${number}` }));
      missing = events.length === 0 ? missing + 1 : 0;
      found.push(...events);
    }
  return found.sort((one, other) => one.position - other.position);
};

const all = async (events: AsyncIterable<StoredEvent>): Promise<readonly StoredEvent[]> => {
  const list: StoredEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
};

const bodyOf = (canonical: Uint8Array): FindingEvent | null => {
  try {
    return parseBody(canonical) as unknown as FindingEvent;
  } catch {
    return null;
  }
};

/**
 * Points the study's ref at where the log says that the accepted line stands; a ref that lags is mended by it. Looks
 * again after each move: somebody who read the log earlier may have moved the ref later.
 */
export const pointAcceptedRef = async (home: Home, studyId: string): Promise<void> => {
  const name = `accepted/${studyId}`;
  for (;;) {
    const { tree } = await acceptedLine(home, studyId);
    if (tree === null || (await home.sourceTree.readRef(name)) === tree) return;
    await home.sourceTree.setRef(name, tree);
  }
};
