import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '#libs/kernel';
import { NOTARY } from '../streams.ts';
import { asNotary, type Notary, type NotaryLedger, type SealRefusal } from './notary.ts';
import { sealAndAnchor, type SealedAndAnchored, type Sealing } from './seal.ts';

export interface NotaryDuty extends Sealing {
  /** After how long a log that grew is signed. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly onSealed: (sealed: SealedAndAnchored) => void;
  /** An alarm, a key that isn't the log's, a log that can't be reached: said, and tried again. */
  readonly onNotice: (notice: string) => void;
}

/** Events after which a run's log is signed at once. */
const AT_ONCE: readonly string[] = ['RunClosed', 'RunHeadSigned'];

/** How often one looks whether the notary's lease is free. */
const STAND_BY_MS = 2_000;

/** Wakes who waits: at an event that is worth it, at the latest after a time. */
interface Bell {
  /** Something came since it was asked for last. */
  isDue: boolean;
  ring: () => void;
}

/**
 * Follows the log as its notary: signs at an interval if it grew, and at once when a run ends. Of several one follows,
 * the others stand by. Ends when the signal aborts; what goes wrong is said and tried again.
 */
export const followNotary = async (ledger: NotaryLedger, duty: NotaryDuty): Promise<void> => {
  const { signal, intervalMs, onNotice } = duty;
  const pause = (ms: number, woken: AbortSignal = signal): Promise<unknown> =>
    sleep(ms, null, { signal: AbortSignal.any([signal, woken]) }).catch(() => undefined);
  const over = (): boolean => signal.aborted;
  const said = new Set<string>();
  /** An alarm stands until somebody settles it: it is said once. */
  const say = ({ message }: Pick<SealRefusal, 'message'>): void => {
    if (!said.has(message)) onNotice(message);
    said.add(message);
  };

  const serve = async (notary: Notary, held: AbortSignal): Promise<void> => {
    const bell: Bell = { isDue: true, ring: () => undefined };
    const done = new AbortController();
    const watched = AbortSignal.any([held, done.signal]);
    let watching: Promise<void> | null = null;
    try {
      while (!held.aborted) {
        if (bell.isDue) {
          bell.isDue = false;
          const sealed = await sealAndAnchor(ledger, notary, duty.anchors);
          if (sealed.ok) {
            said.clear();
            duty.onSealed(sealed.value);
          } else {
            // It is looked at again, since it may be settled, or the key be put right.
            bell.isDue = true;
            say(sealed.error);
          }
        }
        watching ??= watch(ledger, notary.reached(), watched, bell, say);
        const woken = new AbortController();
        bell.ring = () => woken.abort();
        await pause(intervalMs, AbortSignal.any([held, woken.signal]));
      }
    } finally {
      done.abort();
      await watching;
    }
  };

  while (!over()) {
    try {
      const outcome = await asNotary(
        ledger,
        duty,
        async (notary, held) => {
          await serve(notary, held);
          return { ok: true, value: null };
        },
        { stopping: signal, patienceMs: 0 },
      );
      if (!outcome.ok) await pause(STAND_BY_MS);
    } catch (error) {
      if (over()) return;
      say({ message: reasonOf(error) });
      await pause(Math.min(intervalMs, STAND_BY_MS));
    }
  }
};

/** Hears of what is appended. What can't be read is the notary's to judge, which reads what is stored. */
const watch = async (
  { log }: NotaryLedger,
  from: number | null,
  signal: AbortSignal,
  bell: Bell,
  say: (problem: { readonly message: string }) => void,
): Promise<void> => {
  const over = (): boolean => signal.aborted;
  let after = from;
  while (!over()) {
    try {
      for await (const event of log.subscribe({ signal, ...(after !== null && { after }) })) {
        after = event.position;
        if (event.stream === NOTARY) continue;
        bell.isDue = true;
        if (AT_ONCE.includes(event.type)) bell.ring();
      }
      return;
    } catch (error) {
      if (over()) return;
      bell.isDue = true;
      bell.ring();
      say({ message: reasonOf(error) });
      await sleep(STAND_BY_MS, null, { signal }).catch(() => undefined);
    }
  }
};
