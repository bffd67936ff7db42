import type { Refusal } from '#libs/kernel';
import { describeProblem, type StudyFileProblem } from '#libs/studies';

/** Every problem of a study file, each with its place, as one refusal. */
export const studyRefusal = (
  problems: readonly StudyFileProblem[],
): Refusal & { readonly problems: readonly { path: string; message: string }[] } => ({
  code: 'study-file',
  message: `the study file has ${problems.length === 1 ? 'an error' : `${problems.length} errors`}; nothing was written`,
  problems: problems.map((problem) => {
    const [path = '', ...rest] = describeProblem(problem).split(': ');
    return { path, message: rest.join(': ') };
  }),
});
