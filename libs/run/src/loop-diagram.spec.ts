import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LOOP_GRAPH, loopDiagram, loopPage } from './index.ts';

const PAGE = fileURLToPath(new URL('../../../docs/reference/loop.md', import.meta.url));

describe('the diagram of the loop', () => {
  it('draws every node and every edge', () => {
    const diagram = loopDiagram();
    for (const node of Object.keys(LOOP_GRAPH.nodes)) expect(diagram).toMatch(`${node} -->`);
    for (const { from, on, to } of LOOP_GRAPH.edges)
      expect(diagram).toMatch(new RegExp(`^ {2}${from} --> ${to}: .*\\b${on}\\b`, 'm'));
    expect(diagram).toContain('  sealed --> [*]');
  });

  it('is what the reference page shows', async () => {
    await expect(loopPage()).toMatchFileSnapshot(PAGE);
  });
});
