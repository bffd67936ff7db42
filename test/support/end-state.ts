import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { Home } from '#apps/runner';
import type { RecordedEvent } from '#libs/kernel';
import { verdictOn } from '../../apps/runner/src/proving/verify.ts';
import { openTestHome } from './follow.ts';
import { git } from './git.ts';

/** Everything that a run leaves behind, with nothing in it that two runs alike differ in. */
export interface EndState {
  readonly events: readonly string[];
  readonly refs: string;
}

const SIGNED = new Set(['signature', 'durationMs', 'prev', 'hash']);

const eventsOf = async ({ log }: Pick<Home, 'log'>): Promise<readonly RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const event of log.readAll()) events.push(event);
  return events;
};

/**
 * An event without what the clock gave it: how long a training took, and so every hash and signature after that.
 * Hashes of the chain that stand in texts become the place that they name.
 */
const timeless = (events: readonly RecordedEvent[]): readonly string[] => {
  const places = new Map(
    events.map(({ hash, stream, revision }) => [hash, `${stream}@${revision}`]),
  );
  return events.map(({ canonical: _, ...event }) =>
    JSON.stringify(event, (key, value: unknown) => (SIGNED.has(key) ? undefined : value)).replace(
      /\b[0-9a-f]{64}\b/gu,
      (hash) => places.get(hash) ?? hash,
    ),
  );
};

const repository = (home: string): string => join(home, 'objects.git');

/** All rows of all views. */
const viewsOf = (home: string): Readonly<Record<string, readonly string[]>> => {
  const database = new DatabaseSync(join(home, 'views.sqlite'), { readOnly: true });
  try {
    const tables = database
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%migration%'",
      )
      .all()
      .map(({ name }) => String(name));
    return Object.fromEntries(
      tables.map((name) => [
        name,
        database
          .prepare(`SELECT * FROM "${name}"`)
          .all()
          .map((row) => JSON.stringify(row))
          .sort(),
      ]),
    );
  } finally {
    database.close();
  }
};

const dataOf = <T>(events: readonly RecordedEvent[], ...types: readonly string[]): readonly T[] =>
  events.filter(({ type }) => types.includes(type)).map(({ data }) => data as T);

/** That the repository is sound, and that nothing in it is left over: every commit is reached by a ref. */
const expectSoundRepository = (home: string): void => {
  git(repository(home), 'fsck', '--full', '--strict');
  const loose = git(repository(home), 'fsck', '--unreachable', '--no-reflogs');
  expect(loose).not.toContain('unreachable commit');
};

/** That nothing was lost, doubled or orphaned. */
const expectWhole = (events: readonly RecordedEvent[], home: string): void => {
  const proposed = dataOf<{ number: number; proposedCommit: string }>(events, 'MutationProposed');
  const attempts = git(
    repository(home),
    'for-each-ref',
    '--format=%(objectname)',
    'refs/holdfast/runs/*/attempts/*',
  );
  expect(attempts.split('\n').filter(Boolean).toSorted()).toEqual(
    proposed.map(({ proposedCommit }) => proposedCommit).toSorted(),
  );
  const paid = dataOf<{ paysFor: string }>(events, 'BudgetCharged').map(({ paysFor }) => paysFor);
  expect(new Set(paid).size).toBe(paid.length);
  const idsOf = (...types: readonly string[]) =>
    dataOf<{ trainingId: string }>(events, ...types).map(({ trainingId }) => trainingId);
  expect(idsOf('TrainingCompleted', 'TrainingFailed', 'TrainingTimedOut')).toEqual(
    idsOf('TrainingLaunched'),
  );
};

/**
 * What a run left behind, after everything that must hold of it whatever happened on the way: events and repository
 * whole, every finding verified again with PASS, the views the same when they are made anew.
 */
export const endState = async (folder: string): Promise<EndState> => {
  const home = await openTestHome({ folder });
  try {
    const events = await eventsOf(home);
    expectWhole(events, folder);
    expectSoundRepository(folder);
    for (const { findingId } of dataOf<{ findingId: string }>(events, 'FindingProposed')) {
      const { verdict, rows } = await verdictOn(home, findingId);
      expect(rows.filter(({ passed }) => !passed)).toEqual([]);
      expect(verdict).toBe('PASS');
    }
    await home.views.catchUp(home.log);
    const live = viewsOf(folder);
    await home.views.rebuild(home.log);
    expect(viewsOf(folder)).toEqual(live);
    return {
      events: timeless(events),
      refs: git(repository(folder), 'for-each-ref', '--format=%(objectname) %(refname)'),
    };
  } finally {
    await home.close();
  }
};

/** Types of a log's events in log order. */
export const typesOf = ({ events }: EndState): readonly string[] =>
  events.map((event) => (JSON.parse(event) as { type: string }).type);
