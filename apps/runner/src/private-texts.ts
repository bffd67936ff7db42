import { shownText, type TextPlace } from '#libs/erasable';
import {
  ok,
  refused,
  sealedTextsIn,
  type RecordedEvent,
  type Refusal,
  type Result,
  type SealedText,
} from '#libs/kernel';
import { reasonProblem } from '#libs/mandate';
import type { AuditRow, FindingRow, RunRow } from '#libs/read-models';
import type { Ledger } from './ledger.ts';

/**
 * A human's reason, screened and sealed for the event that will hold it; its key is kept before this resolves. Once a
 * command: whoever tries it again sends the same bytes. One that never comes to stand in the log leaves a key behind
 * that opens nothing.
 */
export const sealReason = async (
  { erasables }: Pick<Ledger, 'erasables'>,
  reason: string,
  place: TextPlace,
): Promise<Result<SealedText, Refusal<'no-reason'>>> => {
  const problem = reasonProblem(reason);
  return problem === null
    ? ok(await erasables.seal(reason, place))
    : refused({ code: 'no-reason', message: problem });
};

/**
 * The reason that stands in the events of a request, or `(erased)`. Where the request is a repetition with another reason,
 * that is the first one.
 */
export const recordedReason = async (
  { erasables }: Pick<Ledger, 'erasables'>,
  events: readonly RecordedEvent[],
  given: string,
): Promise<string> => {
  for (const { stream, type, data } of events)
    for (const text of sealedTextsIn(data)) return shownText(erasables, text, { stream, type });
  // Nothing was recorded: there was nothing to do any more.
  return given;
};

/** A row with what a human wrote in clear, or `(erased)`. */
export type Shown<Row, Member extends PropertyKey = 'note'> = Omit<Row, Member> & {
  readonly [M in Member]: string | null;
};

/** A run's row with what a human said who ended it, for whoever may read it. */
export const shownRun = async (
  { erasables }: Pick<Ledger, 'erasables'>,
  row: RunRow,
): Promise<Shown<RunRow>> => ({
  ...row,
  note:
    row.note === null
      ? null
      : await shownText(erasables, row.note, {
          stream: `run-${row.runId}`,
          type: row.status === 'halted' ? 'RunHalted' : 'LoopEnded',
        }),
});

/** A finding's row with the reviewer's reason, for whoever may read it. */
export const shownFinding = async (
  { erasables }: Pick<Ledger, 'erasables'>,
  row: FindingRow,
): Promise<Shown<FindingRow, 'reviewReason'>> => ({
  ...row,
  reviewReason:
    row.reviewReason === null
      ? null
      : await shownText(erasables, row.reviewReason, {
          stream: `finding-${row.findingId}`,
          type: 'FindingReviewed',
        }),
});

/** A row of an answer to regulators with what a human wrote, for whoever may read it. */
export const shownAudit = async <Row extends AuditRow>(
  { erasables }: Pick<Ledger, 'erasables'>,
  row: Row,
): Promise<Shown<Row>> => ({
  ...row,
  note: row.note === null ? null : await shownText(erasables, row.note, row),
});
