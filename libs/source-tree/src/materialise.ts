import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ok, refused } from '#libs/kernel';
import type { Refusal, Result } from '#libs/kernel';
import { listFiles } from './diff.ts';
import { readTyped } from './object-store.ts';
import type { ReadObject } from './object-store.ts';
import { checkPath, collisions } from './paths.ts';
import type { MaterialiseRefusalCode, TreeFile } from './port.ts';
import { MODES } from './tree-format.ts';

/** All folders of a list of files, parents first. */
const foldersOf = (files: readonly TreeFile[]): readonly string[] => {
  const folders = new Set<string>();
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, depth) => folders.add(parts.slice(0, depth + 1).join('/')));
  }
  return [...folders];
};

const entryProblems = (files: readonly TreeFile[]): readonly string[] => {
  const names = new Map<string, string[]>();
  for (const path of [...foldersOf(files), ...files.map((file) => file.path)]) {
    const folder = path.includes('/') ? dirname(path) : '';
    const name = path.slice(path.lastIndexOf('/') + 1);
    names.set(folder, [...(names.get(folder) ?? []), name]);
  }
  return [
    ...files
      .filter(({ mode }) => mode !== MODES.file && mode !== MODES.executable)
      .map(({ path, mode }) => `${path} has mode ${mode}`),
    ...files.flatMap(({ path }) => checkPath(path)).map(({ message }) => message),
    ...[...names]
      .flatMap(([folder, each]) => collisions(folder, each))
      .map(({ message }) => message),
  ];
};

/** Writes a tree into a fresh folder. Everything is read and checked before the first byte is written. */
export const materialise = async (
  read: ReadObject,
  tree: string,
  folder: string,
): Promise<Result<{ readonly files: number }, Refusal<MaterialiseRefusalCode>>> => {
  const files = await listFiles(read, tree);
  if (!files.ok) return files;
  const problems = entryProblems(files.value);
  if (problems.length > 0) {
    return refused({
      code: 'bad-entry',
      message: `the tree ${tree} holds what must not reach a disk: ${problems.join('; ')}`,
    });
  }
  const contents: { file: TreeFile; content: Uint8Array }[] = [];
  for (const file of files.value) {
    const content = await readTyped(read, file.oid, 'blob');
    if (!content.ok) return content;
    contents.push({ file, content: content.value });
  }

  await fs.mkdir(folder, { recursive: true });
  if ((await fs.readdir(folder)).length > 0) {
    return refused({
      code: 'folder-not-empty',
      message: `${folder} is not empty; name a fresh folder`,
    });
  }
  await fs.chmod(folder, 0o755);
  for (const below of foldersOf(files.value)) {
    await fs.mkdir(join(folder, below));
    await fs.chmod(join(folder, below), 0o755);
  }
  for (const { file, content } of contents) {
    const path = join(folder, file.path);
    const handle = await fs.open(path, 'wx');
    try {
      await handle.writeFile(content);
      await handle.chmod(file.mode === MODES.executable ? 0o555 : 0o444);
    } finally {
      await handle.close();
    }
  }
  return ok({ files: contents.length });
};
