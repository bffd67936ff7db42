import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The log position before which nothing is owed any more: it shortens a start, and without it the whole log is read. */
export interface MarkFile {
  read(): Promise<number>;
  write(position: number): Promise<void>;
}

export const markFile = (folder: string): MarkFile => {
  const path = join(folder, 'settled-before');
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch(() => '0');
      const position = Number(text.trim());
      return Number.isSafeInteger(position) && position > 0 ? position : 0;
    },
    write: async (position) => {
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, `${position}\n`);
      await rename(draft, path);
    },
  };
};
