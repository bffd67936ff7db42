/**
 * Runs an example over many seeds with the real loop (sandbox, vault, log and git), each seed with a home, a split
 * key and signing keys of its own, and prints what each run showed.
 *
 *     npm run example:seeds [-- STUDY SEEDS]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { driveRun, openHome, openRun } from '#apps/runner';
import { searchAgent } from '#libs/agents';
import type { FindingProposed } from '#libs/findings';
import { readStudy } from '#libs/studies';

interface Shown {
  readonly seed: number;
  readonly iterations: number;
  readonly kept: boolean;
  readonly discarded: boolean;
  readonly diverged: boolean;
  readonly exhausted: boolean;
  /** A finding with PASS whose interval lies above zero. */
  readonly found: boolean;
  readonly gain: number;
  readonly end: string;
}

const WANTED = ['kept', 'discarded', 'diverged', 'exhausted', 'found'] as const;

const runSeed = async (path: string, seed: number): Promise<Shown> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-seeds-'));
  try {
    const study = await readStudy(path);
    if (!study.ok) throw new Error(study.error.map(({ found }) => found).join('; '));
    const home = await openHome({ folder });
    if (!home.ok) throw new Error(home.error.message);
    const opened = await openRun(home.value, { study: study.value, seed });
    if (!opened.ok) throw new Error(opened.error.message);
    const { runId, study: openedStudy } = opened.value;
    const driven = await driveRun(home.value, {
      runId,
      study: openedStudy,
      agent: searchAgent(openedStudy.policy.agent),
    });
    if (!driven.ok) throw new Error(driven.error.message);

    const types = new Map<string, number>();
    let verdict = 'none';
    let claim: FindingProposed['data']['claim'] | null = null;
    let passes = false;
    for await (const { type, data } of home.value.log.readAll()) {
      types.set(type, (types.get(type) ?? 0) + 1);
      if (type === 'FindingProposed') ({ claim } = data as FindingProposed['data']);
      if (type === 'FindingVerified') {
        ({ verdict } = data as { verdict: string });
        passes ||= verdict === 'PASS' && claim !== null && claim.interval.lower > 0;
      }
    }
    await home.value.close();
    const { line, replicates, haltMessage, hypotheses } = driven.value;
    const [first, last] = [replicates[0]?.observation.metric.value, line.last()?.metric];
    return {
      seed,
      iterations: hypotheses,
      kept: types.has('MutationKept'),
      discarded: types.has('MutationReverted'),
      diverged: types.has('DivergenceDetected'),
      exhausted: types.has('BudgetExhausted'),
      found: passes,
      gain: first === undefined || last === undefined ? 0 : (first - last) / first,
      end: haltMessage ?? 'closed',
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const [path = 'examples/pay', seeds = '20'] = process.argv.slice(2);
const sign = (shown: boolean): string => (shown ? 'yes' : '–').padEnd(10);

console.log('seed  iter  kept      discarded diverged  exhausted finding   gain    end');
let all = 0;
for (let seed = 1; seed <= Number(seeds); seed += 1) {
  const shown = await runSeed(path, seed);
  if (WANTED.every((what) => shown[what])) all += 1;
  console.log(
    `${String(seed).padStart(4)}  ${String(shown.iterations).padStart(4)}  ${WANTED.map((what) => sign(shown[what])).join('')}${(shown.gain * 100).toFixed(1).padStart(5)} %  ${shown.end}`,
  );
}
console.log(
  `\n${all} of ${seeds} seeds show a kept gain, a discarded mutation, a divergence with its revert,`,
);
console.log("the budget's end and a finding with PASS whose interval lies above zero.");
// Nine in ten is what the example promises.
if (all < 0.9 * Number(seeds)) process.exitCode = 1;
