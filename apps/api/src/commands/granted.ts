import { deriveId, type Fact, type Refusal, type Result } from '#libs/kernel';
import { spanOfEvent } from '#libs/telemetry';
import type { OutsideRequest, Requested } from '#apps/runner';
import { problemOf } from '../problems/problems.ts';

/** What a result holds. Throws its refusal as a problem: the edge is the one place where that is done. */
export const granted = <T>(result: Result<T, Refusal>): T => {
  if (!result.ok) throw problemOf(result.error);
  return result.value;
};

/**
 * Says a command's events in the trace of their run, so that what a runner and a worker do because of them hangs below
 * them. One that is only repeated was said before.
 */
export const inTrace = <E extends Fact>(runId: string, requested: Requested<E>): Requested<E> => {
  if (!requested.repeated)
    for (const { id, type, metadata } of requested.events)
      spanOfEvent(runId, { id, type, causationId: metadata.causationId });
  return requested;
};

/** The second command of one request, in the same stream. */
export const also = (request: OutsideRequest, name: string): OutsideRequest => ({
  ...request,
  commandId: deriveId(request.commandId, name),
});
