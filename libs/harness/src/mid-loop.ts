import { gateBySyntax } from './mid-loop/by-syntax.ts';
import { domainOfPaths, gateByText } from './mid-loop/by-text.ts';
import { mutableFile, ownersOf, type MutableEntry } from './mid-loop/mutable-set.ts';
import { dearest, type FileChange, type MidLoopRuling, type Policy } from './mid-loop/ruling.ts';
import type { FileDomain } from './policy.ts';
import { readSource } from './syntax/read.ts';
import { languageOf } from './syntax/source.ts';

export { jsonOwners, mutableEntries, mutablePaths } from './mid-loop/mutable-set.ts';
export type { MutableEntry } from './mid-loop/mutable-set.ts';
export type { FileChange, FileRuling, MidLoopRuling, UnreadableFile } from './mid-loop/ruling.ts';
export { LANGUAGES, languageOf } from './syntax/source.ts';
export type { Language } from './syntax/source.ts';

/**
 * What keeps a policy's mutable entry from meaning something in the program as it stands: a text that its language can't
 * read, or a part that is not there. Null for a sound one.
 *
 * @param text of the entry's file
 */
export const entryProblem = (
  { path, part }: MutableEntry,
  text: string,
): { readonly found: string; readonly expected: string } | null => {
  const language = languageOf(path);
  if (language === 'text') return null;
  const source = readSource(language, text, { path, protectedParameters: [], programFiles: [] });
  if (!source.ok)
    return {
      found: `line ${source.error.line}: ${source.error.message}`,
      expected: `a file that can be read as ${language}`,
    };
  const names = [...new Set(source.value.declarations.flatMap((each) => each.names))];
  return part === null || names.includes(part)
    ? null
    : {
        found: `no ${part}`,
        expected: `one of ${
          names
            .filter((name) => name !== '')
            .slice(0, 20)
            .join(', ') || 'nothing'
        }`,
      };
};

/**
 * The mid-loop gate's rules on the diff of two trees; the agent's own words count for nothing here.
 * Every rule answers, each breach with file and line. Code and JSON are read as syntax trees, both sides of the diff:
 * what the honest base had already is no breach. Under a policy of version 1 the rules of then answer, which read text.
 */
export const midLoopGate = (policy: Policy, changes: readonly FileChange[]): MidLoopRuling =>
  policy.version === 1 ? gateByText(policy, changes) : gateBySyntax(policy, changes);

/**
 * The dearest domain that some changed files come to, as far as it shows without their contents; null where there are
 * none, or one that no domain owns. A file can be classified as a domain that owns it or a part of it, or as
 * architecture; another one counts as none. Under a policy of version 1 the paths alone say.
 */
export const domainOfFiles = (
  policy: Pick<Policy, 'version' | 'program' | 'budget'>,
  files: readonly { readonly path: string; readonly domain: FileDomain | null }[],
): FileDomain | null => {
  if (policy.version === 1)
    return domainOfPaths(
      policy,
      files.map(({ path }) => path),
    );
  const domains = files.flatMap(({ path, domain }) => {
    const mutable = mutableFile(policy, path);
    const owners = mutable === null ? [] : ownersOf(mutable);
    const isPossible = owners.length > 0 && (domain === 'architecture' || owners.includes(domain!));
    return domain !== null && isPossible ? [domain] : [];
  });
  return domains.length === files.length ? dearest(policy, domains) : null;
};
