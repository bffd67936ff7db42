import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { mutationCommand, type ProposalContext } from '../../apps/runner/src/effects/ask.ts';
import { trainingJob } from '../../apps/runner/src/effects/train.ts';
import { driveRun, openRun, type Home, type OpenedStudy } from '#apps/runner';
import type { AgentView, FileEdit, ProgramFiles } from '#libs/agents';
import { clip, observe, parsePredictions, type CellCounts } from '#libs/evaluator';
import type { FileDomain, Observation } from '#libs/harness';
import type { FindingProposed } from '#libs/findings';
import { deriveId, type Actor, type RecordedEvent } from '#libs/kernel';
import {
  incumbent,
  runDecider,
  type ProposeMutation,
  type RunClosed,
  type RunCommand,
  type RunEvent,
  type RunState,
  type TrainingResult,
} from '#libs/run';
import { readStudy } from '#libs/studies';
import { cellCount, dataDigest } from '#libs/vault';
import { openTestHome } from '../support/follow.ts';
import { git } from '../support/git.ts';
import { SPLIT_KEY, temporaryFolder } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, type Idea } from '../support/scripted-agent.ts';
import { CANARY, makeBesiegedStudy } from './attack-study.ts';
import type { End, Targets, TreeAttack } from './attack.ts';

const AGENT: Actor = { role: 'agent', id: 'search-agent' };

/** What the gate said of a proposal, and the tree that was proposed, however it was judged. */
export interface Judged {
  readonly verdict: 'halts' | 'refuses' | 'passes';
  /** The rules that were broken, or the reason of a refusal. */
  readonly why: string;
  /** Null where the edge made no tree of it. */
  readonly tree: string | null;
  readonly events: readonly RunEvent[];
}

/** A training without the mid-loop gate: the real worker, sandbox and evaluator. */
export interface Trained {
  readonly end: End;
  readonly result: TrainingResult | null;
  readonly observation: Observation | null;
  /** Everything that came out of it: artefacts, log and the words of its result. */
  readonly out: string;
  readonly predictions: string | null;
  readonly milliseconds: number;
}

/** One study under attack: a real home, a real run that waits for a mutation, and canaries wherever they may be sought. */
export interface Siege {
  readonly home: Home;
  readonly study: OpenedStudy;
  readonly studyFolder: string;
  readonly root: string;
  /** The run that waits for a mutation, for ever. */
  readonly context: ProposalContext;
  /** The same run before it had a hypothesis. */
  readonly idle: RunState;
  /** The honest program's mutable files and all its files. */
  readonly base: ProgramFiles;
  readonly honest: Trained;
  readonly at: (id: string) => Targets;
  readonly judge: (edits: readonly FileEdit[], words?: Words) => Promise<Judged>;
  readonly judgeTree: (attack: TreeAttack) => Promise<Judged>;
  readonly train: (tree: string, seconds?: number) => Promise<Trained>;
  /** The same program without a sandbox, and what came out; what it leaves behind has `settleMs` to act. */
  readonly bare: (edits: readonly FileEdit[], settleMs: number) => Promise<string>;
  /** A whole run of a study (`holdfast.yaml`, `keeps.yaml`), from its opening to its end, by an agent that proposes these ideas. */
  readonly run: (file: string, ideas: readonly Idea[]) => Promise<WholeRun>;
  readonly connections: () => number;
  /** Host pids of processes that carry the marker. */
  readonly alive: (marker: string) => readonly number[];
  /** Digest of the host files that no program may change. */
  readonly hostState: () => string;
  readonly canariesIn: (text: string) => readonly string[];
  readonly close: () => Promise<void>;
}

/** What a whole run was like, from inside and from the agent's side. */
export interface WholeRun {
  readonly runId: string;
  readonly state: RunState;
  readonly events: readonly RecordedEvent<RunEvent>[];
  /** What the agent was shown before each of its ideas, and once more at the end. */
  readonly views: readonly AgentView[];
  /** The events of each attempt. */
  readonly attempts: readonly (readonly RecordedEvent<RunEvent>[])[];
  readonly findings: readonly FindingProposed['data'][];
}

export interface Words {
  readonly domain?: FileDomain;
  readonly summary?: string;
}

export const beginSiege = async (): Promise<Siege> => {
  const root = await temporaryFolder();
  const studyFolder = join(root, 'study');
  await makeBesiegedStudy(studyFolder);
  const onDisk = good(await readStudy(studyFolder));
  const { policy } = onDisk;
  const homeFolder = join(root, 'home');
  const splitKey = join(
    homeFolder,
    'keys',
    `split-${policy.study.id}-${good(await dataDigest(studyFolder, policy.data.path))}.key`,
  );
  await mkdir(join(homeFolder, 'keys'), { recursive: true, mode: 0o700 });
  await writeFile(splitKey, SPLIT_KEY, { mode: 0o600 });

  process.env['HOLDFAST_TEST_SECRET'] = `${CANARY}-environment`;
  const hostFolder = join(root, 'host');
  await mkdir(hostFolder);
  const hostFile = join(hostFolder, 'evaluator.js');
  await writeFile(hostFile, `export const score = 'honest'; // ${CANARY}-host-file\n`);
  const nonce = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const sharedMemory = `/dev/shm/holdfast-${nonce}`;
  await writeFile(sharedMemory, `${CANARY}-shared-memory\n`);
  const temporary = join(root, 'harness-scratch.txt');
  await writeFile(temporary, `${CANARY}-temporary\n`);
  // A neighbour whose command line tells something.
  const neighbour = spawn(
    process.execPath,
    // It ends with this process at the latest.
    ['-e', 'process.stdin.on("end", () => process.exit()).resume()', `${CANARY}-command-line`],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );

  let connections = 0;
  const sockets = new Set<Socket>();
  const listen = async (where: number | string): Promise<Server> => {
    const server = createServer((socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on('error', () => undefined).end(`${CANARY}-network\n`);
    });
    await new Promise<void>((done) =>
      typeof where === 'number'
        ? server.listen(where, '127.0.0.1', done)
        : server.listen(where, done),
    );
    return server;
  };
  const socket = `holdfast-${nonce}`;
  const servers = [await listen(0), await listen(`\0${socket}`)];
  const { port } = servers[0]?.address() as AddressInfo;

  const home = await openTestHome({ folder: homeFolder });
  const { runId, study } = good(await openRun(home, { study: onDisk, seed: 1 }));
  good(await driveRun(home, { runId, study, agent: null }));
  const { state: idle } = await home.runs.load(runId);
  good(
    await home.runs.send(
      runId,
      {
        type: 'ProposeHypothesis',
        id: deriveId('hypothesis', runId),
        data: { statement: 'Cohorts by route tell more', expectedEffect: 0.01 },
      },
      AGENT,
    ),
  );
  const { state, head } = await home.runs.load(runId);
  if (state.opened === null || head === null) throw new Error('the run was not opened');
  const { opened } = state;
  const context: ProposalContext = { home, runId, state, opened, head };
  const { tree: baseTree } = incumbent(state);
  const base = Object.fromEntries(
    good(await home.sourceTree.readFiles(baseTree)).map(({ path, content }) => [
      path,
      new TextDecoder().decode(content),
    ]),
  );
  const queue = good(await home.queue());
  const objects = join(homeFolder, 'objects.git');
  const at = (id: string): Targets => ({
    data: join(studyFolder, 'data/parcels.csv'),
    splitKey,
    runnerKey: join(homeFolder, 'keys', 'runner.pem'),
    log: join(homeFolder, 'log.sqlite'),
    objects,
    studyFolder,
    hostFile,
    sharedMemory,
    temporary,
    port,
    socket,
    marker: `holdfast-${nonce}-${id}`,
  });

  const decided = (command: RunCommand, tree: string | null): Judged => {
    const decision = runDecider.decide(state, command);
    if (!decision.ok) return { verdict: 'refuses', why: decision.error.message, tree, events: [] };
    for (const event of decision.value) {
      if (event.type === 'RunHalted') {
        const rules = event.data.breaches.map(({ rule }) => rule);
        const why = `${event.data.by}: ${[...new Set(rules)].join(', ')}`;
        return { verdict: 'halts', why, tree, events: decision.value };
      }
      if (event.type === 'ProposalRefused')
        return { verdict: 'refuses', why: event.data.reason, tree, events: decision.value };
    }
    return { verdict: 'passes', why: '', tree, events: decision.value };
  };

  let proposals = 0;
  const judge: Siege['judge'] = async (edits, { domain = 'hyperparameter', summary } = {}) => {
    proposals += 1;
    const id = deriveId('proposal', String(proposals));
    const command = await mutationCommand(
      context,
      { kind: 'edit', domain, summary: summary ?? 'try another model', edits },
      () => id,
    );
    return decided(command, command.type === 'ProposeMutation' ? command.data.tree : null);
  };

  const judgeTree: Siege['judgeTree'] = async ({ entries }) => {
    const lines = git(objects, 'ls-tree', baseTree).split('\n');
    const blob = (content: string): string => hashObject(objects, 'blob', Buffer.from(content));
    const makeTree = (made: readonly string[]): string => rawTree(objects, made);
    const tree = makeTree(entries(lines, blob, makeTree));
    const changed = await home.sourceTree.diffTrees(baseTree, tree);
    if (!changed.ok) return { verdict: 'refuses', why: changed.error.message, tree, events: [] };
    const changes = await Promise.all(
      changed.value.map(async ({ path, kind, before, after }) => {
        const text = after === null ? null : await home.sourceTree.readText(after.oid);
        return {
          path,
          kind,
          before: before?.oid ?? null,
          after: after?.oid ?? null,
          mode: after?.mode ?? null,
          text: text?.ok === true ? text.value : null,
        };
      }),
    );
    const command: ProposeMutation = {
      type: 'ProposeMutation',
      id: deriveId('tree', tree),
      data: {
        summary: 'try another model',
        declaredDomain: 'architecture',
        baseTree,
        commit: incumbent(state).commit,
        tree,
        changes,
      },
    };
    return decided(command, tree);
  };

  let trainings = 0;
  const train: Siege['train'] = async (tree, seconds = policy.training.seconds) => {
    trainings += 1;
    const trainingId = deriveId('training', String(trainings));
    const job = trainingJob(opened, { trainingId, tree, seed: opened.seed });
    const begun = performance.now();
    let result: TrainingResult;
    try {
      result = await queue.run({ ...job, limits: { ...job.limits, seconds } });
    } catch (error) {
      const said = (error as Error).message;
      if (!/can't be trained/.test(said)) throw error;
      const milliseconds = performance.now() - begun;
      return {
        end: 'does-not-materialise',
        ...{ result: null, observation: null, out: said, predictions: null, milliseconds },
      };
    }
    const milliseconds = performance.now() - begun;
    const artefacts = good(await home.sourceTree.readFiles(result.data.artefacts)).map(
      ({ path, content }) => [path, new TextDecoder().decode(content)] as const,
    );
    const predictions = artefacts.find(([path]) => path === 'predictions.csv')?.[1] ?? null;
    const out = [JSON.stringify(result), ...artefacts.map(([, text]) => text)].join('\n');
    const observation =
      result.type === 'TrainingCompleted' && predictions !== null ? measured(predictions) : null;
    return {
      end: endOf(result, predictions),
      ...{ result, observation, out, predictions, milliseconds },
    };
  };

  const probabilities = (predictions: string): Float64Array =>
    good(
      parsePredictions(new TextEncoder().encode(predictions), cellCount(policy.data.dimensions)),
    );
  const measured = (predictions: string): Observation =>
    observe({
      predictions: probabilities(predictions),
      incumbent: honest === null ? null : probabilities(honest.predictions ?? ''),
      dev: study.vault.counts.dev.cells,
      check: study.vault.counts.check.cells,
      minimumCell: policy.data.minimumCell,
      secondary: [],
    });
  const endOf = (result: TrainingResult, predictions: string | null): End => {
    if (result.type === 'TrainingTimedOut') return 'timed-out';
    if (result.type === 'TrainingFailed') return result.data.failure;
    return honest === null || predictions === honest.predictions ? 'as-honest' : 'as-predicted';
  };
  let honest: Trained | null = null;
  honest = await train(baseTree);
  if (honest.end !== 'as-honest')
    throw new Error(`the honest program does not train: ${honest.out}`);

  const run: Siege['run'] = async (file, ideas) => {
    const begun = good(
      await openRun(home, { study: good(await readStudy(join(studyFolder, file))), seed: 1 }),
    );
    const views: AgentView[] = [];
    const script = scriptedAgent(ideas);
    const driven = good(
      await driveRun(home, {
        ...begun,
        agent: {
          ...script,
          proposeHypothesis: (view) => {
            views.push(view);
            return script.proposeHypothesis(view);
          },
        },
      }),
    );
    const events: RecordedEvent<RunEvent>[] = [];
    for await (const event of home.log.readStream<RunEvent>(`run-${begun.runId}`))
      events.push(event);
    const starts = events.flatMap(({ type }, place) =>
      type === 'HypothesisProposed' ? [place] : [],
    );
    const findings: FindingProposed['data'][] = [];
    const closed = events.find((event) => event.type === 'RunClosed');
    for (const { findingId } of (closed?.data as RunClosed['data'] | undefined)?.findings ?? []) {
      const { proposed } = (await home.findings.load(findingId)).state;
      if (proposed !== null) findings.push(proposed);
    }
    return {
      ...{ runId: begun.runId, state: driven, events, views, findings },
      attempts: starts.map((start, n) => events.slice(start, starts[n + 1])),
    };
  };

  const release = study.vault.release();
  const rows = openSync(join(studyFolder, 'data/parcels.csv'), 'r');
  const bare: Siege['bare'] = async (edits, settle) => {
    const folder = join(root, 'bare');
    await rm(folder, { recursive: true, force: true });
    for (const name of ['task', 'data', 'out'])
      await mkdir(join(folder, name), { recursive: true });
    await cp(join(studyFolder, 'program'), join(folder, 'program'), { recursive: true });
    for (const { path, content } of edits) await writeFile(join(folder, 'program', path), content);
    await writeFile(join(folder, 'data/train.csv'), release.table);
    await writeFile(join(folder, 'data/cells.csv'), release.cells);
    await writeFile(
      join(folder, 'task/task.json'),
      JSON.stringify({ seed: 1, seconds: 5, steps: null }),
    );
    const child = spawn(process.execPath, [join(folder, 'program/train.js'), folder], {
      cwd: join(folder, 'out'),
      // As if the harness had left the rows open across an exec.
      stdio: ['ignore', 'pipe', 'pipe', rows],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr] as const)
      stream?.on('data', (chunk: Buffer) => {
        if (said.length < 1 << 20) said += chunk.toString();
      });
    const ended = new Promise<void>((done) => child.on('exit', () => done()));
    await Promise.race([ended, wait(5_000)]);
    child.kill('SIGKILL');
    await wait(settle);
    const left = await readdir(join(folder, 'out'));
    const texts = await Promise.all(
      left.map((name) => readFile(join(folder, 'out', name), 'utf8').catch(() => '')),
    );
    const task = await readFile(join(folder, 'task/task.json'), 'utf8');
    const table = await readFile(join(folder, 'data/train.csv'), 'utf8');
    return [said, ...texts, task, table].join('\n');
  };

  const secrets = [
    CANARY,
    Buffer.from(SPLIT_KEY).toString('hex'),
    Buffer.from(SPLIT_KEY).toString('base64'),
    'PRIVATE KEY',
  ];
  return {
    ...{
      home,
      study,
      studyFolder,
      root,
      context,
      idle,
      base,
      honest,
      at,
      judge,
      judgeTree,
      train,
      run,
      bare,
      alive,
    },
    connections: () => connections,
    hostState: () =>
      digestOf([hostFolder, studyFolder, join(homeFolder, 'keys'), temporary, sharedMemory]),
    canariesIn: (text) => secrets.filter((secret) => text.includes(secret)),
    close: async () => {
      neighbour.kill('SIGKILL');
      sockets.forEach((socket) => socket.destroy());
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
      await home.close();
      closeSync(rows);
      await rm(sharedMemory, { force: true });
      await rm(root, { recursive: true, force: true });
      delete process.env['HOLDFAST_TEST_SECRET'];
    },
  };
};

/** The log-loss that predictions deserve, counted here and not by the evaluator. */
export const deserved = (
  predictions: string,
  { people, positive }: CellCounts,
  minimumCell: number,
): number => {
  let loss = 0;
  let n = 0;
  for (const line of predictions.trimEnd().split('\n').slice(1)) {
    const [cell = 0, p = 0] = line.split(',').map(Number);
    const many = people[cell] ?? 0;
    if (many < minimumCell) continue;
    const yes = positive[cell] ?? 0;
    loss -= yes * Math.log(clip(p)) + (many - yes) * Math.log(1 - clip(p));
    n += many;
  }
  return loss / n;
};

/** Writes an object with the real git, which would refuse some of them of its own accord. */
const hashObject = (repository: string, type: 'blob' | 'tree', content: Uint8Array): string =>
  execFileSync('git', ['hash-object', '-w', '-t', type, '--literally', '--stdin'], {
    cwd: repository,
    input: content,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_DIR: repository },
  }).trim();

/** A tree of lines as `git ls-tree` writes them, in the order given, whatever git thinks of them. */
const rawTree = (repository: string, lines: readonly string[]): string =>
  hashObject(
    repository,
    'tree',
    Buffer.concat(
      lines.flatMap((line) => {
        const [, mode = '', , oid = '', name = ''] =
          /^(\d+) (\w+) ([0-9a-f]{40})\t(.*)$/s.exec(line) ?? [];
        return [Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`), Buffer.from(oid, 'hex')];
      }),
    ),
  );

/** Host pids of processes whose command line holds the marker, this one apart. */
const alive = (marker: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(marker);
      } catch {
        return false;
      }
    })
    .map(Number);

const digestOf = (places: readonly string[]): string => {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    if (!existsSync(path)) hash.update(`${path} is gone\n`);
    else
      try {
        hash.update(`${path}\n`).update(readFileSync(path));
      } catch {
        for (const name of readdirSync(path).toSorted()) add(join(path, name));
      }
  };
  places.forEach(add);
  return hash.digest('hex');
};
