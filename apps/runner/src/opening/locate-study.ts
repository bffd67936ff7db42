import { realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { describeProblem, readStudy, type StudyOnDisk } from '#libs/studies';
import { recallStudyFile, type Home } from '../home.ts';

/** What a path that leads to nothing, or is none, is answered with; ERR_INVALID_ARG_VALUE: it has a null byte. */
const NOT_THERE: readonly string[] = [
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'EACCES',
  'ENAMETOOLONG',
  'ERR_INVALID_ARG_VALUE',
];

/** A study's folder holds its data too: of files only study files are read, so that no refusal says what is in others. */
const STUDY_FILE_NAME = /\.ya?ml$/i;

/**
 * Reads the study that lies at `folder` below the studies folder, links followed and still below it: what is
 * registered over HTTP names a place there and nowhere else.
 */
export const readStudyBelow = async (
  root: string | null,
  folder: string,
): Promise<Result<StudyOnDisk, Refusal>> => {
  if (root === null)
    return refused({
      code: 'no-studies-folder',
      message:
        'found no studies folder on this host, expected one named by HOLDFAST_STUDIES; set it and start again',
    });
  const outside = refused({
    code: 'study-missing',
    message: `found no study at ${JSON.stringify(folder)}, expected a folder or a study file below the studies folder; put it there or correct the path`,
  });
  const top = await realpath(root).catch(() => null);
  if (top === null)
    return refused({
      code: 'no-studies-folder',
      message:
        'the studies folder that HOLDFAST_STUDIES names is not there or cannot be read on this host; bring it back, and it is looked for again',
    });
  try {
    const real = await realpath(join(root, folder));
    const below = relative(top, real);
    if (below === '..' || below.startsWith(`..${sep}`)) return outside;
    if (!(await stat(real)).isDirectory() && !STUDY_FILE_NAME.test(real)) return outside;
    const study = await readStudy(real);
    return study.ok
      ? study
      : refused({
          code: 'study-file',
          // Where the studies folder lies on this host is nobody's out there.
          message: `the study at ${JSON.stringify(folder)} has errors: ${study.error
            .map(({ file, ...problem }) => ({ ...problem, file: relative(top, resolve(file)) }))
            .map(describeProblem)
            .join('; ')}`,
        });
  } catch (error) {
    if (NOT_THERE.includes((error as NodeJS.ErrnoException).code ?? '')) return outside;
    throw error;
  }
};

/** The study on this host: where the log places it, else where an earlier run of this home found it. */
export const locateStudy = async (
  home: Home,
  studyId: string,
): Promise<Result<StudyOnDisk, Refusal>> => {
  const { state } = await home.studies.load(studyId);
  const read = await readPlaced(home, studyId, state.folder);
  if (!read.ok || read.value.policy.study.id === studyId) return read;
  return refused({
    code: 'study-missing',
    message: `found study ${read.value.policy.study.id} at ${JSON.stringify(state.folder ?? read.value.file)}, expected ${studyId}; put it back or place it anew`,
  });
};

const readPlaced = async (
  home: Home,
  studyId: string,
  folder: string | null,
): Promise<Result<StudyOnDisk, Refusal>> => {
  if (folder !== null) return readStudyBelow(home.studiesFolder, folder);
  const file = await recallStudyFile(home, studyId);
  if (!file.ok) return file;
  const study = await readStudy(file.value);
  return study.ok
    ? ok(study.value)
    : refused({
        code: 'study-file',
        message: `the study at ${file.value} has errors: ${study.error.map(describeProblem).join('; ')}`,
      });
};
