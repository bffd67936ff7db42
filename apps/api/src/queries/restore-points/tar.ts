import { pack, type Pack } from 'tar-stream';
import type { TreeFileContent } from '#libs/source-tree';

const EXECUTABLE = '100755';

/**
 * A tar archive of a tree's files (pax, POSIX.1-2001): the same bytes for the same tree, since nothing in it is of this
 * machine or this moment. Its first entry names the tree, as `git archive` does.
 */
export const tarOf = (tree: string, files: readonly TreeFileContent[]): Pack => {
  const archive = pack();
  const epoch = new Date(0);
  const owner = { uid: 0, gid: 0, uname: '', gname: '', mtime: epoch } as const;
  const write = async (): Promise<void> => {
    for (const { path, mode, content } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
      await new Promise<void>((resolve, reject) => {
        archive.entry(
          {
            ...owner,
            name: path,
            mode: mode === EXECUTABLE ? 0o755 : 0o644,
            type: 'file',
            pax: { comment: tree },
          },
          Buffer.from(content),
          (error) => {
            if (error) reject(error);
            else resolve();
          },
        );
      });
    archive.finalize();
  };
  write().catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return archive;
};
