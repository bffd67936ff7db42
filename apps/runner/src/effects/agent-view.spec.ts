import { List } from 'immutable';
import { expect, it } from 'vitest';
import { ok, refused } from '#libs/kernel';
import { agentView, type AgentContext } from './agent-view.ts';

const FILES = ['model.json', 'features.json'].map((path) => ({
  path,
  mode: '100644',
  content: new TextEncoder().encode(`{"of":"${path}"}`),
}));

/** A run at its baseline, as far as the view looks at it; its repository holds the one tree. */
const run = (tree: string, mutable: string, isGone = () => false): AgentContext =>
  ({
    runId: 'pay-1',
    home: {
      sourceTree: {
        readFiles: async () =>
          isGone() ? refused({ code: 'object-missing', message: 'it is gone' }) : ok(FILES),
        readText: async () => ok('cohorts'),
      },
    },
    opened: {
      seed: 1,
      cohorts: { table: { oid: 'table' } },
      policy: {
        study: {},
        data: { outcome: {}, dimensions: [] },
        budget: {},
        program: { mutable: { hyperparameter: [mutable], feature: [], architecture: [] } },
      },
    },
    state: {
      budget: {},
      line: List([{ tree, mutationId: null }]),
      earlierAttempts: List(),
      attempt: null,
    },
  }) as unknown as AgentContext;

it('shows the files that the study gives to its agent, whoever else looked at the same tree', async () => {
  expect(Object.keys((await agentView(run('t1', 'model.json'))).files)).toEqual(['model.json']);
  expect(Object.keys((await agentView(run('t1', 'features.json'))).files)).toEqual([
    'features.json',
  ]);
});

it('reads again what could not be read', async () => {
  let gone = true;
  const context = run('t2', 'model.json', () => gone);
  await expect(agentView(context)).rejects.toThrow('it is gone');
  gone = false;
  expect(Object.keys((await agentView(context)).files)).toEqual(['model.json']);
});
