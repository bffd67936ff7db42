import { readTyped } from './object-store.ts';
import { headCommit, openStudyRepository } from './study-repository.ts';

/** Whom the commit names that a run of a study would be pinned to. */
export interface SourceIdentity {
  readonly commit: string;
  /** Name and address, as git writes them: `Name <address>`. */
  readonly author: string;
  readonly committer: string;
}

/** Null where there is no commit that could be read: a run says then what is wrong with the repository. */
export const readSourceIdentity = async (folder: string): Promise<SourceIdentity | null> => {
  const repository = await openStudyRepository(folder);
  const head = repository.ok ? await headCommit(repository.value) : repository;
  if (!repository.ok || !head.ok) return null;
  const content = await readTyped(repository.value.read, head.value, 'commit');
  if (!content.ok) return null;
  const [lines = ''] = Buffer.from(content.value).toString('utf8').split('\n\n', 1);
  const named = (role: string): string =>
    new RegExp(`^${role} (.*) \\d+ [+-]\\d{4}$`, 'm').exec(lines)?.[1] ?? '';
  return { commit: head.value, author: named('author'), committer: named('committer') };
};
