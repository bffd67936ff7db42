import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import type {
  ForkPoint,
  KeptState,
  MutationProposed,
  RunEvent,
  RunOpened,
  RunState,
} from '#libs/run';
import type { Home } from '../home.ts';

/** Which state of a run: where it started, the one that stood at its end, or the one after its nth mutation. */
export type ForkFrom = 'baseline' | 'incumbent' | number;

export interface Fork {
  readonly runId: string;
  readonly from: ForkFrom;
}

/** What the new run would stand on. */
type Standing = Pick<
  RunOpened['data']['pins'],
  'tree' | 'path' | 'dataDigest' | 'splitCommitment' | 'pinCommit'
>;

const SHARED = {
  tree: 'source tree',
  path: 'program folder',
  dataDigest: 'data',
  splitCommitment: 'split of the data',
} as const satisfies Record<keyof Omit<Standing, 'pinCommit'>, string>;

/**
 * The state that a new run of the study is to start from. Any state that stood when its run was over may be it, that of
 * a halted run too; one that was discarded or undone never was stable.
 */
export const forkPointOf = async (
  home: Home,
  studyId: string,
  standing: Standing,
  { runId, from }: Fork,
): Promise<Result<ForkPoint, Refusal>> => {
  const { state } = await home.runs.load(runId);
  const { opened, node } = state;
  if (opened === null)
    return refused({
      code: 'run-unknown',
      message: `found no run ${runId}; list them with: holdfast runs`,
    });
  if (opened.studyId !== studyId)
    return refused({
      code: 'fork-other-study',
      message: `run ${runId} is of study ${opened.studyId}, expected ${studyId}: a fork is a run of the same study`,
    });
  if (node !== 'sealed')
    return refused({
      code: 'fork-not-over',
      message: `run ${runId} is not over: what stands now may be undone; go on with it first: holdfast run --resume ${runId}`,
    });
  for (const [pin, what] of Object.entries(SHARED) as [keyof typeof SHARED, string][])
    if (opened.pins[pin] !== standing[pin])
      return refused({
        code: 'fork-moved',
        message: `run ${runId} stood on another ${what} (${opened.pins[pin]}), found ${standing[pin]} now: its state leads back to what it stood on; restore that (commit ${opened.pins.commit}), or open a run of its own`,
      });
  const kept = await keptState(home, runId, state, from);
  if (kept === undefined)
    return refused({
      code: 'fork-not-stable',
      message: `found no state after attempt ${String(from)} that stood when run ${runId} was over, expected baseline, incumbent or the number of a mutation that was kept and not undone; see: holdfast audit --run ${runId}`,
    });
  const { mutationId, commit, tree } = kept;
  if (mutationId !== null) return ok({ runId, mutationId, commit, tree });
  // Where it started from is where its own origin was, which may lie in a run before it.
  const origin = opened.forkedFrom ?? { runId, mutationId, commit, tree };
  // The source is pinned anew for each run: its tree is the same, its commit is that of the study as it is now.
  return ok(origin.mutationId === null ? { ...origin, commit: standing.pinCommit } : origin);
};

const keptState = async (
  { log }: Home,
  runId: string,
  { line }: RunState,
  from: ForkFrom,
): Promise<KeptState | undefined> => {
  if (from === 'baseline') return line.first();
  if (from === 'incumbent') return line.last();
  for await (const { type, data } of log.readStream<RunEvent>(`run-${runId}`)) {
    if (type !== 'MutationProposed') continue;
    const { number, mutationId } = data as MutationProposed['data'];
    if (number === from) return line.find((state) => state.mutationId === mutationId);
  }
  return undefined;
};
