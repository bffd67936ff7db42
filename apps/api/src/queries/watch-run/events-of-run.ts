import type { Ledger } from '#apps/runner';
import type { RecordedEvent } from '#libs/kernel';
import { refusedBecause, type VisibleRun } from '../../ledger/visible.ts';

/** Nothing more will come: its last head is signed, or it could not be opened. */
export const isOver = (found: VisibleRun): boolean =>
  found.run === null ? refusedBecause(found) !== null : found.run.state.node === 'sealed';

/** The first event of the run: its request, or its count where nobody asked for it. */
const firstOfRun = async (
  { log }: Ledger,
  { runId, study }: VisibleRun,
): Promise<RecordedEvent> => {
  for await (const event of log.readStream(`study-${study.studyId}`))
    if (isOfRun(event, runId)) return event;
  for await (const event of log.readStream(`run-${runId}`, { limit: 1 })) return event;
  throw new Error(`run ${runId} has no first event`);
};

/** What the study's stream says of the run: that it was asked for, counted, or refused. */
const isOfRun = ({ data }: RecordedEvent, runId: string): boolean =>
  typeof data === 'object' && data !== null && 'runId' in data && data.runId === runId;

/**
 * Every event about the run, in log order, as they come: all of them, or those after a position. Ends with the run.
 */
export async function* eventsOfRun(
  ledger: Ledger,
  run: VisibleRun,
  resumeAfter: number | null,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent> {
  const { runId, study } = run;
  const first = resumeAfter === null ? await firstOfRun(ledger, run) : null;
  if (first !== null) yield first;
  const after = first?.position ?? resumeAfter ?? 0;
  for await (const event of ledger.log.subscribe({ ...(after > 0 && { after }), signal })) {
    const { position, stream, type, metadata } = event;
    // A log begins anew for a position that it never gave.
    if (position <= after) continue;
    // The run's own stream and its findings': whoever reads under a run's name is not of it.
    const own = metadata.correlationId === runId && /^(?:run|finding)-/.test(stream);
    if (!own && !(stream === `study-${study.studyId}` && isOfRun(event, runId))) continue;
    yield event;
    if (type === 'RunRefused') return;
    // The head is signed twice: before the findings are proved, and at the end.
    if (type === 'RunHeadSigned' && (await sealedAt(ledger, runId)) === event.revision) return;
  }
}

/** The revision at which the run was sealed; null while it is not. */
const sealedAt = async ({ runs }: Ledger, runId: string): Promise<number | null> => {
  const { state, head } = await runs.load(runId);
  return state.node === 'sealed' ? (head?.revision ?? null) : null;
};
