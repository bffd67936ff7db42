import { searchAgent, type Agent } from '#libs/agents';
import type { HarnessPolicy } from '#libs/harness';
import type { Ledger } from './ledger.ts';
import { studyOf } from './proving/names.ts';

/** Who proposes in a run: the built-in search agent, or null where its study gave it to an agent outside. */
export const agentOf = async (
  home: Pick<Ledger, 'studies'>,
  runId: string,
  policy: HarnessPolicy,
): Promise<Agent | null> => {
  const { state } = await home.studies.load(studyOf(runId));
  const assigned = state.requests.get(runId)?.agent ?? null;
  return assigned === null ? searchAgent(policy.agent) : null;
};
