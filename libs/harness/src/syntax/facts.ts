import type { Fact, SyntaxRule } from './source.ts';
import type { Frame, SyntaxNode } from './walk.ts';

/** What the rules of a language see of a file's nodes, on the way down and on the way up. */
export interface Rules {
  readonly enter: (frame: Frame, kind: string) => void;
  readonly leave: (frame: Frame, exact: () => string) => void;
}

/** Facts about nodes, each known by its node's own text once that is read: on the way up. */
export interface FactsOfNodes {
  /** @param at where the fact is told to stand, if not at the node that it is known by */
  readonly find: (node: SyntaxNode, rule: SyntaxRule, found: string, at?: SyntaxNode) => void;
  readonly leave: Rules['leave'];
}

export const factsOfNodes = (
  lineAt: (node: SyntaxNode) => number,
  report: (fact: Fact) => void,
): FactsOfNodes => {
  const waiting = new Map<SyntaxNode, Omit<Fact, 'key'>[]>();
  return {
    find: (node, rule, found, at = node) => {
      const facts = waiting.get(node) ?? [];
      waiting.set(node, facts);
      facts.push({ rule, line: lineAt(at), found, allowedOnce: false });
    },
    leave: ({ node }, exact) => {
      const facts = waiting.get(node);
      if (facts === undefined) return;
      const said = exact();
      for (const fact of facts) report({ ...fact, key: `${fact.found} ${said}` });
      waiting.delete(node);
    },
  };
};
