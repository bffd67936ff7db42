import { parseBody } from '#libs/event-log';
import type { FindingProposed } from '#libs/findings';
import type { StoredEvent } from '#libs/kernel';
import type { FindingStreams } from '#libs/provenance';
import type { ForkPoint } from '#libs/run';
import type { Ledger } from '../ledger.ts';
import { studyOf } from './names.ts';

/** A finding's streams as they are stored. */
export const streamsOf = (
  { log }: Pick<Ledger, 'log'>,
  findingId: string,
  runId: string,
): FindingStreams => ({
  events: log.readStored({ stream: `run-${runId}` }),
  findingEvents: log.readStored({ stream: `finding-${findingId}` }),
  studyEvents: log.readStored({ stream: `study-${studyOf(runId)}` }),
  dataEvents: (digest) => log.readStored({ stream: `data-${digest}` }),
});

/** The finding of a run that leads to this state of it; null where none does. Reads bytes as they are stored. */
export const findingAt = async (
  { log }: Pick<Ledger, 'log'>,
  { runId, mutationId, tree }: ForkPoint,
): Promise<string | null> => {
  for (let number = 1; ; number += 1) {
    const findingId = `${runId}-f${number}`;
    const chain = await chainOf(log.readStored({ stream: `finding-${findingId}`, limit: 1 }));
    if (chain === undefined) return null;
    if (chain?.toTree === tree && chain.mutations.at(-1) === mutationId) return findingId;
  }
};

/** What a finding claims of its chain; undefined where there is no finding, null where it can't be read. */
const chainOf = async (
  events: AsyncIterable<StoredEvent>,
): Promise<FindingProposed['data']['chain'] | null | undefined> => {
  for await (const { canonical } of events) {
    try {
      const { data } = parseBody(canonical) as unknown as FindingProposed;
      return Array.isArray(data.chain.mutations) ? data.chain : null;
    } catch {
      return null;
    }
  }
  return undefined;
};
