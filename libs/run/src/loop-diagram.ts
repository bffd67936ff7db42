import { LOOP_GRAPH, type LoopEdge, type LoopNode } from './loop-graph.ts';

const EDGES: readonly LoopEdge[] = LOOP_GRAPH.edges;
const NODES = Object.entries(LOOP_GRAPH.nodes) as readonly [
  LoopNode,
  { readonly effect: string; readonly doc: string },
][];

const leadsOn = (node: LoopNode): boolean => EDGES.some(({ from }) => from === node);

const label = ({ on, when }: LoopEdge): string =>
  when === undefined ? on : `${on} (of a ${when})`;

/** The loop graph as a Mermaid state diagram, drawn from the data that the decider walks. */
export const loopDiagram = (): string => {
  const arrows = new Map<string, readonly string[]>();
  for (const edge of EDGES) {
    const arrow = `${edge.from} --> ${edge.to}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), label(edge)]);
  }
  return [
    'stateDiagram-v2',
    '  [*] --> new',
    ...[...arrows].map(([arrow, labels]) => `  ${arrow}: ${labels.join(', ')}`),
    ...NODES.filter(([node]) => !leadsOn(node)).map(([node]) => `  ${node} --> [*]`),
  ].join('\n');
};

/** The reference page of the loop, in Markdown. */
export const loopPage = (): string => `# The loop

Drawn from the graph that the decider walks (\`libs/run/src/loop-graph.ts\`); after a change of the graph, draw it
again with \`npx vitest run libs/run --update\`. An event that has no arrow at a node leaves the run there.

\`\`\`mermaid
${loopDiagram()}
\`\`\`

| node | what happens there | what the runner does next |
| --- | --- | --- |
${NODES.map(([node, { effect, doc }]) => `| ${node} | ${doc} | ${effect} |`).join('\n')}
`;
