import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { driveRun, openRun, type Home } from '#apps/runner';
import type { AgentView, FileEdit } from '#libs/agents';
import type { FindingProposed } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import type { RunClosed, RunEvent, RunState } from '#libs/run';
import { readStudy } from '#libs/studies';
import { eventsOf } from '../support/events.ts';
import { openTestHome } from '../support/follow.ts';
import { SPLIT_KEY, temporaryFolder, writeSplitKey } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, type Idea } from '../support/scripted-agent.ts';
import { CANARY, makeBesiegedStudy } from './attack-study.ts';
import type { Targets, TreeAttack } from './attack.ts';
import { runBare } from './bare.ts';
import { layHost } from './host.ts';
import { takePost, type Judged, type Post } from './post.ts';
import { attackTree } from './raw-tree.ts';

/** One study under attack: a real home and run, and canaries wherever they may be sought. */
export interface Siege extends Omit<Post, 'judgeTree'> {
  readonly home: Home;
  readonly studyFolder: string;
  readonly root: string;
  /** What an attack is after. */
  readonly at: (id: string) => Targets;
  readonly judgeTree: (attack: Pick<TreeAttack, 'entries'>) => Promise<Judged>;
  /** The same program without a sandbox, and what came out; what it leaves behind has `settleMs` to act. */
  readonly bare: (edits: readonly FileEdit[], settleMs: number) => Promise<string>;
  /** A whole run of a study (`holdfast.yaml`, `keeps.yaml`), from its opening to its end, by an agent that proposes these ideas. */
  readonly run: (file: string, ideas: readonly Idea[]) => Promise<WholeRun>;
  readonly connections: () => number;
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

export const beginSiege = async (): Promise<Siege> => {
  const root = await temporaryFolder();
  const studyFolder = join(root, 'study');
  await makeBesiegedStudy(studyFolder);
  const homeFolder = join(root, 'home');
  const keys = join(homeFolder, 'keys');
  const splitKey = await writeSplitKey(homeFolder, studyFolder);
  const home = await openTestHome({ folder: homeFolder });
  const post = await takePost(home, studyFolder);
  const host = await layHost(root, [studyFolder, keys]);
  const data = join(studyFolder, 'data/parcels.csv');
  const objects = join(homeFolder, 'objects.git');

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
    const events = await eventsOf<RunEvent>(home, `run-${begun.runId}`);
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

  const secrets = [
    CANARY,
    Buffer.from(SPLIT_KEY).toString('hex'),
    Buffer.from(SPLIT_KEY).toString('base64'),
    'PRIVATE KEY',
  ];
  const release = post.study.vault.release();
  return {
    ...post,
    ...{ home, studyFolder, root, run },
    at: (id) => ({
      ...host.at,
      ...{ data, splitKey, objects, studyFolder },
      runnerKey: join(keys, 'runner.pem'),
      log: join(homeFolder, 'log.sqlite'),
      marker: `${host.at.marker}-${id}`,
    }),
    judgeTree: (attack) => post.judgeTree(attackTree(objects, post.baseTree, attack)),
    bare: (edits, settleMs) =>
      runBare(join(root, 'bare'), join(studyFolder, 'program'), data, release, edits, settleMs),
    connections: host.connections,
    hostState: host.state,
    canariesIn: (text) => secrets.filter((secret) => text.includes(secret)),
    close: async () => {
      await host.close();
      await home.close();
      await rm(root, { recursive: true, force: true });
    },
  };
};
