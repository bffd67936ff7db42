import { expect, it } from 'vitest';
import { agentView, type AgentContext } from './agent-view.ts';

/** A run of a policy with these mutable files, on one and the same tree. */
const contextOf = (mutable: readonly string[], broken: { once: boolean }): AgentContext => {
  const files = ['a.json', 'b.json'].map((path) => ({
    path,
    mode: '100644',
    content: new TextEncoder().encode(path),
  }));
  return {
    runId: 'pay-1',
    home: {
      sourceTree: {
        readFiles: async () => {
          if (!broken.once) return { ok: true, value: files };
          broken.once = false;
          return { ok: false, error: { message: 'the disk is away' } };
        },
        readText: async () => ({ ok: true, value: '' }),
      },
    },
    state: {
      line: [{ tree: 'one-tree' }],
      budget: { total: 100, remaining: 100 },
      ladderScore: 1,
      earlierAttempts: [],
      attempt: null,
    },
    opened: {
      seed: 1,
      cohorts: { table: { oid: 'table' } },
      policy: {
        study: {},
        data: { outcome: {}, dimensions: [] },
        budget: { costs: {} },
        program: { mutable: { hyperparameter: [], feature: mutable, architecture: [] } },
      },
    },
  } as unknown as AgentContext;
};

const seen = async (mutable: readonly string[], broken = { once: false }) =>
  Object.keys((await agentView(contextOf(mutable, broken))).files);

it('shows the files that the own policy lets change, whatever another run of the same tree showed', async () => {
  await expect(seen(['a.json', 'b.json'], { once: true })).rejects.toThrow('the disk is away');
  expect(await seen(['a.json', 'b.json'])).toEqual(['a.json', 'b.json']);
  expect(await seen(['a.json'])).toEqual(['a.json']);
});
