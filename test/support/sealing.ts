import { NO_ANCHORS, openSealing, sealLog, type NotaryLedger } from '#apps/runner';
import { good } from './results.ts';

/** Signs a log with the key in its home, and gives the checkpoint to nobody. */
export const sealAlone = async (ledger: NotaryLedger) =>
  sealLog(
    ledger,
    good(await openSealing(ledger.folder, { key: null, origin: null, ...NO_ANCHORS })),
  );
