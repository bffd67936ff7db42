import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { referencePages } from './pages.ts';

/** Writes docs/reference from the code; run it in the repository's folder, by `npm run docs`. */
const root = process.cwd();
const folder = join(root, 'docs/reference');
await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(await referencePages(root))) {
  await writeFile(join(folder, name), text);
  process.stdout.write(`docs/reference/${name}\n`);
}
