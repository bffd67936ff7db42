import { AskView } from '#apps/runner';
import type { Refusal } from '#libs/kernel';
import type { Session } from './session.ts';

/** Why a list of a run or a study would be empty for a typo's sake; null when both are known or not asked for. */
export const unknownFilter = async (
  { home, queries }: Pick<Session, 'home' | 'queries'>,
  { run, study }: { readonly run?: string; readonly study?: string },
): Promise<Refusal | null> => {
  if (run !== undefined && (await home.runs.load(run)).head === null) return unknownRun(run);
  if (study === undefined) return null;
  const { rows } = await queries.execute(new AskView('runs', { study, limit: 1 }));
  if (rows.length > 0) return null;
  return {
    code: 'study-unknown',
    message: `found no run of a study ${study}; list the runs with: npx holdfast runs`,
  };
};

export const unknownRun = (run: string): Refusal => ({
  code: 'run-unknown',
  message: `found no run ${run}; list them with: npx holdfast runs`,
});
