import { openSealing, sealLog, type Anchored } from '#apps/runner';
import { counted, reasonOf } from '#libs/kernel';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

/** Another process that signs is about to be done, or a service that does it for good. */
const PATIENCE_MS = 5_000;

const say = (text: string): void => void process.stderr.write(`holdfast: ${text}\n`);

/** Those who could not be given a checkpoint: on the error output, since the log is signed all the same. */
export const sayAnchors = (anchors: readonly Anchored[]): void => {
  for (const { kind, by, problem } of anchors)
    if (problem !== null)
      say(
        `the checkpoint is not held by ${by} (${kind}), and is offered again with the next one: ${problem}`,
      );
};

/**
 * Signs an embedded log when a run has ended; a service has a notary for that. A log that can't be signed spoils no run:
 * it is said, and signed by whoever signs next.
 */
export const sealAfterRun = async ({
  home,
  notary,
  isEmbedded,
  output,
}: Session): Promise<void> => {
  if (!isEmbedded) return;
  try {
    const sealing = await openSealing(home.folder, notary);
    const sealed = sealing.ok ? await sealLog(home, sealing.value, PATIENCE_MS) : sealing;
    if (!sealed.ok) return say(`the log was not signed: ${sealed.error.message}`);
    const { checkpoint, origin, anchors } = sealed.value;
    if (checkpoint !== null && !output.json)
      output.line(signedLine(output, checkpoint.size, origin));
    sayAnchors(anchors);
  } catch (error) {
    say(`the log was not signed: ${reasonOf(error)}`);
  }
};

export const signedLine = ({ style }: Output, size: number, origin: string): string =>
  style.paint.dim(`log signed: ${counted(size, 'event')} of ${origin}`);
