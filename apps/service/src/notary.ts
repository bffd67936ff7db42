import type { Logger } from 'pino';
import { followNotary, openSealing, type Ledger } from '#apps/runner';
import type { ServiceConfig } from '#libs/config';
import { ok, type Refusal, type Result } from '#libs/kernel';

/** Follows the log as its notary; it is given the ledger and the notary's key, and no other. */
export const serveNotary = async (
  ledger: Ledger,
  { notary }: ServiceConfig,
  log: Logger,
): Promise<Result<{ readonly close: () => Promise<void> }, Refusal>> => {
  const sealing = await openSealing(ledger.folder, notary);
  if (!sealing.ok) return sealing;
  const stopping = new AbortController();
  const following = followNotary(ledger, {
    ...sealing.value,
    ...{ intervalMs: notary.intervalMs, signal: stopping.signal },
    onSealed: ({ checkpoint, isNew, origin, verifierKey, anchors }) => {
      if (isNew)
        log.info({ part: 'notary', origin, size: checkpoint?.size, verifierKey }, 'signed');
      for (const { kind, by, problem } of anchors)
        if (problem !== null) log.warn({ part: 'notary', kind, by }, problem);
    },
    onNotice: (notice) => {
      log.error({ part: 'notary' }, notice);
    },
  });
  return ok({
    close: async () => {
      stopping.abort();
      await following;
    },
  });
};
