import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import { driveRun, openHome, openRun, type Home } from '#apps/runner';
import type { Agent } from '#libs/agents';
import { sandboxExecutor, type Executor } from '#libs/executors';
import { inProcessQueue, trainingWorker } from '#libs/jobs';
import { ok, type Result } from '#libs/kernel';
import { openSandbox, type Sandbox } from '#libs/sandbox';
import { STUDY_FILE, readStudy, studySkeleton } from '#libs/studies';
import { median } from './median.ts';

/** Milliseconds an iteration; each is the median over turns. */
export interface IterationBench {
  /** Iterations that were measured of each kind. */
  readonly iterations: number;
  /** Mutations that stand at the end, of those in the warm-up too. */
  readonly kept: number;
  /** Of one iteration of the loop, for each of its trainings. */
  readonly whole: number;
  /** Of one iteration: all its trainings in their sandbox, and all that Holdfast adds. */
  readonly sandbox: number;
  readonly harness: number;
  /** The harness's time of the slowest tenth of all iterations begins here. */
  readonly harnessP90: number;
  /** The same program in the same sandbox with nothing around it. */
  readonly emptyTraining: number;
  /** The same loop as a shell script: edit, git commit, node, grep, append to a TSV. */
  readonly script: number;
}

/** A training that learns nothing: it says the same probability of everybody. */
export const TRAIN_JS = `import { readFileSync, writeFileSync } from 'node:fs';
const root = process.argv[2] ?? '';
const { p } = JSON.parse(readFileSync(new URL('hyperparameters.json', import.meta.url), 'utf8'));
const [, ...cells] = readFileSync(root + '/data/cells.csv', 'utf8').trimEnd().split('\\n');
const lines = cells.map((line) => line.split(',')[0] + ',' + p);
writeFileSync(root + '/out/predictions.csv', ['cell,p', ...lines, ''].join('\\n'));
writeFileSync(root + '/out/report.json', '{"steps":1}\\n');
console.log('metric ' + p);
`;

const setting = (p: number): string => `{ "p": ${p} }\n`;

const SCRIPT = `set -e
i=0
while [ $i -lt "$2" ]; do
  i=$((i + 1))
  printf '{ "p": 0.%s%s }\\n' "$1" "$i" > program/hyperparameters.json
  git commit -q -a -m "attempt $1 $i"
  "$NODE" program/train.js "$PWD" > log.txt 2>&1
  metric=$(grep '^metric ' log.txt | cut -d ' ' -f 2)
  printf '%s\\t%s\\t%s\\n' "$(git rev-parse --short HEAD)" "$metric" "attempt $1 $i" >> results.tsv
done
`;

export const must = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

const git = (folder: string, ...args: readonly string[]): void => {
  execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
    cwd: folder,
  });
};

export const writeFiles = async (
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
};

/** Fires at nothing that the agent below proposes. */
const CHART = { reference: 0, allowance: 10, decision_interval: 100 };

/** The study that `holdfast init` gives, with an empty training (or the given one) and a budget that lasts. */
export const makeStudy = async (
  folder: string,
  id: string,
  training: string = TRAIN_JS,
): Promise<void> => {
  const { [STUDY_FILE]: yaml = '', ...files } = studySkeleton();
  const study = parseDocument(yaml);
  study.setIn(['study', 'id'], id);
  study.setIn(['budget', 'total'], 1_000_000);
  study.setIn(['charts'], study.createNode({ gain: CHART }));
  await writeFiles(folder, {
    ...files,
    [STUDY_FILE]: study.toString(),
    // So that no two studies share a tree.
    'program/train.js': `// ${id}\n${training}`,
    'program/hyperparameters.json': setting(0.9),
  });
  git(folder, 'init', '-q');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'Study');
};

/** The cells that a training alone is asked for. */
export const CELLS = [
  'cell,name',
  ...Array.from({ length: 16 }, (_, cell) => `${cell},x`),
  '',
].join('\n');

/** The training of a folder in its sandbox, with nothing around it. */
export const trainAlone = async (
  sandbox: Sandbox,
  folder: string,
  seconds: number,
): Promise<void> => {
  const { ended, files, stderr } = await sandbox.run({
    command: ['/runtime/node', '/program/train.js'],
    readOnly: [
      { from: process.execPath, to: '/runtime/node' },
      { from: join(folder, 'program'), to: '/program' },
      { from: join(folder, 'data'), to: '/data' },
    ],
    outputFiles: { names: ['predictions.csv', 'report.json'], maxFiles: 16, maxBytes: 1e6 },
    limits: { seconds, memoryMb: 512, processes: 16, openFiles: 128, logBytes: 1e5 },
  });
  if (ended !== 'exited' || files.length !== 2) throw new Error(`the training ${ended}: ${stderr}`);
};

/** A folder where the script loops, and where an empty training finds what it needs. */
const makeBare = async (folder: string): Promise<void> => {
  await writeFiles(folder, {
    'program/train.js': TRAIN_JS,
    'program/hyperparameters.json': setting(0.5),
    'data/cells.csv': CELLS,
    'loop.sh': SCRIPT,
    '.gitignore': 'out/\nlog.txt\nresults.tsv\n',
  });
  await mkdir(join(folder, 'out'));
  git(folder, 'init', '-q');
  git(folder, 'config', 'user.name', 'bench');
  git(folder, 'config', 'user.email', 'bench@localhost');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'Start');
};

/** Proposes ever other settings: one that is better and one that is worse than the incumbent, by turns. */
export const alternatingAgent = (before: (iteration: number) => Promise<boolean>): Agent => {
  let iteration = 0;
  return {
    proposeHypothesis: async () => {
      const goesOn = await before(iteration);
      iteration += 1;
      return goesOn
        ? { kind: 'hypothesis', statement: 'Another level fits better', expectedEffect: 0.01 }
        : { kind: 'finished', reason: 'measured' };
    },
    proposeMutation: async () => {
      const p = Math.round(iteration % 2 === 0 ? 9500 + iteration : 9000 - 10 * iteration) / 1e4;
      return {
        kind: 'edit',
        domain: 'hyperparameter',
        summary: `Set p to ${p}`,
        edits: [{ path: 'hyperparameters.json', content: setting(p) }],
      };
    },
  };
};

/** What trainings took since it was last asked. */
interface Meter {
  readonly trainings: number;
  readonly ms: number;
}

/** A home whose trainings in this machine's sandbox are counted and timed. */
export const meteredHome = async (
  opened: Home,
  sandbox: Sandbox,
): Promise<{ readonly home: Home; readonly read: () => Meter }> => {
  let meter: Meter = { trainings: 0, ms: 0 };
  const executor = must(
    await sandboxExecutor({ sandbox, node: process.execPath, version: process.version }),
  );
  const timed: Executor = {
    ...executor,
    run: async (job) => {
      const since = performance.now();
      try {
        return await executor.run(job);
      } finally {
        meter = {
          trainings: meter.trainings + 1,
          ms: meter.ms + performance.now() - since,
        };
      }
    },
  };
  const { sourceTree, keys } = opened;
  const queue = inProcessQueue(
    trainingWorker({ sourceTree, executor: timed, key: keys.worker }),
    executor.layers,
  );
  return {
    home: { ...opened, queue: async () => ok(queue) },
    read: () => {
      const read = meter;
      meter = { trainings: 0, ms: 0 };
      return read;
    },
  };
};

/**
 * Follows a real run whose training does nothing, and between its turns does the same with less: the training alone
 * in its sandbox, and the loop as a shell script without any of Holdfast. The harness's time is an iteration's time
 * without that in `sandbox.run`; a subscriber reads along, as \`holdfast run\` does.
 */
export const benchIteration = async (turns = 12, perTurn = 5): Promise<IterationBench> => {
  const root = await mkdtemp(join(tmpdir(), 'bench-iteration-'));
  try {
    const [study, bare] = [join(root, 'study'), join(root, 'bare')];
    await makeStudy(study, 'courses');
    await makeBare(bare);
    const sandbox = must(await openSandbox());
    const { home, read } = await meteredHome(
      must(await openHome({ folder: join(root, 'home') })),
      sandbox,
    );

    const iterations: { readonly whole: number; readonly trained: Meter }[] = [];
    const empty: number[] = [];
    const script: number[] = [];
    const others = async (turn: number) => {
      let since;
      for (let run = 0; run < perTurn; run += 1) {
        since = performance.now();
        await trainAlone(sandbox, bare, 10);
        empty.push(performance.now() - since);
      }
      since = performance.now();
      await promisify(execFile)('sh', ['loop.sh', String(turn + 1), String(perTurn)], {
        cwd: bare,
        env: { ...process.env, NODE: process.execPath },
      });
      script.push((performance.now() - since) / perTurn);
    };

    let since = 0;
    const agent = alternatingAgent(async (iteration) => {
      if (iteration > 0) iterations.push({ whole: performance.now() - since, trained: read() });
      if (iteration % perTurn === 0) await others(iteration / perTurn);
      // Those of the baseline belong to no iteration.
      read();
      since = performance.now();
      return iteration < (turns + 1) * perTurn;
    });
    const run = must(await openRun(home, { study: must(await readStudy(study)), seed: null }));
    const reading = new AbortController();
    const reader = (async () => {
      for await (const event of home.log.subscribe({ signal: reading.signal }))
        if (event.type === 'LoopEnded') return;
    })();
    const done = must(await driveRun(home, { ...run, agent }));
    reading.abort();
    await reader;
    await home.views.close();
    await home.log.close();
    if (done.haltMessage !== null) throw new Error(done.haltMessage);

    // The first turn warms up.
    const measured = iterations.slice(perTurn);
    const harness = measured.map((iteration) => iteration.whole - iteration.trained.ms);
    return {
      iterations: measured.length,
      kept: done.line.size - 1,
      whole: median(measured.map(({ whole, trained }) => whole / trained.trainings)),
      sandbox: median(measured.map(({ trained }) => trained.ms)),
      harness: median(harness),
      harnessP90: harness.toSorted((a, b) => a - b)[Math.floor(harness.length * 0.9)] ?? NaN,
      emptyTraining: median(empty.slice(perTurn)),
      script: median(script.slice(1)),
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};
