import { parseBody } from '#libs/event-log';
import type { FindingEvent } from '#libs/findings';
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
  for await (const { stream, canonical } of log.readStored()) {
    if (!/-\d+-f\d+$/.test(stream) || !stream.startsWith(`finding-${studyId}-`)) continue;
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

const bodyOf = (canonical: Uint8Array): FindingEvent | null => {
  try {
    return parseBody(canonical) as unknown as FindingEvent;
  } catch {
    return null;
  }
};

/** Points the study's ref at where the log says that the accepted line stands; a ref that lags is mended by it. */
export const pointAcceptedRef = async (home: Home, studyId: string): Promise<void> => {
  const { tree } = await acceptedLine(home, studyId);
  if (tree === null || (await home.sourceTree.readRef(`accepted/${studyId}`)) === tree) return;
  await home.sourceTree.setRef(`accepted/${studyId}`, tree);
};
