import type { FindingEvidence } from '#libs/exports';
import type { FindingEvent } from '#libs/findings';
import {
  ok,
  refused,
  type Fact,
  type RecordedEvent,
  type Refusal,
  type Result,
} from '#libs/kernel';
import type { RunEvent, RunOpened } from '#libs/run';
import type { DataEvent, StudyEvent } from '#libs/studies';
import type { Ledger } from '../ledger.ts';
import { runOf, studyOf } from '../proving/names.ts';

export type EvidenceRefusalCode =
  | 'finding-unknown'
  /** The log holds the finding and not the run that it is of. */
  | 'evidence-missing'
  /** The run has more events than whoever asks would hold in memory. */
  | 'export-too-large';

/**
 * What the log holds of a finding, as long as no stream has more than so many events. Throws CorruptEvent where an
 * event was altered: what is exported would say what nobody recorded.
 */
export const evidenceOf = async (
  { log }: Pick<Ledger, 'log'>,
  findingId: string,
  mostEvents = Infinity,
): Promise<Result<FindingEvidence, Refusal<EvidenceRefusalCode>>> => {
  const read = async <E extends Fact>(
    stream: string,
    about: (event: E) => boolean = () => true,
  ): Promise<readonly RecordedEvent<E>[]> => {
    const events: RecordedEvent<E>[] = [];
    for await (const event of log.readStream<E>(stream)) {
      if (about(event as unknown as E)) events.push(event);
      if (events.length > mostEvents) break;
    }
    return events;
  };

  const finding = await read<FindingEvent>(`finding-${findingId}`);
  if (finding.length === 0)
    return refused({
      code: 'finding-unknown',
      message: `found no finding ${findingId}; list them with: holdfast findings`,
    });
  const runId = runOf(findingId);
  const run = await read<RunEvent>(`run-${runId}`);
  if (run[0]?.type !== 'RunOpened')
    return refused({
      code: 'evidence-missing',
      message: `found finding ${findingId} without the opening of its run ${runId}: the log is incomplete; verify it with: holdfast verify ${findingId}`,
    });
  if (run.length > mostEvents)
    return refused({
      code: 'export-too-large',
      message: `found more than ${mostEvents} events of run ${runId}, expected no more for an export here; write it where the log lies: holdfast export ${findingId}`,
    });
  const { dataDigest } = (run[0].data as RunOpened['data']).pins;
  return ok({
    finding,
    run,
    study: await read<StudyEvent>(`study-${studyOf(runId)}`, (event) =>
      isAbout(event, runId, dataDigest),
    ),
    data: await read<DataEvent>(`data-${dataDigest}`, (event) => isAbout(event, runId, dataDigest)),
  });
};

/** Whether an event of a shared stream is about this run: it names it, or no run and no data but its own. */
const isAbout = ({ data }: StudyEvent | DataEvent, runId: string, dataDigest: string): boolean =>
  'runId' in data
    ? data.runId === runId
    : !('dataDigest' in data) || data.dataDigest === dataDigest;
