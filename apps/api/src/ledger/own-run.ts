import { studyOf, type Ledger } from '#apps/runner';
import { seesProject, type Principal } from '#libs/access';
import { ProblemFound } from '../problems/problems.ts';

/**
 * That a run is an agent's own: its token is for it, its project is the token's, and the study gave it to this agent.
 * Which of them fails, the agent is not told.
 */
export const ownRun = async (
  ledger: Ledger,
  principal: Principal,
  runId: string,
): Promise<void> => {
  const unknown = new ProblemFound(
    'run-unknown',
    `found no open run ${runId} of this agent; ask the researcher which run it was given`,
  );
  if (principal.run !== null && principal.run !== runId) throw unknown;
  for await (const _ of ledger.log.readStream(`study-${studyOf(runId)}`, { limit: 1 })) {
    const { state } = await ledger.studies.load(studyOf(runId));
    const request = state.requests.get(runId);
    if (request?.agent === principal.subject && seesProject(principal, state.project)) return;
  }
  throw unknown;
};
