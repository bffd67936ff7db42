import type { Ledger } from '#apps/runner';
import type { RecordedEvent } from '#libs/kernel';
import { refusedBecause, type VisibleRun } from '../../ledger/visible.ts';

/** Nothing more will come: its last head is signed, or it could not be opened. */
export const isOver = (found: VisibleRun): boolean =>
  found.run === null ? refusedBecause(found) !== null : found.run.state.node === 'sealed';

/** The position of the first event of the run: of its request, or of its opening where nobody asked for it. */
export const startOfRun = async (
  { log }: Ledger,
  { runId, study }: VisibleRun,
): Promise<number> => {
  for await (const event of log.readStream(`study-${study.studyId}`))
    if (isOfRun(event, runId)) return event.position;
  for await (const { position } of log.readStream(`run-${runId}`, { limit: 1 })) return position;
  return 0;
};

/** What the study's stream says of the run: that it was asked for, counted, or refused. */
const isOfRun = ({ data }: RecordedEvent, runId: string): boolean =>
  typeof data === 'object' && data !== null && 'runId' in data && data.runId === runId;

/** Every event about the run after a position, in log order, as they come; ends with the run. */
export async function* eventsOfRun(
  ledger: Ledger,
  { runId, study }: VisibleRun,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent> {
  for await (const event of ledger.log.subscribe({ after, signal })) {
    const { stream, type, metadata } = event;
    const own = metadata.correlationId === runId;
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
