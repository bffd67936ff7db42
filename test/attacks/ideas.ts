import type { FileEdit, ProgramFiles } from '#libs/agents';
import type { FileDomain } from '#libs/harness';
import { useFeatures, type Idea } from '../support/scripted-agent.ts';

export interface Words {
  readonly domain?: FileDomain;
  readonly summary?: string;
  readonly statement?: string;
}

/** Edits of the honest program as an idea of an agent. */
export const ideaOf = (
  edits: readonly FileEdit[],
  {
    domain = 'architecture',
    summary = 'try another model',
    statement = 'Cohorts by route tell more',
  }: Words = {},
): Idea => ({ statement, mutation: { kind: 'edit', domain, summary, edits } });

/** Uses the planted receipt, which a study with loose charts keeps. */
export const RECEIPT = useFeatures('shift', 'route', 'receipt');

/** One file of the honest program, changed. */
export const editing =
  (path: string, change: (text: string) => string, words: Words = {}) =>
  (base: ProgramFiles): { readonly edits: readonly FileEdit[]; readonly idea: Idea } => {
    const text = base[path] ?? '';
    const content = change(text);
    if (content === text) throw new Error(`the change of ${path} changes nothing`);
    const edits = [{ path, content }];
    return { edits, idea: ideaOf(edits, words) };
  };
