import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '#apps/runner';
import type { ApiLogger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { sourcesOf } from './sources.ts';

/** How long a log that can't be followed is left alone. */
const RETRY_MS = 5_000;

/** Counts events as they are recorded, by whom ever, until the signal. A log that is away is waited for. */
export const followEvents = async (
  ledger: Pick<Ledger, 'log' | 'views'>,
  metrics: Metrics,
  { log }: ApiLogger,
  signal: AbortSignal,
): Promise<void> => {
  const over = (): boolean => signal.aborted;
  let after: number | null = null;
  while (!over()) {
    try {
      after ??= await sourcesOf(ledger).logPosition();
      for await (const { position, type } of ledger.log.subscribe({
        ...(after > 0 && { after }),
        signal,
      })) {
        if (position > after) metrics.recorded(type);
        after = position;
      }
    } catch (error) {
      if (over()) return;
      log.warn({ err: error }, 'events can not be counted; tried again');
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
};
