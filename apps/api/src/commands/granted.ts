import { deriveId, type Refusal, type Result } from '#libs/kernel';
import type { OutsideRequest } from '#apps/runner';
import { problemOf } from '../problems/problems.ts';

/** What a result holds. Throws its refusal as a problem: the edge is the one place where that is done. */
export const granted = <T>(result: Result<T, Refusal>): T => {
  if (!result.ok) throw problemOf(result.error);
  return result.value;
};

/** The second command of one request, in the same stream. */
export const also = (request: OutsideRequest, name: string): OutsideRequest => ({
  ...request,
  commandId: deriveId(request.commandId, name),
});
