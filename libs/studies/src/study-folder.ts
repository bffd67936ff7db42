import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ok, refused, type Result } from '#libs/kernel';
import { entryProblem, FILE_DOMAINS, mutableEntries, type HarnessPolicy } from '#libs/harness';
import { openRecognisers, personalTexts, PII_CLASSES } from '#libs/pii';
import {
  inOrder,
  LONGEST_STUDY_FILE,
  parseStudyFile,
  STUDY_FILE,
  type StudyFile,
} from './study-file.ts';
import type { Complaint, Path, StudyFileProblem } from './yaml-document.ts';

/** A study as it stands in a folder. */
export interface StudyOnDisk extends Pick<StudyFile, 'policy' | 'warnings'> {
  /** Absolute path of the study's folder. */
  readonly folder: string;
  /** Absolute path of its study file. */
  readonly file: string;
  /** The file's own text. */
  readonly text: string;
}

type Kind = 'file' | 'folder' | 'other' | 'nothing';

/** What stands at a path; what cannot be looked at counts as nothing. */
const kindOf = async (path: string): Promise<Kind> => {
  try {
    const found = await stat(path);
    if (found.isFile()) return 'file';
    return found.isDirectory() ? 'folder' : 'other';
  } catch {
    return 'nothing';
  }
};

const problemOf = (file: string, complaint: Complaint): StudyFileProblem => ({
  ...{ file, line: 1, column: 1, path: '' },
  ...complaint,
});

/** The file's text; never more of it than a study file may have. */
const readText = async (file: string, shown: string): Promise<Result<string, StudyFileProblem>> => {
  const handle = await open(file, 'r');
  try {
    const buffer = new Uint8Array(LONGEST_STUDY_FILE + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    // A file that is too long is cut here and refused for its length, not for what the cut did to it.
    const decoder = new TextDecoder('utf-8', { fatal: length <= LONGEST_STUDY_FILE });
    return ok(decoder.decode(buffer.subarray(0, length)));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const complaint = {
      found: 'bytes that are not UTF-8',
      expected: 'a text in UTF-8',
      remedy: 'Save the file as UTF-8.',
    };
    return refused(problemOf(shown, complaint));
  } finally {
    await handle.close();
  }
};

/** The nearest name in a file's own folder that differs in case alone. */
const sameButForCase = async (path: string): Promise<string | null> => {
  const names = await readdir(dirname(path)).catch(() => []);
  const wanted = basename(path).toLowerCase();
  return names.find((name) => name.toLowerCase() === wanted) ?? null;
};

const fileRemedy = async (path: string): Promise<string> => {
  const near = await sameButForCase(path);
  return near === null ? 'Create it, or correct the path.' : `Did you mean ${near}?`;
};

/** Does everything that the policy names stand in the folder? Each thing that doesn't, with its path in the file. */
export const checkStudyFolder = async (
  policy: HarnessPolicy,
  folder: string,
): Promise<readonly { readonly path: Path; readonly complaint: Complaint }[]> => {
  const program = join(folder, policy.program.path);
  const mutable = FILE_DOMAINS.flatMap((domain) =>
    mutableEntries(policy)
      .filter((entry) => entry.domain === domain)
      .map((entry, i) => ({
        entry,
        path: ['program', 'mutable', domain, i] as const,
        at: join(program, entry.path),
      })),
  );
  const wanted: readonly { path: Path; at: string; kind: Kind }[] = [
    { path: ['program', 'path'], at: program, kind: 'folder' },
    ...(policy.data.format === 'postgres'
      ? []
      : [{ path: ['data', 'path'], at: join(folder, policy.data.path), kind: 'file' as const }]),
    { path: ['program', 'entry'], at: join(program, policy.program.entry), kind: 'file' },
    ...mutable.map(({ path, at }) => ({ path, at, kind: 'file' as const })),
  ];
  const checked = await Promise.all(
    wanted.map(async ({ path, at, kind }) => {
      const found = await kindOf(at);
      if (found === kind) return [];
      const name = relative(folder, at).split(sep).join('/');
      const complaint = {
        found: found === 'nothing' ? `nothing at ${name}` : `no ${kind} at ${name}`,
        expected: `a ${kind}, relative to ${path[1] === 'path' ? "the study's folder" : "the program's folder"}`,
        remedy: await fileRemedy(at),
      };
      return [{ path, complaint }];
    }),
  );
  const read = await Promise.all(
    mutable.map(async ({ entry, path, at }) => {
      if ((await kindOf(at)) !== 'file') return [];
      const text = await readFile(at, 'utf8');
      const problem =
        Buffer.byteLength(text) > LONGEST_PROGRAM_FILE
          ? {
              found: `${String(Buffer.byteLength(text))} bytes`,
              expected: `at most ${LONGEST_PROGRAM_FILE}`,
            }
          : entryProblem(entry, text);
      if (problem === null) return [];
      const name = relative(folder, at).split(sep).join('/');
      const remedy =
        entry.part === null ? 'Mend the file.' : 'Mend the file, or name a part that it has.';
      return [{ path, complaint: { ...problem, found: `${name}: ${problem.found}`, remedy } }];
    }),
  );
  return [...checked.flat(), ...read.flat()];
};

/** Bytes of a mutable file: the gate reads no more either. */
const LONGEST_PROGRAM_FILE = 16 * 1024 * 1024;

/** Names, labels and values of cohorts that identify people: they would be in the log from the first event on. */
const checkTexts = async ({
  data,
}: HarnessPolicy): Promise<readonly { readonly path: Path; readonly complaint: Complaint }[]> =>
  personalTexts(await openRecognisers(), data).map(({ section, name, what, class: of }) => ({
    path: section === 'outcome' ? ['data', 'outcome'] : ['data', section, name],
    complaint: {
      found: `a ${what} that looks like ${PII_CLASSES[of]}`,
      expected: 'names, labels and values of cohorts, which identify nobody',
      remedy:
        'Group people, or say under data.pii.allow why the column may be declared all the same.',
    },
  }));

/**
 * Reads a study from its folder (`holdfast.yaml` in it) or from one of its study files, whose folder is the
 * study's. Refuses with every problem of the file and, where the file is sound, of what it names on disk.
 *
 * @throws what the file system throws for a file that is there and cannot be read
 */
export const readStudy = async (
  pathToFolderOrYaml: string,
): Promise<Result<StudyOnDisk, readonly StudyFileProblem[]>> => {
  const given = resolve(pathToFolderOrYaml);
  const file = (await kindOf(given)) === 'folder' ? join(given, STUDY_FILE) : given;
  const shown = relative(process.cwd(), file) || file;
  if ((await kindOf(file)) !== 'file') {
    const complaint = {
      found: 'no such file',
      expected: `a study's folder with a ${STUDY_FILE}, or a study file`,
      remedy: 'Correct the path, or make a study with: holdfast init',
    };
    return refused([problemOf(shown, complaint)]);
  }
  const text = await readText(file, shown);
  if (!text.ok) return refused([text.error]);
  const parsed = parseStudyFile(text.value, shown);
  if (!parsed.ok) return parsed;
  const { policy, warnings, placed } = parsed.value;
  const personal = await checkTexts(policy);
  if (personal.length > 0) {
    return refused(inOrder(personal.map(({ path, complaint }) => placed(path, complaint))));
  }
  const folder = dirname(file);
  const missing = await checkStudyFolder(policy, folder);
  if (missing.length > 0) {
    return refused(inOrder(missing.map(({ path, complaint }) => placed(path, complaint))));
  }
  return ok({ policy, warnings, folder, file, text: text.value });
};
